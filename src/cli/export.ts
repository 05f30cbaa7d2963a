/** `lankv export`: all keys as JSON Lines, in the order of their bytes, so that equal nodes write equal files. */
import { createWriteStream } from "node:fs";
import { lstat, realpath, rename, rm, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { codeOf } from "../net/claim-socket.js";
import { askEach } from "./ask-each.js";
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { Progress } from "./progress.js";
import { toBuffers } from "./replies.js";

const LINE_END = Buffer.from("\n");

/** @param file where to; `-` is standard output. A file, unlike a pipe or a device, is there only once it is whole. */
export function exportKeys(file: string, flags: GlobalFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) => {
    const keys = toBuffers(await client.call("LANKV.LS"));
    const progress = new Progress("exported", keys.length, flags);
    const lines = Readable.from(linesOf(client, keys, progress));
    if (file === "-") await pipeline(lines, process.stdout, { end: false });
    else await write(lines, file);
    progress.end();
    return EXIT.ok;
  });
}

async function* linesOf(client: Client, keys: readonly Buffer[], progress: Progress): AsyncGenerator<Buffer> {
  for await (const lines of askEach(client, "LANKV.ENTRY", keys)) {
    progress.add(lines.length);
    yield Buffer.concat(lines.flatMap((line) => [line, LINE_END]));
  }
}

async function write(lines: Readable, file: string): Promise<void> {
  try {
    const whole = await toReplaceable(file);
    if (whole === undefined) await pipeline(lines, createWriteStream(file));
    else await writeWhole(lines, whole);
  } catch (cause) {
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    throw new Failure(EXIT.error, `The file ${file} cannot be written: ${cause.message}`, { cause });
  }
}

/** The path, without symbolic links, of a file that is missing or regular; undefined when it is anything else. */
async function toReplaceable(file: string): Promise<string | undefined> {
  try {
    return (await stat(file)).isFile() ? await realpath(file) : undefined;
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  // A link that points nowhere yet stays a link.
  const isLink = await lstat(file).then(
    () => true,
    () => false,
  );
  return isLink ? undefined : file;
}

async function writeWhole(lines: Readable, file: string): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await pipeline(lines, createWriteStream(partial));
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
