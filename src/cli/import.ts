/**
 * `lankv import`: writes what `lankv export` printed, or anything in that form.
 *
 *     {"key":"one","value":"111"}      {"keyBase64":"/w==","valueBase64":"AP8=","expiresAt":1767225600000}
 *
 * Other members are ignored: each write gets a version of its own. Lines are sent while later ones are read, and
 * what is under way is bounded.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { LankvError } from "../core/error.js";
import type { Argument, Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { Progress } from "./progress.js";
import { isObject } from "./replies.js";

/** How much may be sent without a reply to the first of it. */
const UNANSWERED_MAX = 1_024;
const UNANSWERED_BYTES_MAX = 4_194_304;

/** A line that cannot be written. */
class BadLine extends Error {
  constructor(
    readonly number: number,
    why: string,
    options?: ErrorOptions,
  ) {
    super(why, options);
  }
}

/** @param file where from; `-` is standard input */
export function importKeys(file: string, flags: GlobalFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) => {
    const progress = new Progress("imported", undefined, flags);
    const input = file === "-" ? process.stdin : createReadStream(file);
    const unreadable = new Promise<never>((_, reject) => {
      input.once("error", (cause: Error) => {
        reject(new Failure(EXIT.error, `The file ${file} cannot be read: ${cause.message}`, { cause }));
      });
    });
    const lines = createInterface({ input, crlfDelay: Infinity });
    try {
      await Promise.race([writeAll(client, lines, progress), unreadable]);
    } catch (cause) {
      if (!(cause instanceof BadLine)) throw cause;
      throw new Failure(
        EXIT.error,
        `Line ${String(cause.number)} cannot be imported: ${cause.message}. ${String(progress.done)} keys were ` +
          "written; mend the line and import again, which writes them once more.",
        { cause },
      );
    } finally {
      input.destroy();
      progress.end();
    }
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ imported: progress.done })}\n`);
    return EXIT.ok;
  });
}

/** Whatever ends it, nothing is under way any more when it has ended. */
async function writeAll(client: Client, lines: AsyncIterable<string>, progress: Progress): Promise<void> {
  let number = 0;
  let unanswered: Promise<void>[] = [];
  let bytes = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (line.trim() === "") continue;
      unanswered.push(written(client.call(...toCommand(line, number)), number, progress));
      bytes += line.length;
      if (unanswered.length < UNANSWERED_MAX && bytes < UNANSWERED_BYTES_MAX) continue;
      await Promise.all(unanswered);
      unanswered = [];
      bytes = 0;
    }
    await Promise.all(unanswered);
  } finally {
    await Promise.allSettled(unanswered);
  }
}

async function written(reply: Promise<unknown>, number: number, progress: Progress): Promise<void> {
  try {
    await reply;
  } catch (cause) {
    if (cause instanceof LankvError) throw cause;
    throw new BadLine(number, cause instanceof Error ? cause.message : String(cause), { cause });
  }
  progress.add(1);
}

function toCommand(line: string, number: number): Argument[] {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch (cause) {
    throw new BadLine(number, "it is not JSON", { cause });
  }
  if (!isObject(entry)) throw new BadLine(number, "it is not a JSON object");
  const { key, keyBase64, value, valueBase64, expiresAt } = entry;
  const keyBytes = toBytes(key, keyBase64);
  const valueBytes = toBytes(value, valueBase64);
  if (keyBytes === undefined) throw new BadLine(number, 'it has no "key" or "keyBase64" that is a string');
  if (valueBytes === undefined) {
    throw new BadLine(number, 'it has no "value" or "valueBase64" that is a string');
  }
  if (expiresAt === undefined || expiresAt === null) return ["SET", keyBytes, valueBytes];
  if (typeof expiresAt !== "number" || !Number.isSafeInteger(expiresAt) || expiresAt < 1) {
    throw new BadLine(number, '"expiresAt" is not a time in Unix milliseconds');
  }
  return ["SET", keyBytes, valueBytes, "PXAT", expiresAt];
}

function toBytes(text: unknown, base64: unknown): Buffer | undefined {
  if (typeof text === "string") return Buffer.from(text);
  if (typeof base64 !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  return Buffer.from(base64, "base64");
}
