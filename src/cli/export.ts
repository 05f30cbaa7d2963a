/** `lankv export`: all keys as JSON Lines, in the order of their bytes, so that equal nodes write equal files. */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { Progress } from "./progress.js";
import { toBufferOrNull, toBuffers } from "./replies.js";

/** How many keys are asked for at once. */
const KEYS_AT_ONCE = 256;

/** @param file where to; `-` is standard output. A file is there only once it is whole. */
export function exportKeys(file: string, flags: GlobalFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) => {
    const keys = toBuffers(await client.call("LANKV.LS"));
    const progress = new Progress("exported", keys.length, flags);
    const lines = Readable.from(linesOf(client, keys, progress));
    if (file === "-") await pipeline(lines, process.stdout, { end: false });
    else await writeWhole(lines, file);
    progress.end();
    return EXIT.ok;
  });
}

async function* linesOf(client: Client, keys: readonly Buffer[], progress: Progress): AsyncGenerator<string> {
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
    const wanted = keys.slice(at, at + KEYS_AT_ONCE);
    const replies = await Promise.all(wanted.map((key) => client.call("LANKV.ENTRY", key)));
    // What was deleted meanwhile is not there any more.
    const lines = replies.map(toBufferOrNull).filter((line) => line !== null);
    progress.add(lines.length);
    yield lines.map((line) => `${line.toString()}\n`).join("");
  }
}

async function writeWhole(lines: Readable, file: string): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await pipeline(lines, createWriteStream(partial));
    await rename(partial, file);
  } catch (cause) {
    await rm(partial, { force: true });
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    throw new Failure(EXIT.error, `The file ${file} cannot be written: ${cause.message}`, { cause });
  }
}
