/**
 * The store: key -> record, in 65 536 buckets with fingerprints.
 *
 * A key gets a slot when its first record comes and keeps it. Records stand in rows by slot; the index finds the slot
 * of a key; and a bucket is a chain of slots, 4 bytes a key, with nothing to do when a record is replaced.
 *
 * Tombstones are records too, and count in the sums, and so do the remains of values whose time has run out. Nothing is
 * ever removed.
 */
import { sliceToBytes, type Bytes, type Slice } from "./bytes.js";
import { ExpiryQueue } from "./expiry-queue.js";
import { Fingerprints, type Sums } from "./fingerprints.js";
import { BUCKETS, GROUPS, hashOf, hashToBucket, versionHash } from "./hash.js";
import { KeyIndex } from "./key-index.js";
import { RecordRows } from "./record-rows.js";
import {
  isUnseen,
  remainsOf,
  storedToRecord,
  type KvRecord,
  type RecordHead,
  type Replaced,
  type StoredRecord,
} from "./record.js";
import type { Version } from "./version.js";

/** Called with both records when one overwrites another that its writer had not seen. */
export type OnConflict = (winner: KvRecord, loser: KvRecord) => void;

/** Called with the slot of each record that is new or has changed. */
export type OnChanged = (slot: number) => void;

/** What was held at a moment. */
export interface Snapshot {
  /** Number of records, tombstones included. */
  readonly records: number;
  /** The record with this number from 0 on, if it is still what it was then. */
  at(index: number): RecordHead | undefined;
}

/** How many records a map can hold, tombstones included. Memory ends sooner: about 150 bytes, the key and the value each. */
export const RECORDS_MAX = 2 ** 26;

/** For how many records room is made before they have come: 70 MB, of which nothing is used before they do. */
const RESERVED_MAX = 1_048_576;

/** So many keys are looked for together, and records read: {@link RecordMap.expect}, {@link RecordMap.prefetch}. */
export const KEYS_TOGETHER = 16;

const NO_SLOT = -1;

export class RecordMap {
  readonly #records = new RecordRows();
  readonly #index = new KeyIndex();
  /** The slot that was first in the bucket before this one. */
  #next = new Int32Array(1024);
  /** The first slot of each bucket. */
  readonly #first = new Int32Array(BUCKETS).fill(NO_SLOT);
  readonly #fingerprints = new Fingerprints();
  readonly #groupBytes = new Float64Array(GROUPS);
  readonly #groupRecords = new Uint32Array(GROUPS);
  /** The slots whose values expire. */
  readonly #expiries = new ExpiryQueue();
  readonly #onConflict: OnConflict;
  readonly #onChanged: OnChanged;
  /** A slice is taken for the same only as the same object: another buffer, or other contents of it, come with another one. */
  #foundKey: Bytes | Slice = "";
  /** As a signed number, as below. */
  #foundHash = 0;
  /** {@link NO_SLOT} when the key was not there: it may be by now. */
  #foundSlot = NO_SLOT;
  /** The keys that are expected and their hashes, and which of them is likely to come next. */
  readonly #expectedKeys: (Bytes | Slice)[] = [];
  readonly #expectedHashes = new Int32Array(KEYS_TOGETHER);
  #expectedAt = 0;
  /** Their slots, and a sum of what was read, so that the reading is not left out. */
  readonly #expectedSlots = new Int32Array(KEYS_TOGETHER + 1);
  #tombstones = 0;
  #bytes = 0;

  constructor(onConflict: OnConflict, onChanged: OnChanged = () => undefined) {
    this.#onConflict = onConflict;
    this.#onChanged = onChanged;
  }

  /** Number of records that are values (also those whose time has run out and that `expire` has not met yet). */
  get values(): number {
    return this.#records.length - this.#tombstones;
  }

  /** Number of records whose values read as present at `nowMs`, corrected Unix milliseconds. */
  aliveAt(nowMs: number): number {
    return this.values - this.#expiries.countDue(nowMs);
  }

