/**
 * lankv as a service of macOS: an agent of the user, or with root's rights a daemon that starts with the machine and
 * runs as the user who installed it, with that user's files, so that `lankv` finds it.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import { ask, SIGNATURE, toCommand, type ServicePlan, type Supervisor } from "./supervisor.js";

const LABEL = "lankv";

export function launchd(plan: ServicePlan): Supervisor {
  const { isUsers, root, env } = plan;
  const folder = isUsers ? join(homedir(), "Library/LaunchAgents") : "/Library/LaunchDaemons";
  const path = join(root, folder, `${LABEL}.plist`);
  const domain = isUsers ? `gui/${String(process.getuid?.() ?? 0)}` : "system";
  const owner = isUsers ? undefined : env["SUDO_USER"];
  const log = isUsers ? join(homedir(), "Library/Logs/lankv.log") : "/var/log/lankv.log";
  const silence = root === "" ? undefined : `what is below ${root} does not run`;
  const isLoaded = (): boolean => ask(["launchctl", "print", `${domain}/${LABEL}`]).code === 0;
  return {
    files: [{ path, text: toPlist(plan, owner, log) }],
    silence,
    starting: (isRunningAsBefore) => [
      ...(isRunningAsBefore || !isLoaded() ? [] : [["launchctl", "bootout", `${domain}/${LABEL}`] as const]),
      ...(isRunningAsBefore && isLoaded() ? [] : [["launchctl", "bootstrap", domain, path] as const]),
    ],
    stopping: [["launchctl", "bootout", `${domain}/${LABEL}`]],
    forgetting: [],
    state: () => {
      if (silence !== undefined) return { enabled: undefined, running: undefined };
      const { code, text } = ask(["launchctl", "print", `${domain}/${LABEL}`]);
      return { enabled: code === 0, running: code === 0 && /\bstate = running\b/.test(text) };
    },
    hints: [
      ["flags", "install again with -- FLAGS"],
      ["log", log],
      ["undo", toCommand(plan, "uninstall")],
    ],
    remains: "What it kept stays in ~/Library/Application Support/lankv.",
  };
}

function toPlist({ node, script, flags }: ServicePlan, owner: string | undefined, log: string): string {
  const words = [node, script, "serve", ...flags]
    .map((word) => `    <string>${toXml(word)}</string>`)
    .join("\n");
  const user = owner === undefined ? "" : `  <key>UserName</key>\n  <string>${toXml(owner)}</string>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${SIGNATURE}; 'lankv service uninstall' removes it. -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${LABEL}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
${user}  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
  <key>SoftResourceLimits</key>
  <dict>
    <key>NumberOfFiles</key>
    <integer>65536</integer>
  </dict>
  <key>Umask</key>
  <integer>63</integer>
  <key>StandardErrorPath</key>
  <string>${toXml(log)}</string>
</dict>
</plist>
`;
}

function toXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
