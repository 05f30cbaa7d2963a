/**
 * Records by slot, in rows of numbers: what the map holds of each key without an object for it.
 *
 *     row    8 bytes  stamp
 *            8 bytes  when it expires
 *            4 bytes  number of the slab with its key and value, which lie one behind the other in a cell
 *            4 bytes  lowest 12 bits the number of the cell, then 11 the length of the key
 *            4 bytes  mark: bit 0 tombstone, bit 1 expires, bit 2 replaces something, then 23 the number of the writer
 *            4 bytes  length of the value
 *     replaces   one list a slot, mostly the same empty one
 *
 * An object a record was measured beside it: three of them, with the value and the boxed stamp, survive each write, so the
 * garbage collector copies them twice and marks them ever after, and a write waits for memory at each of them. Here
 * nothing of a write over another survives but bytes, and a record lies in two places of memory, its row and its cell. Whoever
 * reads is given a record made for the purpose, which dies young; without its value where that is not wanted. docs/adr/0006.
 */
import type { Bytes, Slice } from "./bytes.js";
import {
  compareRecords,
  storedToRecord,
  type KvRecord,
  type RecordHead,
  type Replaced,
  type StoredRecord,
} from "./record.js";
import { cellOf, slabOf, Slabs } from "./slabs.js";
import type { Version, Writer } from "./version.js";
import { WRITERS_MAX, WriterTable } from "./writer-table.js";

const SLOTS_MIN = 1_024;
/** Numbers of eight bytes in a row. */
const ROW_NUMBERS = 4;
/** Where in a row: the first two in numbers of eight bytes, the others in numbers of four. */
const STAMP = 0;
const EXPIRY = 1;
const SLAB = 4;
const CELL = 5;
const MARK = 6;
const LENGTH = 7;

const CELL_BITS = 12;
const CELL_MASK = (1 << CELL_BITS) - 1;
const TOMBSTONE = 1;
const EXPIRES = 2;
const REPLACES = 4;
const WRITER_SHIFT = 3;
/** What a copied version's length of the value is multiplied by: the bits of a mark. */
const LENGTH_UNIT = WRITERS_MAX << WRITER_SHIFT;

const NOTHING: readonly Version[] = [];
/** What is replaced most often is said without an object for it. */
const LASTING: Replaced = { kind: "value", expiresAtMs: undefined };
const DELETED: Replaced = { kind: "tombstone", expiresAtMs: undefined };

export class RecordRows {
  #length = 0;
  /** Keeps the compiler from leaving out what is read for nothing else. */
  readonly #touched = new Int32Array(1);
  /** The rows, as numbers of eight bytes and of four. */
  #wide = new Float64Array(ROW_NUMBERS * SLOTS_MIN);
  #narrow = new Int32Array(this.#wide.buffer);
  readonly #slabs = new Slabs();
  readonly #replaces: (readonly Version[])[] = [];
  readonly #writers = new WriterTable();

  /** Number of slots; those from 0 on are used. */
  get length(): number {
    return this.#length;
  }

  /** Whether there is room for another writer. */
  get hasRoom(): boolean {
    return this.#writers.size < WRITERS_MAX;
  }

