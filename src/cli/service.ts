/** `lankv service install`, `uninstall` and `status`. */
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { launchd } from "./launchd.js";
import type { ServeFlags } from "./serve.js";
import { defaultSocketPath, SYSTEM_SOCKET_PATH } from "./socket-path.js";
import {
  ask,
  hasProgram,
  SIGNATURE,
  toCommand,
  type CommandLine,
  type ServicePlan,
  type Supervisor,
} from "./supervisor.js";
import { systemd } from "./systemd.js";
import { colorsFor } from "./terminal.js";

export interface ServiceFlags extends GlobalFlags {
  readonly user?: true;
  readonly root?: string;
  readonly print?: true;
}

/** What the service's sandbox hides (ProtectHome, PrivateTmp): nothing that it runs may lie there. */
const HIDDEN = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

/** Flags that the service sets itself. */
const OWN_FLAGS = /^(?:--(?:socket|data-dir)(?:=|$)|-s)/;

/**
 * Writes the service's files where they differ, and starts it. To install again is to change its flags, or nothing.
 * @param serve the command that checks the flags
 */
export function install(words: readonly string[], flags: ServiceFlags, serve: Command): ExitCode {
  checkWords(words, serve);
  const plan = toPlan(words, flags);
  const supervisor = supervisorFor(plan);
  const [definition] = supervisor.files;
  if (flags.print === true) {
    process.stdout.write(definition.text);
    return EXIT.ok;
  }
  checkRights(plan, ["install", ...(words.length === 0 ? [] : ["--", ...words])]);
  if (!plan.isUsers && plan.root === "") checkVisible([plan.node, plan.script]);
  checkOurs(definition.path);
  const said: string[] = [];
  const changed = supervisor.files.filter(({ path, text }) => textOf(path) !== text);
  for (const { path, text } of supervisor.files) {
    if (changed.every((file) => file.path !== path)) {
      said.push(`${path} is as it should be`);
      continue;
    }
    write(path, text);
    said.push(`wrote ${path}`);
  }
  if (supervisor.silence === undefined) said.push(...runAll(supervisor.starting(changed.length === 0)));
  else said.push(`nothing was started: ${supervisor.silence}`);
  tell(said, supervisor.hints, flags);
  return EXIT.ok;
}

/** Ends the service and removes its files. What the node kept stays. */
export function uninstall(flags: ServiceFlags): ExitCode {
  const plan = toPlan([], flags);
  const supervisor = supervisorFor(plan);
  const there = supervisor.files.map(({ path }) => path).filter((path) => existsSync(path));
  if (there.length === 0) {
    tell(["no service is installed"], [], flags);
    return EXIT.ok;
  }
  checkRights(plan, ["uninstall"]);
  for (const path of there) checkOurs(path);
  const said: string[] = [];
  // Who has removed or stopped it by hand is not held up.
  if (supervisor.silence === undefined) said.push(...runAll(supervisor.stopping, true));
  for (const path of there) {
    rmSync(path);
    said.push(`removed ${path}`);
  }
  if (supervisor.silence === undefined) said.push(...runAll(supervisor.forgetting, true));
  tell([...said, supervisor.remains], [], flags);
  return EXIT.ok;
}

/** Ends with 7 when there is anything that is not as it should be. */
export async function serviceStatus(flags: ServiceFlags): Promise<ExitCode> {
  const plan = toPlan([], flags);
  const supervisor = supervisorFor(plan);
  const [{ path }] = supervisor.files;
  const installed = existsSync(path);
  const { enabled, running } = installed ? supervisor.state() : { enabled: false, running: false };
  const socket = flags.socket ?? (plan.isUsers ? defaultSocketPath() : systemSocket());
  const why = await whyNoAnswer({ ...flags, socket });
  const isWell = installed && enabled !== false && running !== false && why === undefined;
  if (flags.json === true) {
    const known = { enabled: enabled ?? null, running: running ?? null };
    process.stdout.write(
      `${JSON.stringify({ installed, ...known, answers: why === undefined, path, socket })}\n`,
    );
  } else {
    const colors = colorsFor(process.stdout, flags);
    const shown = (is: boolean | undefined): string =>
      is === undefined ? `unknown: ${supervisor.silence ?? ""}` : is ? colors.green("yes") : colors.red("no");
    const lines = [
      [
        "installed",
        `${shown(installed)}  ${path}${installed ? "" : `, which '${toCommand(plan, "install")}' writes`}`,
      ],
      ["enabled", shown(enabled)],
      ["running", shown(running)],
      ["answers", why === undefined ? `${shown(true)}  ${socket}` : `${shown(false)}  ${why}`],
    ];
    process.stdout.write(lines.map(([name = "", text = ""]) => `${name.padEnd(10)} ${text}\n`).join(""));
  }
  return isWell ? EXIT.ok : EXIT.unhealthy;
}

