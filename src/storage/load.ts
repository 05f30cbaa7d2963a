/**
 * Loads a log, and tells what a loss of power has torn from what is damaged.
 *
 * Pages that were not synced may reach the disk in any order or not at all, so after a loss of power a segment can have a
 * gap anywhere behind what was synced last, with whole entries behind it. That is *torn*, and no fault of anything:
 * nothing was promised of it. A gap before that, or a segment shorter than what is known to be durable, is *damage*. What is
 * known:
 *
 * - a segment's own marks say how far it was durable when each of them was written;
 * - the marks in newer segments say how long it is in the end. That is why the newest is read first: the order of
 *   records does not matter.
 *
 * A mark is written before the next record, after a second without one, and at the end of the process. So only the last
 * entries before a sudden end, behind which there is none, are taken for torn when they are damaged. They are lost either
 * way; what differs is what is said.
 *
 * Whatever is whole is given, also behind gaps, and what is given must not be lost later. What is behind the last mark cannot
 * be made durable where it is: its pages may be what a failed sync of another process has left, which are marked as
 * written, can be read, and are gone with the power. So it is saved once more, synced by this process, and cut off; a
 * damaged segment is set aside in the same way. When the disk does not take it, because it is full, failing or read-only,
 * all stays as it is, for the next start.
 */
import { open, stat, type FileHandle } from "node:fs/promises";
import { LankvError } from "../core/error.js";
import { storedToRecord, type KvRecord } from "../core/record.js";
import { MARK_BYTES } from "./entry.js";
import { readAll, Scan } from "./scan.js";
import { HEADER, isReadable, readHeader, type ClosedSegment, type Segment } from "./segment.js";
import type { Loaded } from "./storage.js";

/** What one segment was found to be. */
export interface Finding {
  readonly segment: ClosedSegment;
  /** Whether its header has the number that its name has. */
  readonly isItself: boolean;
  /** Bytes of the file. */
  readonly size: number;
  /** So many of them stay when it is not damaged. */
  readonly kept: number;
  readonly isDamaged: boolean;
  readonly bytesLost: number;
  /** Bytes that are no whole entry, and that nothing was promised of. */
  readonly bytesTorn: number;
  /** Records that were found, and whether some of them stay when it is cut. */
  readonly records: number;
  readonly keepsRecords: boolean;
  /** Whether it holds records that have to be saved elsewhere before it is cut or set aside. */
  readonly needsRescue: boolean;
}

/**
 * Gives all records of the segments, the newest segment first.
 * @param listed oldest first
 * @param findings one for each segment is added, oldest first
 * @throws {LankvError} LANKV_DATA_DIR: a file cannot be opened; LANKV_DATA_FORMAT: it was written by another version
 */
export async function* loadSegments(
  listed: readonly Segment[],
  findings: Finding[],
): AsyncGenerator<Loaded, void> {
  const sizes = await Promise.all(listed.map(sizeOf));
  const bytesTotal = sizes.reduce((sum, size) => sum + size, 0);
  let bytesDone = 0;
  const ends = new Map<number, number>();
  for (const [i, segment] of [...listed.entries()].reverse()) {
    const size = sizes[i] ?? 0;
    const handle = await openSegment(segment);
    try {
      const scanning = await beginScan(handle, segment, size, ends.get(segment.number));
      const { scan } = scanning;
      for (let records = await scan.next(); records !== undefined; records = await scan.next()) {
        yield { records, bytesDone: bytesDone + scan.offset, bytesTotal };
      }
      bytesDone += size;
      findings.unshift(judge(scanning));
      noteEnds(ends, scanning);
    } finally {
      await handle.close();
    }
  }
}

/** Gives the records that need rescue: all of a damaged segment, and those behind what is durable of another. */
export async function* readAgain(finding: Finding): AsyncGenerator<readonly KvRecord[], void> {
  const { segment, size, isDamaged } = finding;
  const handle = await openSegment(segment);
  try {
    const { scan } = isDamaged
      ? await beginScan(handle, segment, size, undefined)
      : { scan: new Scan(handle, segment.salt, segment.length, size) };
    for (let records = await scan.next(); records !== undefined; records = await scan.next()) {
      yield records.map(storedToRecord);
    }
  } finally {
    await handle.close();
  }
}

async function sizeOf({ path }: Segment): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function openSegment({ path }: Segment): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

export function unreadable(path: string, cause: unknown): LankvError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LankvError(
    "LANKV_DATA_DIR",
    `What is saved cannot be read: ${path}: ${reason}. Make it readable for this user, or choose another ` +
      "directory with --data-dir DIR.",
    { cause },
  );
}

interface Scanning {
  readonly segment: Segment;
  readonly size: number;
  /** Where it ends, as a newer segment says. */
  readonly end: number | undefined;
  /** The number in the header, when there is one; a file under another one's name has that one's. */
  readonly contentsOf: number | undefined;
  readonly scan: Scan;
}

async function beginScan(
  handle: FileHandle,
  segment: Segment,
  size: number,
  end: number | undefined,
): Promise<Scanning> {
  const bytes = Buffer.alloc(Math.min(HEADER, size));
  await readAll(handle, bytes, 0);
  const header = readHeader(bytes);
  if (header !== undefined && !isReadable(header.format)) {
    throw new LankvError(
      "LANKV_DATA_FORMAT",
      `${segment.path} was written by another version of lankv, in format ${String(header.format)}. ` +
        "Use that version, or choose another directory with --data-dir DIR.",
    );
  }
  const contentsOf = header?.number;
  // What is known of a number does not speak of what stands under its name without being it.
  const to = contentsOf === segment.number ? Math.min(size, end ?? size) : size;
  const scan = new Scan(handle, header?.salt ?? segment.salt, header === undefined ? 0 : HEADER, to);
  return { segment, size, end, contentsOf, scan };
}

/** The end of a segment is what the newest mark in another one says. */
function noteEnds(ends: Map<number, number>, { segment: { number }, contentsOf, scan }: Scanning): void {
  for (const [segment, length] of scan.marks) {
    const isOther = segment !== number && segment !== contentsOf;
    if (isOther && !ends.has(segment)) ends.set(segment, length);
  }
}

function judge(scanning: Scanning): Finding {
  const { segment, size, end, contentsOf, scan } = scanning;
  const { gaps, marks, records } = scan;
  const synced = end ?? Math.max(marks.get(segment.number) ?? 0, HEADER);
  const [gap] = gaps;
  const isDamaged =
    !isUnborn(scanning) &&
    (contentsOf !== segment.number || size < synced || (gap !== undefined && gap.from < synced));
  const unread = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
  // The last mark is behind what it speaks of, and the next start needs it, too.
  const kept = end ?? Math.min(size, synced > HEADER ? synced + MARK_BYTES : synced);
  return {
    isItself: contentsOf === segment.number,
    segment: { ...segment, length: isDamaged ? scan.offset : synced, synced: isDamaged ? 0 : synced },
    size,
    kept,
    isDamaged,
    bytesLost: isDamaged ? unread + Math.max(0, synced - size) : 0,
    bytesTorn: isDamaged ? 0 : unread,
    records,
    keepsRecords: scan.firstRecordAt < synced,
    needsRescue: records > 0 && (isDamaged || scan.lastRecordAt >= synced),
  };
}

/** Whether it was being made, and not durable yet. */
function isUnborn({ size, end, scan }: Scanning): boolean {
  const isEmpty = scan.records === 0 && scan.marks.size === 0;
  return isEmpty && end === undefined && (size <= HEADER || scan.isZero);
}