  /**
   * The record of a slot, made anew; undefined from {@link RecordRows.length} on.
   * @param key the slot's, if it is known: it need not be made then
   */
  at(slot: number, key?: Bytes): KvRecord | undefined {
    if (slot >= this.#length || slot < 0) return undefined;
    return {
      stamp: this.stampOf(slot),
      writer: this.writerOf(slot),
      key: key ?? this.keyOf(slot),
      kind: this.isTombstone(slot) ? "tombstone" : "value",
      value: this.#valueOf(slot),
      expiresAtMs: this.#expiryOf(slot),
      replaces: this.#replacesOf(slot),
    };
  }

  /** Its value, if it is neither a tombstone nor expires some time. */
  lastingValueAt(slot: number): Bytes | undefined {
    return (this.#markOf(slot) & (TOMBSTONE | EXPIRES)) === 0 ? this.#valueOf(slot) : undefined;
  }

  /** The same as it lies there, until anything is written. */
  storedAt(slot: number): StoredRecord | undefined {
    if (slot >= this.#length || slot < 0) return undefined;
    const [slab, cell, keyBytes] = [this.#slabOf(slot), this.#cellOf(slot), this.#keyBytes(slot)];
    return {
      stamp: this.stampOf(slot),
      writer: this.writerOf(slot),
      key: this.#slabs.slice(slab, cell, 0, keyBytes),
      kind: this.isTombstone(slot) ? "tombstone" : "value",
      value: this.#slabs.slice(slab, cell, keyBytes, this.valueBytes(slot)),
      expiresAtMs: this.#expiryOf(slot),
      replaces: this.#replacesOf(slot),
    };
  }

  /** Length of the key and the value. */
  bytesAt(slot: number): number {
    return this.#keyBytes(slot) + this.valueBytes(slot);
  }

  /** The same without its value. */
  headAt(slot: number, key?: Bytes): RecordHead | undefined {
    if (slot >= this.#length || slot < 0) return undefined;
    return {
      stamp: this.stampOf(slot),
      writer: this.writerOf(slot),
      key: key ?? this.keyOf(slot),
      kind: this.isTombstone(slot) ? "tombstone" : "value",
      expiresAtMs: this.#expiryOf(slot),
      replaces: this.#replacesOf(slot),
    };
  }

  /** What a record with this expiry would replace. */
  replacedAt(slot: number, expiresAtMs: number | undefined): Replaced {
    const expiry = this.#expiryOf(slot);
    const replaced = this.isTombstone(slot) ? DELETED : LASTING;
    if (expiry === expiresAtMs) return expiry === undefined ? replaced : { ...replaced, expiresAtMs };
    return { kind: replaced.kind, expiresAtMs: expiry, value: this.#valueOf(slot) };
  }

  keyOf(slot: number): Bytes {
    return this.#slabs.read(this.#slabOf(slot), this.#cellOf(slot), 0, this.#keyBytes(slot));
  }

  isKey(slot: number, key: Bytes | Slice): boolean {
    const { length } = key;
    return (
      this.#keyBytes(slot) === length && this.#slabs.startsWith(this.#slabOf(slot), this.#cellOf(slot), key)
    );
  }

  /** A number from the row of a slot. */
  touchRow(slot: number): number {
    return this.#slabOf(slot);
  }

  /** A number from its cell. */
  touchCell(slot: number): number {
    return this.#slabs.byteAt(this.#slabOf(slot), this.#cellOf(slot));
  }

  /** Reads a little of all that will be read of these slots: of the rows first, which say where the rest is. */
  prefetch(slots: readonly number[], from: number, to: number): void {
    const end = Math.min(slots.length, to);
    let sum = 0;
    for (let i = from; i < end; i += 1) sum += this.touchRow(slots[i] ?? 0);
    for (let i = from; i < end; i += 1) {
      const slot = slots[i] ?? 0;
      sum += this.#slabs.touch(this.#slabOf(slot), this.#cellOf(slot), this.bytesAt(slot));
    }
    this.#touched[0] = sum;
  }

  stampOf(slot: number): number {
    return this.#wide[ROW_NUMBERS * slot + STAMP] ?? 0;
  }

  writerOf(slot: number): Writer {
    return this.#writers.writerOf(this.#markOf(slot) >> WRITER_SHIFT);
  }

  isTombstone(slot: number): boolean {
    return (this.#markOf(slot) & TOMBSTONE) !== 0;
  }

  expires(slot: number): boolean {
    return (this.#markOf(slot) & EXPIRES) !== 0;
  }

  /** Length of the value. */
  valueBytes(slot: number): number {
    return this.#narrow[2 * ROW_NUMBERS * slot + LENGTH] ?? 0;
  }

  /** As {@link compareRecords}: whether a record loses to what is in the slot, equals it or wins over it. */
  compare(record: StoredRecord, slot: number): number {
    const stamp = this.stampOf(slot);
    if (record.stamp !== stamp) return record.stamp - stamp;
    const given = storedToRecord(record);
    const held = this.at(slot, given.key);
    return held === undefined ? 1 : compareRecords(given, held);
  }

  /** Makes room for so many slots, at once. */
  reserve(slots: number): void {
    if (ROW_NUMBERS * slots <= this.#wide.length) return;
    const wide = new Float64Array(ROW_NUMBERS * slots);
    wide.set(this.#wide);
    this.#wide = wide;
    this.#narrow = new Int32Array(wide.buffer);
  }

  /** @returns the slot that the record is given */
  push(record: StoredRecord): number {
    const slot = this.#length;
    if (ROW_NUMBERS * slot === this.#wide.length) this.reserve(2 * slot);
    this.#length += 1;
    this.#replaces.push(record.replaces);
    this.#place(slot, record);
    this.#mark(slot, record);
    return slot;
  }

  /** Puts another record of the same key in place of the one that is there. */
  replace(slot: number, record: StoredRecord): void {
    const mark = this.#markOf(slot);
    const slab = this.#slabOf(slot);
    const cell = this.#cellOf(slot);
    const keyBytes = this.#keyBytes(slot);
    if (this.#slabs.fits(slab, keyBytes + record.value.length)) {
      this.#slabs.write(slab, cell, keyBytes, record.value);
    } else {
      this.#slabs.giveBack(slab, cell);
      this.#place(slot, record);
    }
    if (record.replaces.length > 0) this.#replaces[slot] = record.replaces;
    else if ((mark & REPLACES) !== 0) this.#replaces[slot] = NOTHING;
    this.#mark(slot, record);
    this.#writers.remove(mark >> WRITER_SHIFT);
  }

  /** All versions as they are at this moment: a copy, 16 bytes a record. */
  copyVersions(): Float64Array {
    const versions = new Float64Array(2 * this.#length);
    for (let slot = 0; slot < this.#length; slot += 1) {
      versions[2 * slot] = this.stampOf(slot);
      versions[2 * slot + 1] = this.#rest(slot);
    }
    return versions;
  }

  /** Whether the slot holds what it held when the versions were copied. */
  isUnchanged(slot: number, versions: Float64Array): boolean {
    return versions[2 * slot] === this.stampOf(slot) && versions[2 * slot + 1] === this.#rest(slot);
  }

  /** What there is of a version beside its stamp, as one number. */
  #rest(slot: number): number {
    return this.valueBytes(slot) * LENGTH_UNIT + this.#markOf(slot);
  }

  #valueOf(slot: number): Bytes {
    const keyBytes = this.#keyBytes(slot);
    return this.#slabs.read(this.#slabOf(slot), this.#cellOf(slot), keyBytes, this.valueBytes(slot));
  }

  #expiryOf(slot: number): number | undefined {
    return this.expires(slot) ? this.#wide[ROW_NUMBERS * slot + EXPIRY] : undefined;
  }

  #replacesOf(slot: number): readonly Version[] {
    return (this.#markOf(slot) & REPLACES) === 0 ? NOTHING : (this.#replaces[slot] ?? NOTHING);
  }

  #markOf(slot: number): number {
    return this.#narrow[2 * ROW_NUMBERS * slot + MARK] ?? 0;
  }

  #slabOf(slot: number): number {
    return this.#narrow[2 * ROW_NUMBERS * slot + SLAB] ?? 0;
  }

  #cellOf(slot: number): number {
    return (this.#narrow[2 * ROW_NUMBERS * slot + CELL] ?? 0) & CELL_MASK;
  }

  #keyBytes(slot: number): number {
    return (this.#narrow[2 * ROW_NUMBERS * slot + CELL] ?? 0) >> CELL_BITS;
  }

  /** Finds a place for the bytes, and puts them there. */
  #place(slot: number, { key, value }: StoredRecord): void {
    const place = this.#slabs.take(key.length + value.length);
    const [slab, cell] = [slabOf(place), cellOf(place)];
    this.#slabs.write(slab, cell, 0, key);
    this.#slabs.write(slab, cell, key.length, value);
    this.#narrow[2 * ROW_NUMBERS * slot + SLAB] = slab;
    this.#narrow[2 * ROW_NUMBERS * slot + CELL] = cell | (key.length << CELL_BITS);
  }

  #mark(slot: number, { stamp, writer, kind, value, expiresAtMs, replaces }: StoredRecord): void {
    const flags =
      (kind === "tombstone" ? TOMBSTONE : 0) |
      (expiresAtMs === undefined ? 0 : EXPIRES) |
      (replaces.length === 0 ? 0 : REPLACES);
    this.#wide[ROW_NUMBERS * slot + STAMP] = stamp;
    if (expiresAtMs !== undefined) this.#wide[ROW_NUMBERS * slot + EXPIRY] = expiresAtMs;
    this.#narrow[2 * ROW_NUMBERS * slot + MARK] = flags | (this.#writers.add(writer) << WRITER_SHIFT);
    this.#narrow[2 * ROW_NUMBERS * slot + LENGTH] = value.length;
  }
}
