/**
 * lankv as a service of systemd.
 *
 * The system's service runs as a user of its own, and sees of the machine what it needs: its two directories, the
 * programs, the network. A fixed user rather than DynamicUser, because people get at the socket by being in its
 * group. MemoryDenyWriteExecute is absent: V8 compiles JavaScript to machine code and could not start. Nothing waits
 * for network-online.target: lankv serves without a network, and notices when one comes.
 *
 * A user's service has fewer walls: the manager of a user cannot build those that need mounts.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { SYSTEM_SOCKET_PATH } from "./socket-path.js";
import {
  ask,
  hasProgram,
  SIGNATURE,
  toCommand,
  type CommandLine,
  type ServicePlan,
  type Supervisor,
} from "./supervisor.js";

const UNIT = "lankv.service";

export function systemd(plan: ServicePlan): Supervisor {
  const { isUsers, env, root } = plan;
  const systemctl = (...args: string[]): CommandLine => [
    "systemctl",
    ...(isUsers ? ["--user"] : []),
    ...args,
  ];
  const shown = isUsers ? "systemctl --user" : "sudo systemctl";
  const config = env["XDG_CONFIG_HOME"] ?? join(homedir(), ".config");
  const unit = join(root, isUsers ? join(config, "systemd/user", UNIT) : join("/etc/systemd/system", UNIT));
  const sysusers = join(root, "/etc/sysusers.d/lankv.conf");
  const silence = whySilent(plan);
  return {
    files: [
      { path: unit, text: isUsers ? userUnit(plan) : systemUnit(plan) },
      ...(isUsers ? [] : [{ path: sysusers, text: SYSUSERS }]),
    ],
    silence,
    starting: (isRunningAsBefore) => [
      ...(isUsers ? [] : [makeUser(sysusers, env)]),
      systemctl("daemon-reload"),
      systemctl("enable", UNIT),
      systemctl(isRunningAsBefore ? "start" : "restart", UNIT),
    ],
    stopping: [systemctl("disable", "--now", UNIT)],
    forgetting: [systemctl("daemon-reload")],
    state: () =>
      silence === undefined
        ? {
            enabled: ask(systemctl("is-enabled", UNIT)).text === "enabled",
            running: ask(systemctl("is-active", UNIT)).text === "active",
          }
        : { enabled: undefined, running: undefined },
    hints: [
      ...(silence === undefined
        ? []
        : [
            [
              "start",
              `${root === "" ? `${shown} enable --now` : `systemctl --root=${root} enable`} lankv`,
            ] as const,
          ]),
      [
        "settings",
        `${isUsers ? join(config, "lankv/environment") : "/etc/default/lankv"}, lines such as LANKV_NAME=pi1`,
      ],
      ["", `then ${shown} restart lankv`],
      ["log", isUsers ? "journalctl --user -u lankv" : "journalctl -u lankv"],
      isUsers
        ? ["at boot", "before you log in, too: loginctl enable-linger"]
        : [
            "access",
            `root and the group lankv: sudo usermod -aG lankv ${env["SUDO_USER"] ?? "USER"}, then log in anew`,
          ],
      ["undo", toCommand(plan, "uninstall")],
    ],
    remains: isUsers
      ? "What it kept stays in ~/.local/state/lankv."
      : "The user lankv and what it kept stay; remove them with: sudo rm -r /var/lib/lankv; sudo userdel lankv",
  };
}

const SYSUSERS = `# ${SIGNATURE}.
u lankv - "lankv" /var/lib/lankv
`;

/** The distributions that have no systemd-sysusers have useradd, which fails when the user is there. */
function makeUser(sysusers: string, env: NodeJS.ProcessEnv): CommandLine {
  if (hasProgram("systemd-sysusers", env)) return ["systemd-sysusers", sysusers];
  const useradd =
    "useradd --system --user-group --home-dir /var/lib/lankv --no-create-home --shell /usr/sbin/nologin";
  return ["sh", "-c", `id lankv >/dev/null 2>&1 || ${useradd} lankv`];
}

function whySilent({ isUsers, env, root }: ServicePlan): string | undefined {
  if (root !== "") return `what is below ${root} does not run`;
  if (!isUsers) return existsSync("/run/systemd/system") ? undefined : "systemd does not run this machine";
  const runtimeDir = env["XDG_RUNTIME_DIR"] ?? "";
  return runtimeDir !== "" && existsSync(join(runtimeDir, "systemd"))
    ? undefined
    : "no systemd runs for this user ($XDG_RUNTIME_DIR/systemd is missing)";
}

function systemUnit({ node, script, flags }: ServicePlan): string {
  return `# ${SIGNATURE}; 'lankv service uninstall' removes it.
# Change it with 'systemctl edit lankv', and the flags in /etc/default/lankv.
[Unit]
Description=lankv, a key-value store that every host on a LAN shares
# It needs no network to start. This is for the end: peers are told while there still is one.
After=network.target
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
User=lankv
Group=lankv
Environment=LANKV_DATA_DIR=/var/lib/lankv LANKV_SOCKET=${SYSTEM_SOCKET_PATH} LANKV_SOCKET_MODE=660
EnvironmentFile=-/etc/default/lankv
ExecStart=${[node, script, "serve", ...flags].map(toWord).join(" ")}
Restart=on-failure
RestartSec=2
# A wrong flag does not become right by trying again.
RestartPreventExitStatus=2
LimitNOFILE=65536
StateDirectory=lankv
StateDirectoryMode=0700
RuntimeDirectory=lankv
RuntimeDirectoryMode=0750

ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
CapabilityBoundingSet=
RemoveIPC=yes
${WALLS}

[Install]
WantedBy=multi-user.target
`;
}

function userUnit({ node, script, flags }: ServicePlan): string {
  return `# ${SIGNATURE}; 'lankv service uninstall --user' removes it.
# Change it with 'systemctl --user edit lankv', and the flags in ~/.config/lankv/environment.
[Unit]
Description=lankv, a key-value store that every host on a LAN shares
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
EnvironmentFile=-%E/lankv/environment
ExecStart=${[node, script, "serve", ...flags].map(toWord).join(" ")}
Restart=on-failure
RestartSec=2
# A wrong flag does not become right by trying again.
RestartPreventExitStatus=2
LimitNOFILE=65536

${WALLS}

[Install]
WantedBy=default.target
`;
}

/** Without MemoryDenyWriteExecute, see above. The network's interfaces are read by netlink. */
const WALLS = `NoNewPrivileges=yes
UMask=0077
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
# No MemoryDenyWriteExecute: V8 compiles JavaScript to machine code.`;

/** A word of ExecStart: specifiers and variables in it are meant literally. */
export function toWord(text: string): string {
  if (/^[\w@+=:,./-]+$/.test(text)) return text;
  const escaped = text.replaceAll(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("$", "$$$$");
  return `"${escaped}"`;
}
