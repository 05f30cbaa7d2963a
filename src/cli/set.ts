/** `lankv set`. */
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { LIMITS } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import type { Argument } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toBufferOrNull } from "./replies.js";

export interface SetFlags extends GlobalFlags {
  /** Milliseconds. */
  readonly ttl?: number;
  readonly nx?: true;
  readonly xx?: true;
  readonly ifVersion?: string;
}

/** @param source the value itself, `-` for standard input, or `@FILE`; undefined = standard input unless it is a terminal */
export async function set(key: string, source: string | undefined, flags: SetFlags): Promise<ExitCode> {
  const value = await readValue(source);
  if (value.length > LIMITS.valueBytesMax) {
    throw new Failure(
      EXIT.error,
      `The value has ${String(value.length)} bytes, and at most ${String(LIMITS.valueBytesMax)} fit. ` +
        "Split it over several keys.",
    );
  }
  const command: Argument[] = ["LANKV.SET", key, value];
  if (flags.ttl !== undefined) command.push("PX", flags.ttl);
  if (flags.nx === true) command.push("NX");
  if (flags.xx === true) command.push("XX");
  if (flags.ifVersion !== undefined) command.push("IFVERSION", flags.ifVersion);
  return withDaemon(flags, async (client) => {
    const version = toBufferOrNull(await client.call(...command));
    if (version === null) throw new LankvError("LANKV_CONDITION", whyNot(key, flags));
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ version: version.toString() })}\n`);
    return EXIT.ok;
  });
}

async function readValue(source: string | undefined): Promise<Uint8Array> {
  if (source === undefined && process.stdin.isTTY) {
    throw new Failure(EXIT.usage, "There is no value. Give one, or - to read it from standard input.");
  }
  if (source === undefined || source === "-") return buffer(process.stdin);
  if (!source.startsWith("@")) return Buffer.from(source);
  const file = source.slice(1);
  return readFile(file).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Failure(
      EXIT.error,
      `The file ${file} cannot be read: ${why}. To write a value that starts with @, pipe it to 'lankv set KEY -'.`,
      { cause },
    );
  });
}

function whyNot(key: string, { nx, xx, ifVersion }: SetFlags): string {
  const shown = JSON.stringify(key);
  if (ifVersion !== undefined) {
    return `Not written: ${shown} does not have version ${ifVersion}. See the one it has with 'lankv get --meta'.`;
  }
  if (nx === true) return `Not written: ${shown} exists, and --nx asks that it does not.`;
  return xx === true ? `Not written: ${shown} is missing, and --xx asks that it exists.` : "Not written.";
}
