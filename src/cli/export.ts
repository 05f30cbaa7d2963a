/**
 * `lankv export`: all keys as JSON Lines.
 *
 * In the order in which LANKV.EXPORT walks, so that equal nodes write equal files though neither end ever holds a list of all
 * keys. Each line is a key as it was when the line was written; what is written during a walk may be in it or not.
 *
 * A file is there under its name only once it is whole. Until then it grows as FILE.partial, and since its last whole line says
 * where the walk was, that is all that is needed to go on.
 */
import { createReadStream, createWriteStream, type Stats } from "node:fs";
import { lstat, open, realpath, rename, rm, stat, truncate, type FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { codeOf } from "../net/claim-socket.js";
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { interruptible } from "./interrupt.js";
import { Progress } from "./progress.js";
import { bytesOf, isObject, toBuffers, toNumber } from "./replies.js";

export interface ExportFlags extends GlobalFlags {
  readonly resume?: true;
}

/** The whole lines of a file that an export has begun. */
interface Begun {
  readonly lines: number;
  readonly bytes: number;
  /** The key of the last one. */
  readonly after: Buffer;
}

const NOTHING: Begun = { lines: 0, bytes: 0, after: Buffer.alloc(0) };

const LINE_END = Buffer.from("\n");

/** @param file where to; `-` is standard output. Pipes and devices are written as they are. */
export function exportKeys(file: string, flags: ExportFlags): Promise<ExitCode> {
  return interruptible((begin) =>
    withDaemon(flags, async (client) => {
      const target = file === "-" ? undefined : await toReplaceable(file).catch(cannotWrite(file));
      if (target === undefined && flags.resume === true) {
        throw new Failure(EXIT.usage, "--resume needs a file that an export has begun.");
      }
      const progress = new Progress("exported", toNumber(await client.call("DBSIZE")), flags);
      const linesAfter = (after: Buffer): Readable =>
        Readable.from(pagesAfter(client, after, progress), { highWaterMark: 1 });
      const signal = begin();
      try {
        if (file === "-") await pipeline(linesAfter(NOTHING.after), process.stdout, { end: false, signal });
        else if (target === undefined)
          await pipeline(linesAfter(NOTHING.after), createWriteStream(file), { signal });
        else await writeWhole(target, linesAfter, progress, flags, signal);
      } catch (error) {
        if (signal.aborted) return EXIT.interrupted;
        return cannotWrite(file)(error);
      } finally {
        progress.end();
      }
      return EXIT.ok;
    }),
  );
}

async function* pagesAfter(client: Client, after: Buffer, progress: Progress): AsyncGenerator<Buffer, void> {
  for (let last = after; ;) {
    const lines = toBuffers(await client.call("LANKV.EXPORT", last));
    const line = lines.at(-1);
    if (line === undefined) return;
    last = keyOf(line);
    progress.add(lines.length);
    yield Buffer.concat(lines.flatMap((each) => [each, LINE_END]));
  }
}

/** @throws {Failure} the line is no entry */
function keyOf(line: Buffer): Buffer {
  try {
    const entry: unknown = JSON.parse(line.toString("utf8"));
    const key = isObject(entry) ? bytesOf(entry, "key") : undefined;
    if (key !== undefined) return key;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Failure(EXIT.error, "A line that was written is no key as JSON. Export again without --resume.");
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

async function writeWhole(
  file: string,
  linesAfter: (after: Buffer) => Readable,
  progress: Progress,
  { resume, quiet }: ExportFlags,
  signal: AbortSignal,
): Promise<void> {
  const partial = `${file}.partial`;
  const begun = resume === true ? await begunIn(partial) : NOTHING;
  if (begun.lines > 0) await truncate(partial, begun.bytes);
  progress.add(begun.lines);
  try {
    const handle = await openLike(file, partial, begun.lines > 0 ? "a" : "w");
    // A file that is there under its name survives a loss of power.
    const output = handle.createWriteStream({ flush: true });
    await pipeline(linesAfter(begun.after), output, { signal });
    await rename(partial, file);
  } catch (error) {
    if (progress.done === 0) await rm(partial, { force: true });
    else if (quiet !== true) {
      process.stderr.write(
        `lankv: what was exported so far is in ${partial}; go on with 'lankv export ${file} --resume'\n`,
      );
    }
    throw error;
  }
}

/**
 * Opens what is to replace a file, for those who may read that one and nobody else, as far as this user can grant it; what replaces
 * none is made like the other files of this user.
 */
async function openLike(file: string, partial: string, flags: "a" | "w"): Promise<FileHandle> {
  const old = await stat(file).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  const handle = await open(partial, flags, old === undefined ? 0o666 : 0o600);
  try {
    if (old !== undefined) await resemble(handle, old);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function resemble(handle: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await handle.stat();
  let isOfGroup = true;
  if (own.uid !== uid || own.gid !== gid) {
    isOfGroup = await isAllowed(handle.chown(uid, gid));
    // Who may not give a file away may still give it to a group of theirs.
    if (!isOfGroup) isOfGroup = own.gid === gid || (await isAllowed(handle.chown(own.uid, gid)));
  }
  // What the old group might do is not for another one.
  await handle.chmod(mode & (isOfGroup ? 0o777 : 0o707));
}

/** Whether the system lets this user do it. */
async function isAllowed(change: Promise<void>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (codeOf(error) === "EPERM") return false;
    throw error;
  }
}

/** What follows the last line end was cut off when the export ended. */
async function begunIn(partial: string): Promise<Begun> {
  let [lines, bytes, lastFrom, read] = [0, 0, 0, 0];
  try {
    for await (const chunk of createReadStream(partial)) {
      if (!Buffer.isBuffer(chunk)) continue;
      for (let at = chunk.indexOf(LINE_END); at !== -1; at = chunk.indexOf(LINE_END, at + 1)) {
        lines += 1;
        lastFrom = bytes;
        bytes = read + at + 1;
      }
      read += chunk.length;
    }
  } catch (error) {
    if (codeOf(error) === "ENOENT") return NOTHING;
    throw error;
  }
  if (lines === 0) return NOTHING;
  const handle = await open(partial);
  try {
    const last = Buffer.alloc(bytes - lastFrom);
    await handle.read(last, 0, last.length, lastFrom);
    return { lines, bytes, after: keyOf(last) };
  } finally {
    await handle.close();
  }
}

function cannotWrite(file: string): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    throw new Failure(EXIT.error, `The file ${file} cannot be written: ${cause.message}`, { cause });
  };
}
