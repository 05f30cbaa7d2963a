/**
 * Records by slot, in columns: what the map holds of each key without an object for it.
 *
 *     keys       one byte string a slot
 *     places     one number a slot: where its value is among the slabs
 *     versions   two numbers a slot: [stamp, mark] [stamp, mark] ...
 *                mark: bit 0 tombstone, bit 1 expires, bit 2 replaces something, 23 bits the number of the writer, then
 *                the length of the value
 *     expiries   one number a slot, up to the last one that expires
 *     replaces   one list a slot, mostly the same empty one
 *
 * An object a record was measured beside it: three of them, with the value and the boxed stamp, survive each write, so the
 * garbage collector copies them twice and marks them ever after, and a write waits for memory at each of them. Here
 * nothing of a write over another survives but bytes. Whoever reads is given a record made for the purpose, which dies
 * young; without its value where that is not wanted. docs/adr/0006.
 */
import type { Bytes } from "./bytes.js";
import {
  compareRecords,
  storedToRecord,
  type KvRecord,
  type RecordHead,
  type StoredRecord,
} from "./record.js";
import { ValueSlabs } from "./value-slabs.js";
import type { Version, Writer } from "./version.js";
import { WRITERS_MAX, WriterTable } from "./writer-table.js";

const SLOTS_MIN = 1_024;
const TOMBSTONE = 1;
const EXPIRES = 2;
const REPLACES = 4;
const WRITER_SHIFT = 3;
const WRITER_MASK = WRITERS_MAX - 1;
/** What the length of the value is multiplied by: the bits below it. */
const LENGTH_UNIT = WRITERS_MAX << WRITER_SHIFT;

const NOTHING: readonly Version[] = [];

export class RecordColumns {
  readonly #keys: Bytes[] = [];
  readonly #values = new ValueSlabs();
  #places = new Float64Array(SLOTS_MIN);
  #versions = new Float64Array(2 * SLOTS_MIN);
  #expiries = new Float64Array(0);
  readonly #replaces: (readonly Version[])[] = [];
  readonly #writers = new WriterTable();

  /** Number of slots; those from 0 on are used. */
  get length(): number {
    return this.#keys.length;
  }

  /** By slot; not to be changed. */
  get keys(): readonly Bytes[] {
    return this.#keys;
  }

  /** Whether there is room for another writer. */
  get hasRoom(): boolean {
    return this.#writers.size < WRITERS_MAX;
  }

  /** The record of a slot, made anew; undefined from {@link RecordColumns.length} on. */
  at(slot: number): KvRecord | undefined {
    const key = this.#keys[slot];
    if (key === undefined) return undefined;
    const mark = this.#markOf(slot);
    return {
      stamp: this.stampOf(slot),
      writer: this.#writers.writerOf(writerIn(mark)),
      key,
      kind: (mark & TOMBSTONE) === 0 ? "value" : "tombstone",
      value: this.#values.read(this.#places[slot] ?? 0, lengthIn(mark)),
      expiresAtMs: (mark & EXPIRES) === 0 ? undefined : this.#expiries[slot],
      replaces: (mark & REPLACES) === 0 ? NOTHING : (this.#replaces[slot] ?? NOTHING),
    };
  }

  /** The same without its value. */
  headAt(slot: number): RecordHead | undefined {
    const key = this.#keys[slot];
    if (key === undefined) return undefined;
    const mark = this.#markOf(slot);
    return {
      stamp: this.stampOf(slot),
      writer: this.#writers.writerOf(writerIn(mark)),
      key,
      kind: (mark & TOMBSTONE) === 0 ? "value" : "tombstone",
      expiresAtMs: (mark & EXPIRES) === 0 ? undefined : this.#expiries[slot],
      replaces: (mark & REPLACES) === 0 ? NOTHING : (this.#replaces[slot] ?? NOTHING),
    };
  }

  stampOf(slot: number): number {
    return this.#versions[2 * slot] ?? 0;
  }

  writerOf(slot: number): Writer {
    return this.#writers.writerOf(writerIn(this.#markOf(slot)));
  }

  isTombstone(slot: number): boolean {
    return (this.#markOf(slot) & TOMBSTONE) !== 0;
  }

  expires(slot: number): boolean {
    return (this.#markOf(slot) & EXPIRES) !== 0;
  }

  /** Length of the value. */
  valueBytes(slot: number): number {
    return lengthIn(this.#markOf(slot));
  }

  /** As {@link compareRecords}: whether a record loses to what is in the slot, equals it or wins over it. */
  compare(record: StoredRecord, slot: number): number {
    const stamp = this.stampOf(slot);
    if (record.stamp !== stamp) return record.stamp - stamp;
    const held = this.at(slot);
    return held === undefined ? 1 : compareRecords(storedToRecord(record), held);
  }

  /** Makes room for so many slots, at once. */
  reserve(slots: number): void {
    if (slots <= this.#places.length) return;
    this.#places = longer(this.#places, slots);
    this.#versions = longer(this.#versions, 2 * slots);
  }

  /** @returns the slot that the record is given */
  push(record: StoredRecord): number {
    const slot = this.#keys.length;
    if (slot === this.#places.length) this.reserve(2 * slot);
    this.#keys.push(record.key);
    this.#replaces.push(record.replaces);
    this.#places[slot] = this.#values.add(record.value);
    this.#mark(slot, record);
    return slot;
  }

  /** Puts another record of the same key in place of the one that is there. */
  replace(slot: number, record: StoredRecord): void {
    const mark = this.#markOf(slot);
    this.#places[slot] = this.#values.replace(this.#places[slot] ?? 0, record.value);
    if (record.replaces.length > 0) this.#replaces[slot] = record.replaces;
    else if ((mark & REPLACES) !== 0) this.#replaces[slot] = NOTHING;
    this.#mark(slot, record);
    this.#writers.remove(writerIn(mark));
  }

  /** All versions as they are at this moment: a copy, 16 bytes a record. */
  copyVersions(): Float64Array {
    return this.#versions.slice(0, 2 * this.length);
  }

  /** Whether the slot holds what it held when the versions were copied. */
  isUnchanged(slot: number, versions: Float64Array): boolean {
    return versions[2 * slot] === this.stampOf(slot) && versions[2 * slot + 1] === this.#markOf(slot);
  }

  #markOf(slot: number): number {
    return this.#versions[2 * slot + 1] ?? 0;
  }

  #mark(slot: number, { stamp, writer, kind, value, expiresAtMs, replaces }: StoredRecord): void {
    const flags =
      (kind === "tombstone" ? TOMBSTONE : 0) |
      (expiresAtMs === undefined ? 0 : EXPIRES) |
      (replaces.length === 0 ? 0 : REPLACES);
    this.#versions[2 * slot] = stamp;
    this.#versions[2 * slot + 1] =
      value.length * LENGTH_UNIT + (flags | (this.#writers.add(writer) << WRITER_SHIFT));
    if (expiresAtMs === undefined) return;
    if (slot >= this.#expiries.length) this.#expiries = longer(this.#expiries, this.#places.length);
    this.#expiries[slot] = expiresAtMs;
  }
}

/** Of a number of 53 bits, the operators on bits see the lowest 32. */
function writerIn(mark: number): number {
  return (mark >> WRITER_SHIFT) & WRITER_MASK;
}

function lengthIn(mark: number): number {
  return Math.floor(mark / LENGTH_UNIT);
}

function longer(numbers: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const all = new Float64Array(length);
  all.set(numbers);
  return all;
}