  /** Number of records, tombstones included. */
  get records(): number {
    return this.#records.length;
  }

  /** Whether records of others may have been refused. */
  get isFull(): boolean {
    return this.#records.length >= RECORDS_MAX || !this.#records.hasRoom;
  }

  /** Bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of values that expire. */
  get expiring(): number {
    return this.#expiries.size;
  }

  /** When the next value runs out, corrected Unix milliseconds; Infinity when none does. */
  get nextExpiryMs(): number {
    return this.#expiries.nextAtMs;
  }

  /** Fingerprint of the whole map: 16 hexadecimal digits. */
  get root(): string {
    return this.#fingerprints.root;
  }

  get(key: Bytes): KvRecord | undefined {
    return this.#records.at(this.#find(key), key);
  }

  /** The value of a key that has one and never expires; of others nothing: what they are, `get` tells. */
  lastingValue(key: Bytes): Bytes | undefined {
    const slot = this.#find(key);
    return slot === NO_SLOT ? undefined : this.#records.lastingValueAt(slot);
  }

  /** As {@link RecordMap.get} without the value. */
  head(key: Bytes): RecordHead | undefined {
    return this.#records.headAt(this.#find(key), key);
  }

  /** What is held of a record's key, and would be replaced by it; undefined = nothing. */
  replacedBy({ key, expiresAtMs }: StoredRecord): Replaced | undefined {
    const slot = this.#find(key);
    return slot === NO_SLOT ? undefined : this.#records.replacedAt(slot, expiresAtMs);
  }

  /**
   * Keeps the greater of `record` and what is held of its key; reports the loser when it had not been seen.
   * @returns whether the map has changed
   */
  apply(record: StoredRecord): boolean {
    const slot = this.#find(record.key);
    return slot === NO_SLOT ? this.#insert(record) : this.#replace(slot, record);
  }

