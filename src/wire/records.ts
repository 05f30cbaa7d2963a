/**
 * A block of records, as `set` and `answer` carry it:
 *
 *     writers  varint count, then 8 bytes each
 *     records  varint count, then each:
 *       flags      1 byte: bit 0 tombstone, bit 1 expires, bits 2-5 number of replaced versions, rest 0
 *       version    varint index of the writer, stamp in 8 bytes
 *       expires    6 bytes, Unix milliseconds; only with bit 1
 *       replaced   so many versions, written as above
 *       key        varint length 1..1024, bytes
 *       value      varint length 0..1048576, bytes; absent with bit 0
 *
 * Writers are listed once a block because a batch has few of them, mostly one.
 */
import { copySlice, LIMITS, writeBytes, type Bytes, type Frame, type Slice } from "../core/bytes.js";
import { REPLACES_MAX, type StoredRecord } from "../core/record.js";
import type { Version } from "../core/version.js";
import { idOf, Reader } from "./reader.js";
import { Writer, writeId } from "./writer.js";

/** The latest time that a record can expire at, Unix milliseconds: what six bytes hold. */
export const EXPIRES_MAX_MS = 2 ** 48 - 1;

const TOMBSTONE = 1;
const EXPIRES = 2;
const REPLACED_SHIFT = 2;
const FLAGS_MAX = TOMBSTONE | EXPIRES | (REPLACES_MAX << REPLACED_SHIFT);
const ID_BYTES = 8;
const RECORD_BYTES_MIN = 12;
const VERSION_BYTES_MIN = 9;

/** An upper bound of the bytes that the block takes, were every version by a writer of its own. */
export function recordsBytesMax(records: readonly StoredRecord[]): number {
  let bytes = 16;
  for (const { key, value, replaces } of records)
    bytes += key.length + value.length + 40 + 20 * replaces.length;
  return bytes;
}

/**
 * Writes a block of one record to a place that has room for it; faster than {@link writeRecords} when it names no other writer.
 * @returns where it ends
 */
export function writeOneRecord(frame: Frame, from: number, record: StoredRecord): number {
  if (record.replaces.length === 0) return writePlain(frame, from, record);
  const writer = new Writer(frame, from);
  writeRecords(writer, [record]);
  return writer.at;
}

/** What {@link readPlain} reads, in a block of its own. */
function writePlain(frame: Frame, from: number, record: StoredRecord): number {
  const { stamp, writer, kind, key, value, expiresAtMs } = record;
  const { bytes, view } = frame;
  const isTombstone = kind === "tombstone";
  const at = from + BLOCK_OF_ONE;
  bytes[from] = 1;
  writeId(frame, from + 1, writer);
  bytes[at - 1] = 1;
  bytes[at] = (isTombstone ? TOMBSTONE : 0) | (expiresAtMs === undefined ? 0 : EXPIRES);
  bytes[at + 1] = 0;
  view.setUint32(at + 2, Math.floor(stamp / 0x1_0000_0000));
  view.setUint32(at + 6, stamp);
  const lengthAt = expiresAtMs === undefined ? at + PLAIN : bytes.writeUIntBE(expiresAtMs, at + PLAIN, 6);
  const keyEnd = writeCounted(frame, lengthAt, key);
  return isTombstone ? keyEnd : writeCounted(frame, keyEnd, value);
}

