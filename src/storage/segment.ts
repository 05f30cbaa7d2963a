/**
 * Segments: the files of a log, and how they begin. Numbers are big-endian.
 *
 *     log/00000001-5a17c0de.log      number, at least eight digits; salt, hexadecimal
 *
 *     magic    8 bytes  "lankvlog"
 *     format   4 bytes  2
 *     number   4 bytes
 *     salt     4 bytes
 *     crc      4 bytes  CRC-32 of the above
 *     entries
 *
 * The name tells what the header tells, so that entries can be verified when either is damaged.
 */
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** The format that is written; another one is not read. */
const FORMAT = 2;
const MAGIC = Buffer.from("lankvlog", "latin1");
/** The number of a segment is not greater. */
const NUMBER_MAX = 2 ** 32 - 2;
/** Bytes of a segment before its entries. */
export const HEADER = 24;

/** A segment has about an eighth of what counts, within these bounds; in steps, for the reserve (reserve.ts) grows with it. */
const SEGMENT_BYTES_MIN = 1_048_576;
export const SEGMENT_BYTES_MAX = 67_108_864;
const SEGMENT_BYTES_STEP = 262_144;

export interface Segment {
  readonly number: number;
  /** 32 bits, signed: the runtime would need an object for half of the unsigned ones. */
  readonly salt: number;
  readonly path: string;
}

/** A segment that is no longer written to. */
export interface ClosedSegment extends Segment {
  /** Bytes from its start that count: what is behind them is not read. */
  readonly length: number;
  /** So many of them are known to be whole and durable. */
  readonly synced: number;
}

/** @param live bytes of what counts */
export function segmentBytesFor(live: number): number {
  const bytes = Math.ceil(live / 8 / SEGMENT_BYTES_STEP) * SEGMENT_BYTES_STEP;
  return Math.min(Math.max(bytes, SEGMENT_BYTES_MIN), SEGMENT_BYTES_MAX);
}

export function bytesOf(segments: readonly ClosedSegment[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0);
}

export function segmentAt(directory: string, number: number, salt: number): Segment {
  const name = `${String(number).padStart(8, "0")}-${(salt >>> 0).toString(16).padStart(8, "0")}.log`;
  return { number, salt, path: join(directory, name) };
}

/** The segments of a directory, oldest first. */
export async function listSegments(directory: string): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const name of await readdir(directory)) {
    const [, digits = "", salt] = /^(\d{8,10})-([0-9a-f]{8})\.log$/.exec(name) ?? [];
    const number = Number.parseInt(digits, 10);
    if (salt === undefined || number > NUMBER_MAX) continue;
    const path = join(directory, name);
    // Whatever else has such a name may have no end, or never answer.
    if (!(await stat(path)).isFile()) continue;
    segments.push({ number, salt: Number.parseInt(salt, 16) | 0, path });
  }
  return segments.sort((a, b) => a.number - b.number);
}

export function writeHeader({ number, salt }: Segment): Buffer {
  const header = Buffer.alloc(HEADER);
  MAGIC.copy(header);
  header.writeUInt32BE(FORMAT, 8);
  header.writeUInt32BE(number, 12);
  header.writeInt32BE(salt, 16);
  header.writeUInt32BE(crc32(header.subarray(0, 20)), 20);
  return header;
}

interface Header {
  readonly format: number;
  readonly number: number;
  readonly salt: number;
}

/** What a header says; undefined when it is none. */
export function readHeader(header: Buffer): Header | undefined {
  if (header.length < HEADER || !header.subarray(0, 8).equals(MAGIC)) return undefined;
  if (crc32(header.subarray(0, 20)) !== header.readUInt32BE(20)) return undefined;
  return {
    format: header.readUInt32BE(8),
    number: header.readUInt32BE(12),
    salt: header.readInt32BE(16),
  };
}

/** Whether this version reads the format. */
export function isReadable(format: number): boolean {
  return format === FORMAT;
}

/** Makes the names in a directory durable. Windows has no such call, and needs none. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
