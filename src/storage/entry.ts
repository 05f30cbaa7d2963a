/**
 * Entries: what a segment is made of, behind its header. Numbers are big-endian.
 *
 *     kind    1 byte   0xd1 a record, 0xd2 a mark
 *     length  3 bytes  of the body
 *     check   2 bytes  upper half of ((kind and length as one number XOR salt) * 0x9e3779b1 mod 2^32)
 *     hash    4 bytes  xxHash32 of the body, its seed (kind and length as one number XOR salt)
 *     body
 *       of a record    a block of one record, as messages carry it
 *       of a mark      segment 4 bytes, length 6 bytes: so much of that segment is whole, and durable
 *
 * Behind damage the next entry is sought byte by byte. The check lets that cost little: the hash of a body, which may be a
 * megabyte, is computed for one in 65 536 of the places that look like an entry. The salt is drawn for each segment. It
 * keeps apart an entry from one inside a value (somebody may keep a copy of a log in a record), and from one of another
 * file that the file system has left in this one.
 */
import { LIMITS, toFrame, type Frame } from "../core/bytes.js";
import { REPLACES_MAX, type StoredRecord } from "../core/record.js";
import { Reader } from "../wire/reader.js";
import { readStoredRecord, writeOneRecord } from "../wire/records.js";
import { Writer } from "../wire/writer.js";
import { checksum } from "./checksum.js";

/** Bytes of an entry before its body. */
export const HEAD = 10;
const RECORD = 0xd1;
const MARK = 0xd2;
/** Bytes of a mark. */
export const MARK_BYTES = HEAD + 10;

/** No entry is longer: the longest key and value, eight replaced versions, and what is around them. */
export const ENTRY_BYTES_MAX = HEAD + LIMITS.keyBytesMax + LIMITS.valueBytesMax + 56 + 20 * REPLACES_MAX;

/** Says that a segment is whole and durable up to a length. */
export interface Mark {
  readonly segment: number;
  readonly length: number;
}

/** Writes entries into one buffer, which is used again and again. */
export class EntryWriter {
  readonly #frame: Frame;
  #at = 0;

  /** @param bytes its size, at least {@link ENTRY_BYTES_MAX} */
  constructor(bytes: number) {
    this.#frame = toFrame(Buffer.allocUnsafe(bytes));
  }

  /** What was written: a view, until the next {@link EntryWriter.clear}. */
  get written(): Buffer {
    return this.#frame.bytes.subarray(0, this.#at);
  }

  clear(): void {
    this.#at = 0;
  }

  /** Whether the record fits behind what was written. */
  hasRoom({ key, value, replaces }: StoredRecord): boolean {
    const bytesMax = HEAD + 56 + key.length + value.length + 20 * replaces.length;
    return bytesMax <= this.#frame.bytes.length - this.#at;
  }

  /** There is room. */
  addRecord(salt: number, record: StoredRecord): void {
    this.#finish(RECORD, salt, writeOneRecord(this.#frame, this.#at + HEAD, record));
  }

  /** There is room. */
  addMark(salt: number, { segment, length }: Mark): void {
    const writer = new Writer(this.#frame, this.#at + HEAD);
    writer.u32(segment);
    writer.u48(length);
    this.#finish(MARK, salt, writer.at);
  }

  #finish(kind: number, salt: number, to: number): void {
    const from = this.#at + HEAD;
    const word = (kind << 24) | (to - from);
    const { view } = this.#frame;
    view.setInt32(this.#at, word);
    view.setUint16(this.#at + 4, checkOf(word, salt));
    view.setInt32(this.#at + 6, hashOf(this.#frame, from, to, word, salt));
    this.#at = to;
  }
}

/** How long the entry at a place is, its head included, if there is one; ten bytes are there at least. */
export function entryLength({ view }: Frame, at: number, salt: number): number | undefined {
  const word = view.getInt32(at);
  const kind = word >>> 24;
  if (kind !== RECORD && kind !== MARK) return undefined;
  const bytes = HEAD + (word & 0xffffff);
  return view.getUint16(at + 4) === checkOf(word, salt) && bytes <= ENTRY_BYTES_MAX ? bytes : undefined;
}

/** The entry of so many bytes at a place, or undefined when it is not whole. What the record is made of stays in the buffer. */
export function readEntry(
  frame: Frame,
  at: number,
  bytes: number,
  salt: number,
): StoredRecord | Mark | undefined {
  const from = at + HEAD;
  const to = at + bytes;
  const { view } = frame;
  if (hashOf(frame, from, to, view.getInt32(at), salt) !== view.getInt32(at + 6)) return undefined;
  if (view.getUint8(at) === RECORD) return readStoredRecord(frame, from, to);
  const reader = new Reader(frame, from, to);
  const mark = { segment: reader.u32(), length: reader.u48() };
  return reader.done ? mark : undefined;
}

function checkOf(word: number, salt: number): number {
  return Math.imul(word ^ salt, 0x9e3779b1) >>> 16;
}

function hashOf(frame: Frame, from: number, to: number, word: number, salt: number): number {
  return checksum(frame, from, to, word ^ salt);
}
