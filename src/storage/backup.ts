/**
 * Copies the segments of a log while it is being written to: they only grow, and as much of each is copied as there is of
 * it at the start.
 */
import { open, readdir, unlink, type FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { makeDirectory } from "./directory.js";
import { syncDirectory, type ClosedSegment } from "./segment.js";

/** Copied at once. */
const COPY_BYTES = 1_048_576;

/**
 * @param directory missing or empty
 * @throws an error of the system, with its `code`: ENOTEMPTY when the directory holds something, EIO when a file cannot be
 *   read or is too short; what was copied is removed again
 */
export async function copySegments(segments: readonly ClosedSegment[], directory: string): Promise<void> {
  await makeDirectory(directory);
  if ((await readdir(directory)).length > 0) {
    throw Object.assign(new Error(`${directory} is not empty`), { code: "ENOTEMPTY" });
  }
  const copies: string[] = [];
  try {
    for (const segment of segments) {
      const copy = join(directory, basename(segment.path));
      copies.push(copy);
      await copySegment(segment, copy);
    }
    await syncDirectory(directory);
  } catch (error) {
    await Promise.allSettled(copies.map(async (copy) => unlink(copy)));
    throw error;
  }
}

async function copySegment({ path, length }: ClosedSegment, copy: string): Promise<void> {
  const source = await open(path, "r");
  try {
    const target = await open(copy, "wx", 0o600);
    try {
      const buffer = Buffer.allocUnsafe(COPY_BYTES);
      for (let at = 0; at < length; at += COPY_BYTES) {
        const piece = buffer.subarray(0, Math.min(COPY_BYTES, length - at));
        await readWhole(source, piece, at);
        await target.writeFile(piece);
      }
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** A copy with holes is none: what cannot be read is an error here. */
async function readWhole(source: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length;) {
    const { bytesRead } = await source.read(buffer, done, buffer.length - done, position + done);
    if (bytesRead === 0) throw Object.assign(new Error("a file of the log is too short"), { code: "EIO" });
    done += bytesRead;
  }
}
