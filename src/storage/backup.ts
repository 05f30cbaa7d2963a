/**
 * Copies the segments of a log while it is being written to: they only grow, and as much of each is copied as there is of
 * it at the start.
 */
import { mkdir, open, readdir, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { readAll } from "./scan.js";
import { syncDirectory, type ClosedSegment } from "./segment.js";

/** Copied at once. */
const COPY_BYTES = 1_048_576;

/**
 * @param directory missing or empty
 * @throws an error of the system, with its `code`: ENOTEMPTY when the directory holds something; what was copied is
 *   removed again
 */
export async function copySegments(segments: readonly ClosedSegment[], directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
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
        await readAll(source, piece, at);
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