  /**
   * So many records are said to come: it makes room for them at once, rather than again and again for twice as many. The
   * number may be wrong.
   */
  reserve(records: number): void {
    const expected = Math.min(records, RESERVED_MAX);
    this.#records.reserve(expected);
    this.#index.reserve(expected);
    if (expected > this.#next.length) this.#makeRoom(expected);
  }

  /**
   * At most {@link KEYS_TOGETHER} keys will be looked for next, in this order: reads a little of all that will be read then. Each
   * find waits for memory three times, one after the other; of those that read together, all wait together. Changes nothing;
   * keys that come in another order, or others, are only found more slowly. The keys are kept until it is called again: with none,
   * when they may lie in a buffer or are nobody's business any more.
   *
   * Group prefetching: Chen et al., "Improving hash join performance through prefetching", 2004.
   */
  expect(keys: readonly (Bytes | Slice)[]): void {
    const count = Math.min(keys.length, KEYS_TOGETHER);
    const slots = this.#expectedSlots;
    let [known, sum] = [0, 0];
    for (let i = 0; i < count; i += 1) {
      const key = keys[i] ?? "";
      const hash = hashOf(key);
      const bucket = hashToBucket(hash);
      this.#expectedKeys[i] = key;
      this.#expectedHashes[i] = hash;
      sum += this.#fingerprints.touch(bucket) + (this.#first[bucket] ?? NO_SLOT);
      const slot = this.#index.guess(hash);
      if (slot !== NO_SLOT) slots[known++] = slot;
    }
    for (let i = 0; i < known; i += 1) sum += this.#records.touchRow(slots[i] ?? 0);
    for (let i = 0; i < known; i += 1) sum += this.#records.touchCell(slots[i] ?? 0);
    slots[KEYS_TOGETHER] = sum;
    this.#expectedKeys.length = count;
    this.#expectedAt = 0;
  }

  /**
   * At most {@link KEYS_TOGETHER} records are asked for next: reads a little of all that will be read of them, so that they wait
   * for memory together, as keys do. Changes nothing.
   * @param slots theirs, from the place `from` on
   */
  prefetch(slots: readonly number[], from: number): void {
    this.#records.prefetch(slots, from, from + KEYS_TOGETHER);
  }

  /**
   * Turns values whose time has run out at `nowMs` into their remains: those first that ran out first, and at most `max`.
   * @param nowMs corrected Unix milliseconds
   * @returns the remains
   */
  expire(nowMs: number, max: number): KvRecord[] {
    const expired: KvRecord[] = [];
    while (expired.length < max && this.#expiries.nextAtMs <= nowMs) {
      const slot = this.#expiries.take();
      const held = this.#records.headAt(slot);
      if (held === undefined) break;
      const remains = remainsOf(held);
      // The version is the same: no sum changes.
      this.#count(hashToBucket(hashOf(held.key)), -this.#records.valueBytes(slot), 1);
      this.#records.replace(slot, remains);
      expired.push(remains);
      this.#onChanged(slot);
    }
    return expired;
  }

  /** All records, tombstones included, in no particular order. */
  *all(): Generator<KvRecord, void> {
    for (let slot = 0; slot < this.#records.length; slot += 1) {
      const record = this.#records.at(slot);
      if (record !== undefined) yield record;
    }
  }

  /** As {@link RecordMap.all} without the values. */
  *heads(): Generator<RecordHead, void> {
    for (let slot = 0; slot < this.#records.length; slot += 1) {
      const head = this.#records.headAt(slot);
      if (head !== undefined) yield head;
    }
  }

  /** One of the records, tombstones included, by its number from 0; undefined from {@link RecordMap.records} on. */
  at(index: number): KvRecord | undefined {
    return this.#records.at(index);
  }

  /** As {@link RecordMap.at} without the value. */
  headAt(index: number): RecordHead | undefined {
    return this.#records.headAt(index);
  }

  /** As {@link RecordMap.at}, as it lies there until anything changes. */
  storedAt(index: number): StoredRecord | undefined {
    return this.#records.storedAt(index);
  }

  /** Bytes of the key and the value of the record with this number. */
  bytesAt(index: number): number {
    return this.#records.bytesAt(index);
  }

  /** Negative, 0 or positive as a record loses to the one with this number, equals it or wins over it; of the same key. */
  compareAt(index: number, record: KvRecord): number {
    return this.#records.compare(record, index);
  }

  /** The number of a key's record, for {@link RecordMap.at}; undefined when nothing is held of it. */
  slotOf(key: Bytes): number | undefined {
    const slot = this.#find(key);
    return slot === NO_SLOT ? undefined : slot;
  }

  /** What is held at this moment: a copy of the versions, 16 bytes a record. */
  snapshot(): Snapshot {
    const versions = this.#records.copyVersions();
    return {
      records: versions.length / 2,
      at: (index) => (this.#records.isUnchanged(index, versions) ? this.#records.headAt(index) : undefined),
    };
  }

  /** The numbers of the records of a bucket, for {@link RecordMap.at}, in no particular order. */
  *numbersIn(bucket: number): Generator<number, void> {
    for (let slot = this.#first[bucket] ?? NO_SLOT; slot !== NO_SLOT; slot = this.#next[slot] ?? NO_SLOT)
      yield slot;
  }

  /** The records of a bucket, in no particular order. */
  *bucket(index: number): Generator<KvRecord, void> {
    for (const number of this.numbersIn(index)) {
      const record = this.#records.at(number);
      if (record !== undefined) yield record;
    }
  }

  /** The sums of all groups: a copy. */
  groupSums(): Sums {
    return this.#fingerprints.groups();
  }

  /** The sums of the buckets of one group: a copy. */
  bucketSums(group: number): Sums {
    return this.#fingerprints.buckets(group);
  }

  /** How much a group holds: records (tombstones too), and bytes of their keys and values. */
  groupSize(group: number): { readonly records: number; readonly bytes: number } {
    return { records: this.#groupRecords[group] ?? 0, bytes: this.#groupBytes[group] ?? 0 };
  }

  /** The slot of a key, or {@link NO_SLOT}. A write looks at the key that it then overwrites, so the last find is kept. */
  #find(key: Bytes | Slice): number {
    if (this.#foundSlot === NO_SLOT || key !== this.#foundKey) {
      this.#foundKey = key;
      this.#foundHash = this.#hashOf(key);
      this.#foundSlot = this.#index.find(key, this.#foundHash, this.#records);
    }
    return this.#foundSlot;
  }

  #hashOf(key: Bytes | Slice): number {
    const at = this.#expectedAt;
    if (key !== this.#expectedKeys[at]) return hashOf(key) | 0;
    this.#expectedAt = at + 1;
    return this.#expectedHashes[at] ?? 0;
  }

  #insert(record: StoredRecord): boolean {
    if (this.isFull) return false;
    const hash = this.#foundHash;
    const bucket = hashToBucket(hash);
    const slot = this.#records.push(record);
    if (slot === this.#next.length) this.#makeRoom(2 * slot);
    this.#index.add(hash, slot);
    this.#next[slot] = this.#first[bucket] ?? NO_SLOT;
    this.#first[bucket] = slot;
    this.#foundSlot = slot;
    this.#groupRecords[bucket >>> 8] = (this.#groupRecords[bucket >>> 8] ?? 0) + 1;
    const { stamp, writer, key, value } = record;
    const { high, low } = versionHash(stamp, writer);
    this.#fingerprints.add(bucket, high, low);
    this.#count(bucket, key.length + value.length, record.kind === "tombstone" ? 1 : 0);
    this.#handleChanged(slot, record, false);
    return true;
  }

  #makeRoom(slots: number): void {
    const longer = new Int32Array(slots);
    longer.set(this.#next);
    this.#next = longer;
  }

  #replace(slot: number, record: StoredRecord): boolean {
    const records = this.#records;
    const order = records.compare(record, slot);
    if (order === 0) return false;
    // Of two records by one writer the later had always seen the other.
    const held =
      record.writer === records.writerOf(slot) ? undefined : records.at(slot, sliceToBytes(record.key));
    if (order < 0) {
      if (held !== undefined && isUnseen(record, held)) this.#onConflict(held, storedToRecord(record));
      return false;
    }
    if (held !== undefined && !records.hasRoom) return false;
    if (held !== undefined && isUnseen(held, record)) this.#onConflict(storedToRecord(record), held);
    const bucket = hashToBucket(this.#foundHash);
    this.#exchange(bucket, slot, record);
    const wasTombstone = records.isTombstone(slot);
    const deaths = (record.kind === "tombstone" ? 1 : 0) - (wasTombstone ? 1 : 0);
    this.#count(bucket, record.value.length - records.valueBytes(slot), deaths);
    const expired = records.expires(slot);
    records.replace(slot, record);
    this.#handleChanged(slot, record, expired);
    return true;
  }

  /** The version of a record instead of that of a slot, in the sums. */
  #exchange(bucket: number, slot: number, { stamp, writer }: Version): void {
    const held = versionHash(this.#records.stampOf(slot), this.#records.writerOf(slot));
    const given = versionHash(stamp, writer);
    const borrow = given.low >>> 0 < held.low >>> 0 ? 1 : 0;
    this.#fingerprints.add(bucket, (given.high - held.high - borrow) | 0, (given.low - held.low) | 0);
  }

  /** So many bytes more, and tombstones. */
  #count(bucket: number, bytes: number, tombstones: number): void {
    this.#tombstones += tombstones;
    this.#bytes += bytes;
    this.#groupBytes[bucket >>> 8] = (this.#groupBytes[bucket >>> 8] ?? 0) + bytes;
  }

  /** @param hadExpiry whether what was there before expired some time */
  #handleChanged(slot: number, { expiresAtMs, kind }: StoredRecord, hadExpiry: boolean): void {
    if (expiresAtMs !== undefined && kind === "value") this.#expiries.set(slot, expiresAtMs);
    else if (hadExpiry) this.#expiries.remove(slot);
    this.#onChanged(slot);
  }
}