function supervisorFor(plan: ServicePlan): Supervisor {
  if (process.platform === "darwin") return launchd(plan);
  if (process.platform !== "linux") {
    throw new Failure(EXIT.error, "Services are known of Linux (systemd) and macOS (launchd) only.");
  }
  if (plan.root === "" && !hasProgram("systemctl", plan.env)) {
    throw new Failure(
      EXIT.error,
      `This machine has no systemd: there is no systemctl. Have its own init run: ${plan.node} ${plan.script} serve`,
    );
  }
  return systemd(plan);
}

function toPlan(words: readonly string[], { user, root = "" }: ServiceFlags): ServicePlan {
  const node = process.execPath;
  const script = realpathSync(fileURLToPath(new URL("../../bin/lankv.js", import.meta.url)));
  if (root !== "" && !isAbsolute(root)) {
    throw new Failure(EXIT.usage, `--root must be an absolute path, not ${root}`);
  }
  const sudo = `sudo ${[node, script].map(toShellWord).join(" ")}`;
  return { isUsers: user === true, node, script, flags: words, sudo, env: process.env, root };
}

/** What would only show in the log of a service that does not start is said now. */
function checkWords(words: readonly string[], serve: Command): void {
  const { operands, unknown } = serve.parseOptions([...words]);
  const general = serve.parent?.parseOptions(unknown) ?? { operands: [], unknown };
  const [stranger] = [...operands, ...general.operands, ...general.unknown];
  if (stranger !== undefined) {
    throw new Failure(EXIT.usage, `${stranger} is no flag of 'lankv serve', which is what may follow --`);
  }
  if (words.some((word) => /[\0-\x1f\x7f]/.test(word))) {
    throw new Failure(EXIT.usage, "the flags of a service must have no control characters");
  }
  const own = words.find((word) => OWN_FLAGS.test(word));
  if (own !== undefined) {
    throw new Failure(
      EXIT.usage,
      `${own} is the service's own: commands look for it at one place. Another node of this machine is better run by ` +
        "a unit of yours; 'lankv service install --print' is a beginning",
    );
  }
  const { passwordFile } = serve.opts<ServeFlags>();
  if (passwordFile !== undefined && !isAbsolute(passwordFile)) {
    throw new Failure(
      EXIT.usage,
      `--password-file must be an absolute path for a service, not ${passwordFile}`,
    );
  }
}

function checkRights({ isUsers, root, sudo }: ServicePlan, words: readonly string[]): void {
  if (isUsers || root !== "" || process.getuid?.() === 0) return;
  throw new Failure(
    EXIT.error,
    "A service of the whole machine is root's to change: " +
      `${[sudo, "service", ...words.map(toShellWord)].join(" ")}; or add --user, for one of yours alone.`,
  );
}

/** @throws {Failure} the service's user could not read what it is to run */
function checkVisible(paths: readonly string[]): void {
  for (const path of paths) {
    const why = whyHidden(path);
    if (why === undefined) continue;
    throw new Failure(
      EXIT.error,
      `The service could not run ${path}: ${why}. Install Node.js and lankv for the whole machine, such as below ` +
        "/usr/local, or add --user, for a service of yours alone.",
    );
  }
}

/** Why a user without rights, in the service's sandbox, does not see a file; undefined = it does. */
export function whyHidden(path: string): string | undefined {
  const hidden = HIDDEN.find((folder) => path.startsWith(`${folder}/`));
  if (hidden !== undefined) return `its sandbox hides ${hidden}`;
  if ((statSync(path).mode & 0o004) === 0) return "not everybody may read it";
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return `not everybody may enter ${folder}`;
    if (folder === dirname(folder)) return undefined;
  }
}

/** @throws {Failure} a file of the same name is somebody else's, such as a distribution's */
function checkOurs(path: string): void {
  const text = textOf(path);
  if (text === undefined || text.includes(SIGNATURE)) return;
  throw new Failure(EXIT.error, `${path} was not written by 'lankv service install'. Move it away first.`);
}

function textOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o644 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(EXIT.error, `${path} cannot be written: ${reason}`, { cause });
  }
}

/** @returns what was run, in words */
function runAll(commands: readonly CommandLine[], mayFail = false): string[] {
  return commands.map((command) => {
    const { code, text } = ask(command);
    if (code === 0) return `ran ${command.join(" ")}`;
    if (mayFail) return `${command.join(" ")} failed: ${text}`;
    throw new Failure(
      EXIT.error,
      `${command.join(" ")} failed: ${text}. The files are written; 'lankv service uninstall' removes them.`,
    );
  });
}

function tell(said: readonly string[], hints: Supervisor["hints"], { quiet }: ServiceFlags): void {
  if (quiet === true) return;
  const lines = [...said, ...hints.map(([subject, text]) => `  ${subject.padEnd(9)} ${text}`)];
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

function systemSocket(): string {
  return process.platform === "linux" ? SYSTEM_SOCKET_PATH : defaultSocketPath();
}

async function whyNoAnswer(flags: GlobalFlags): Promise<string | undefined> {
  try {
    await withDaemon(flags, (client) => client.call("PING"));
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** A word as a shell reads it. */
function toShellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
