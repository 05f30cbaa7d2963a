/** How much of a log counts, and when there is so much more in it that cleaning is due. */
import { statfs } from "node:fs/promises";
import { segmentBytesFor } from "./segment.js";
import type { Contents } from "./storage.js";
import type { Surplus } from "./surplus.js";

/** Bytes of an entry beside its key and value, when it names no replaced version. */
const ENTRY_OVERHEAD = 36;
/** Cleaning begins when there is so many times what counts, and two segments more. */
const SHARE = 2;
/** Where the disk has less room than so many segments it is *tight*: then cleaning begins at so many times what counts. */
const TIGHT_SEGMENTS = 4;
const TIGHT_SHARE = 1.25;
/** Or when there are so many segments, and as many more as large ones would make. */
const SEGMENTS_MAX = 64;

/** The segments that are not emptied. */
export interface Held {
  readonly bytes: number;
  readonly count: number;
}

/** Bytes of what counts, about. */
export function liveBytesOf({ bytes, records }: Contents): number {
  return bytes + records * ENTRY_OVERHEAD;
}

/** @param live bytes of what counts */
export function isExcess(
  { bytes, count }: Held,
  live: number,
  isDiskTight: boolean,
  surplus: Surplus,
): boolean {
  const segmentBytes = segmentBytesFor(live);
  return (
    (isDiskTight && bytes > TIGHT_SHARE * live + segmentBytes + surplus.vainBytes) ||
    bytes > SHARE * live + 2 * segmentBytes + surplus.bytes ||
    count > SEGMENTS_MAX + (2 * SHARE * live) / segmentBytes
  );
}

/** Whether the disk has little room; where that cannot be told, a save that fails tells it. */
export async function isTight(directory: string, segmentBytes: number): Promise<boolean> {
  const disk = await statfs(directory).catch(() => undefined);
  return disk !== undefined && disk.bavail * disk.bsize < TIGHT_SEGMENTS * segmentBytes;
}
