/** `lankv watch --exec`: a command of the shell, run for a change. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { isUtf8 } from "node:buffer";
import { valueOf, type Change } from "./change.js";
import { toPrintableLine } from "./printable.js";

/** A longer value is given on standard input alone: Linux takes no variable above 128 KiB. */
const VALUE_IN_ENV_BYTES_MAX = 65_536;
/** How a shell says that its command was interrupted. */
const INTERRUPTED = 130;

/**
 * Runs a command, with the change in its environment and the value on its standard input, and waits for its end.
 * One that fails is told of on standard error: the next change may go better.
 * @param target variables that lead a `lankv` inside the command to the same daemon
 */
export async function runForChange(
  command: string,
  change: Change,
  target: Readonly<Record<string, string>>,
): Promise<void> {
  const child = spawn(command, {
    shell: true,
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...process.env, ...target, ...toEnv(change) },
  });
  // The command need not read its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(valueOf(change));
  const why = await once(child, "exit").then(() => complaint(child.exitCode, child.signalCode), String);
  child.stdin.destroy();
  if (why === undefined) return;
  process.stderr.write(
    `lankv: the command ${why}, for ${toPrintableLine(Buffer.from(change.event))} ` +
      `${JSON.stringify(toPrintableLine(change.key))}; the watch goes on\n`,
  );
}

/** Undefined when nothing is wrong; who interrupts a command knows it. */
function complaint(exitCode: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal !== null) return signal === "SIGINT" ? undefined : `was ended by ${signal}`;
  return exitCode === 0 || exitCode === INTERRUPTED ? undefined : `ended with exit code ${String(exitCode)}`;
}

/** What is not known is unset, lest the command takes another's for it. */
function toEnv(change: Change): NodeJS.ProcessEnv {
  const { event, key, entry } = change;
  const value = valueOf(change);
  const isShort = value !== undefined && value.length <= VALUE_IN_ENV_BYTES_MAX;
  const member = (name: string): string | undefined => {
    const found = entry?.[name];
    return typeof found === "string" || typeof found === "number" ? String(found) : undefined;
  };
  return {
    LANKV_EVENT: event,
    LANKV_KEY: toVariable(key),
    LANKV_KEY_BASE64: key.toString("base64"),
    LANKV_VALUE: isShort ? toVariable(value) : undefined,
    LANKV_VALUE_BYTES: value === undefined ? undefined : String(value.length),
    LANKV_VERSION: member("version"),
    LANKV_ORIGIN: member("origin"),
    LANKV_UPDATED_AT: member("updatedAt"),
    LANKV_EXPIRES_AT: member("expiresAt"),
  };
}

/** A variable is text without NUL. */
function toVariable(bytes: Buffer): string | undefined {
  return isUtf8(bytes) && !bytes.includes(0) ? bytes.toString("utf8") : undefined;
}
