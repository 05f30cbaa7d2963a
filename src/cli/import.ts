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
import type { Argument, Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { Progress } from "./progress.js";
import { isObject } from "./replies.js";

/** How much may be sent without a reply to the first of it. */
const UNANSWERED_MAX = 1_024;
const UNANSWERED_BYTES_MAX = 4_194_304;

/** @param file where from; `-` is standard input */
export function importKeys(file: string, flags: GlobalFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) => {
    const progress = new Progress("imported", undefined, flags);
    const input = file === "-" ? process.stdin : createReadStream(file);
    const failed = new Promise<never>((_, reject) => {
      input.once("error", (cause: Error) => {
        reject(new Failure(EXIT.error, `The file ${file} cannot be read: ${cause.message}`, { cause }));
      });
    });
    try {
      await Promise.race([
        writeAll(client, createInterface({ input, crlfDelay: Infinity }), progress),
        failed,
      ]);
    } finally {
      input.destroy();
      progress.end();
    }
    if (flags.json === true) process.stdout.write(`${JSON.stringify({ imported: progress.done })}\n`);
    return EXIT.ok;
  });
}

async function writeAll(client: Client, lines: AsyncIterable<string>, progress: Progress): Promise<void> {
  let number = 0;
  let unanswered: Promise<void>[] = [];
  let bytes = 0;
  for await (const line of lines) {
    number += 1;
    if (line.trim() === "") continue;
    const command = toCommand(line, number, progress);
    unanswered.push(written(client.call(...command), number, progress));
    bytes += line.length;
    if (unanswered.length < UNANSWERED_MAX && bytes < UNANSWERED_BYTES_MAX) continue;
    await settled(unanswered);
    unanswered = [];
    bytes = 0;
  }
  await settled(unanswered);
}

/** Waits for all, so that nothing is under way when the first failure is told. */
async function settled(writes: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(writes);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function written(reply: Promise<unknown>, number: number, progress: Progress): Promise<void> {
  try {
    await reply;
    progress.add(1);
  } catch (cause) {
    throw badLine(number, cause instanceof Error ? cause.message : String(cause), progress, cause);
  }
}

function toCommand(line: string, number: number, progress: Progress): Argument[] {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch (cause) {
    throw badLine(number, "it is not JSON", progress, cause);
  }
  if (!isObject(entry)) throw badLine(number, "it is not a JSON object", progress);
  const { key, keyBase64, value, valueBase64, expiresAt } = entry;
  const keyBytes = toBytes(key, keyBase64);
  const valueBytes = toBytes(value, valueBase64);
  if (keyBytes === undefined)
    throw badLine(number, 'it has no "key" or "keyBase64" that is a string', progress);
  if (valueBytes === undefined) {
    throw badLine(number, 'it has no "value" or "valueBase64" that is a string', progress);
  }
  if (expiresAt === undefined || expiresAt === null) return ["SET", keyBytes, valueBytes];
  if (typeof expiresAt !== "number" || !Number.isSafeInteger(expiresAt) || expiresAt < 1) {
    throw badLine(number, '"expiresAt" is not a time in Unix milliseconds', progress);
  }
  return ["SET", keyBytes, valueBytes, "PXAT", expiresAt];
}

function toBytes(text: unknown, base64: unknown): Buffer | undefined {
  if (typeof text === "string") return Buffer.from(text);
  if (typeof base64 !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  return Buffer.from(base64, "base64");
}

function badLine(number: number, why: string, progress: Progress, cause?: unknown): Failure {
  return new Failure(
    EXIT.error,
    `Line ${String(number)} cannot be imported: ${why}. ${String(progress.done)} keys were written before it; ` +
      "mend the line and import again, which writes them once more.",
    { cause },
  );
}