function writeCounted(frame: Frame, from: number, bytes: Bytes | Slice): number {
  let at = from;
  let rest = bytes.length;
  for (; rest >= 0x80; at += 1) {
    frame.bytes[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  frame.bytes[at] = rest;
  if (typeof bytes === "string") writeBytes(frame.bytes, bytes, at + 1);
  else copySlice(bytes, frame, at + 1);
  return at + 1 + bytes.length;
}

/** The writers of a block by the order in which they come; undefined = there is one. */
type WriterIndex = ReadonlyMap<string, number> | undefined;

export function writeRecords(writer: Writer, records: readonly StoredRecord[]): void {
  const writers = indexWriters(records);
  writer.varint(writers.size);
  for (const id of writers.keys()) writer.id(id);
  writer.varint(records.length);
  // Mostly all are by one writer.
  const index = writers.size > 1 ? writers : undefined;
  for (const record of records) writeRecord(writer, record, index);
}

function indexWriters(records: readonly StoredRecord[]): Map<string, number> {
  const writers = new Map<string, number>();
  let last = "";
  for (const record of records) {
    if (record.writer !== last && !writers.has(record.writer)) writers.set(record.writer, writers.size);
    last = record.writer;
    for (const version of record.replaces) {
      if (!writers.has(version.writer)) writers.set(version.writer, writers.size);
    }
  }
  return writers;
}

function writeRecord(writer: Writer, record: StoredRecord, writers: WriterIndex): void {
  const isTombstone = record.kind === "tombstone";
  const { expiresAtMs, replaces } = record;
  const expires = expiresAtMs === undefined ? 0 : EXPIRES;
  writer.u8((isTombstone ? TOMBSTONE : 0) | expires | (replaces.length << REPLACED_SHIFT));
  writeVersion(writer, record, writers);
  if (expiresAtMs !== undefined) writer.u48(expiresAtMs);
  for (const version of replaces) writeVersion(writer, version, writers);
  writer.bytes(record.key);
  if (!isTombstone) writer.bytes(record.value);
}

function writeVersion(writer: Writer, version: Version, writers: WriterIndex): void {
  writer.varint(writers?.get(version.writer) ?? 0);
  writer.u53(version.stamp);
}

/** A record as it lies in a frame: the value, or nothing for a tombstone, is what it ends with. */
interface FramedRecord extends StoredRecord {
  readonly key: Slice;
  readonly value: Slice;
}

/**
 * The record of a block of one, in the bytes from `from` up to, and without, `to`; undefined when they are anything else. Its
 * key and value stay where they are.
 */
export function readStoredRecord(frame: Frame, from: number, to: number): StoredRecord | undefined {
  const recordAt = from + BLOCK_OF_ONE;
  const plain = readPlain(frame, recordAt, to, writerOfOne(frame, from, to));
  if (plain !== undefined && endOf(plain) === to) return plain;
  const reader = new Reader(frame, from, to);
  const writers = readWriters(reader);
  if (reader.count(RECORD_BYTES_MIN) !== 1) reader.fail();
  const record = reader.ok ? readRecord(reader, writers) : undefined;
  return reader.done ? record : undefined;
}

/** Bytes of a block of one before its record. */
const BLOCK_OF_ONE = 10;
/** Bytes of a record before its expiry, or the length of its key, when its writer's index is one byte. */
const PLAIN = 10;

/**
 * The record at a place of a frame when it is as most of them are, and replaces nothing; undefined when it is not, does not
 * end before `to`, or is malformed. It takes a fifth of what the reader takes, which a start with a million records feels, and
 * whoever has a peer that is written to all day.
 * @param writer the one that its second byte names; undefined = none
 */
function readPlain(
  frame: Frame,
  from: number,
  to: number,
  writer: string | undefined,
): FramedRecord | undefined {
  if (writer === undefined || to < from + PLAIN) return undefined;
  const { view } = frame;
  const flags = view.getUint8(from);
  const high = view.getUint32(from + 2);
  if (flags > (TOMBSTONE | EXPIRES) || high > 0x1fffff) return undefined;
  const expires = (flags & EXPIRES) !== 0;
  const lengthAt = from + PLAIN + (expires ? 6 : 0);
  const keyLength = plainLength(frame.bytes, lengthAt);
  const keyAt = lengthAt + varintBytes(keyLength);
  const keyEnd = keyAt + keyLength;
  if (keyLength < 1 || keyLength > LIMITS.keyBytesMax || keyEnd > to) return undefined;
  const isTombstone = (flags & TOMBSTONE) !== 0;
  const length = isTombstone ? 0 : plainLength(frame.bytes, keyEnd);
  const at = isTombstone ? keyEnd : keyEnd + varintBytes(length);
  if (length < 0 || length > LIMITS.valueBytesMax || at + length > to) return undefined;
  return {
    stamp: high * 0x1_0000_0000 + view.getUint32(from + 6),
    writer,
    key: { frame, at: keyAt, length: keyLength },
    kind: isTombstone ? "tombstone" : "value",
    value: { frame, at, length },
    expiresAtMs: expires
      ? view.getUint32(from + PLAIN) * 0x1_0000 + view.getUint16(from + PLAIN + 4)
      : undefined,
    replaces: NONE,
  };
}

/** The writer that the only record of a block of one names; undefined when the block is another. */
function writerOfOne({ view }: Frame, from: number, to: number): string | undefined {
  const recordAt = from + BLOCK_OF_ONE;
  if (to < recordAt + PLAIN) return undefined;
  const isOfOne = view.getUint8(from) === 1 && view.getUint8(recordAt - 1) === 1;
  if (!isOfOne || view.getUint8(recordAt + 1) !== 0) return undefined;
  return idOf(view.getUint32(from + 1), view.getUint32(from + 5));
}

function endOf({ value }: FramedRecord): number {
  return value.at + value.length;
}

/** A varint of three bytes at the most, and none too many; -1 when it is another. */
function plainLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return first;
  const second = bytes[at + 1] ?? 0;
  if (second < 0x80) return second === 0 ? -1 : (second << 7) | (first & 0x7f);
  const third = bytes[at + 2] ?? 0;
  if (third === 0 || third >= 0x80) return -1;
  return (third << 14) | ((second & 0x7f) << 7) | (first & 0x7f);
}

/** How many bytes the varint of such a length has. */
function varintBytes(length: number): number {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : 3;
}

/** The records of a block, whose keys and values stay where they are; the reader has failed when it was malformed. */
export function readRecords(reader: Reader): StoredRecord[] {
  const writers = readWriters(reader);
  const records: StoredRecord[] = [];
  for (let count = reader.count(RECORD_BYTES_MIN); count > 0 && reader.ok; count -= 1) {
    const { frame, at, to } = reader;
    const index = frame.bytes[at + 1] ?? 0;
    const plain = readPlain(frame, at, to, index < 0x80 ? writers[index] : undefined);
    if (plain !== undefined) reader.skipTo(endOf(plain));
    records.push(plain ?? readRecord(reader, writers));
  }
  return records;
}

function readWriters(reader: Reader): readonly string[] {
  const writers: string[] = [];
  for (let count = reader.count(ID_BYTES); count > 0 && reader.ok; count -= 1) writers.push(reader.id());
  return writers;
}

function readRecord(reader: Reader, writers: readonly string[]): FramedRecord {
  const flags = reader.u8();
  if (flags > FLAGS_MAX) reader.fail();
  const writer = readWriter(reader, writers);
  const stamp = reader.u53();
  const expiresAtMs = (flags & EXPIRES) === 0 ? undefined : reader.u48();
  const replaces = readVersions(reader, flags >> REPLACED_SHIFT, writers);
  const key = reader.slice(LIMITS.keyBytesMax, 1);
  const isTombstone = (flags & TOMBSTONE) !== 0;
  const value = isTombstone ? reader.nothing() : reader.slice(LIMITS.valueBytesMax);
  return { stamp, writer, key, kind: isTombstone ? "tombstone" : "value", value, expiresAtMs, replaces };
}

const NONE: readonly Version[] = [];

function readVersions(reader: Reader, count: number, writers: readonly string[]): readonly Version[] {
  if (count === 0) return NONE;
  if (count > REPLACES_MAX || count * VERSION_BYTES_MIN > reader.bytesLeft) {
    reader.fail();
    return NONE;
  }
  const versions: Version[] = [];
  for (let i = 0; i < count; i += 1) {
    const writer = readWriter(reader, writers);
    versions.push({ stamp: reader.u53(), writer });
  }
  return versions;
}

function readWriter(reader: Reader, writers: readonly string[]): string {
  const writer = writers[reader.varint(writers.length)];
  if (writer === undefined) {
    reader.fail();
    return "";
  }
  return writer;
}
