/**
 * The store: key -> record, in 65 536 buckets with fingerprints.
 *
 * Invariant: the sum of a bucket is the sum (mod 2^64) of the hashes of the versions of its records, the sum of
 * a group is the sum of its 256 buckets, and the root is the sum of the groups. Equal roots mean equal maps,
 * and a difference is found by descending two levels. A sum, rather than a Merkle hash, because one
 * write then costs one subtraction and one addition at each level, in any order.
 *
 * A key gets a slot when its first record comes and keeps it. Records stand in an array by slot; the index finds the slot
 * of a key; and a bucket is a chain of slots, 4 bytes a key, with nothing to do when a record is replaced.
 *
 * Tombstones are records too, and count in the sums, and so do the remains of values whose time has run out. Nothing is
 * ever removed.
 */
import type { Bytes } from "./bytes.js";
import { ExpiryQueue } from "./expiry-queue.js";
import {
  BUCKETS,
  BUCKETS_PER_GROUP,
  GROUPS,
  hashOf,
  hashToBucket,
  hex64,
  versionHashHigh,
  versionHashLow,
} from "./hash.js";
import { KeyIndex } from "./key-index.js";
import { compareRecords, isUnseen, remainsOf, type KvRecord } from "./record.js";

/** Called with both records when one overwrites another that its writer had not seen. */
export type OnConflict = (winner: KvRecord, loser: KvRecord) => void;

/** Called with the slot of each record that is new or has changed. */
export type OnChanged = (slot: number) => void;

/** Two unsigned 32-bit halves of each 64-bit sum: high at 2i, low at 2i + 1. */
export type Sums = Uint32Array;

/** How many records a map can hold, tombstones included. Memory ends sooner: about 300 bytes and the value each. */
export const RECORDS_MAX = 2 ** 26;

const NO_SLOT = -1;

export class RecordMap {
  /** By slot. */
  readonly #records: KvRecord[] = [];
  readonly #index = new KeyIndex();
  /** The slot that was first in the bucket before this one. */
  #next = new Int32Array(1024);
  /** The first slot of each bucket. */
  readonly #first = new Int32Array(BUCKETS).fill(NO_SLOT);
  readonly #bucketSums: Sums = new Uint32Array(2 * BUCKETS);
  readonly #groupSums: Sums = new Uint32Array(2 * GROUPS);
  readonly #rootSum: Sums = new Uint32Array(2);
  readonly #groupBytes = new Float64Array(GROUPS);
  readonly #groupRecords = new Uint32Array(GROUPS);
  /** The slots whose values expire. */
  readonly #expiries = new ExpiryQueue();
  readonly #onConflict: OnConflict;
  readonly #onChanged: OnChanged;
  #foundKey: Bytes = "";
  #foundHash = 0;
  /** {@link NO_SLOT} when the key was not there: it may be by now. */
  #foundSlot = NO_SLOT;
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
    return hex64(this.#rootSum[0] ?? 0, this.#rootSum[1] ?? 0);
  }

  get(key: Bytes): KvRecord | undefined {
    return this.#records[this.#find(key)];
  }

  /**
   * Keeps the greater of `record` and what is held of its key; reports the loser when it had not been seen.
   * @returns what was held before, or undefined when nothing was; false when the map did not change
   */
  apply(record: KvRecord): KvRecord | undefined | false {
    let slot = this.#find(record.key);
    const hash = this.#foundHash;
    const held = this.#records[slot];
    if (held !== undefined) {
      const order = compareRecords(record, held);
      if (order === 0) return false;
      if (order < 0) {
        if (isUnseen(record, held)) this.#onConflict(held, record);
        return false;
      }
      if (isUnseen(held, record)) this.#onConflict(record, held);
      this.#records[slot] = record;
    } else if (this.#records.length < RECORDS_MAX) slot = this.#insert(hash, record);
    else return false;
    this.#account(hashToBucket(hash), record, held);
    if (record.expiresAtMs !== undefined && record.kind === "value")
      this.#expiries.set(slot, record.expiresAtMs);
    else if (held?.expiresAtMs !== undefined) this.#expiries.remove(slot);
    this.#onChanged(slot);
    return held;
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
      const held = this.#records[slot];
      if (held === undefined) break;
      const remains = remainsOf(held);
      this.#records[slot] = remains;
      // The version is the same: no sum changes.
      this.#tombstones += 1;
      this.#bytes -= held.value.length;
      const group = hashToBucket(hashOf(held.key)) >>> 8;
      this.#groupBytes[group] = (this.#groupBytes[group] ?? 0) - held.value.length;
      expired.push(remains);
      this.#onChanged(slot);
    }
    return expired;
  }

  /** All records, tombstones included, in no particular order. */
  all(): IterableIterator<KvRecord> {
    return this.#records.values();
  }

  /** One of the records, tombstones included, by its number from 0; undefined from {@link RecordMap.records} on. */
  at(index: number): KvRecord | undefined {
    return this.#records[index];
  }

  /** The number of a key's record, for {@link RecordMap.at}; undefined when nothing is held of it. */
  slotOf(key: Bytes): number | undefined {
    const slot = this.#find(key);
    return slot === NO_SLOT ? undefined : slot;
  }

  /** All records as they are at this moment, tombstones included: a copy, 8 bytes a record. */
  snapshot(): readonly KvRecord[] {
    return this.#records.slice();
  }

  /** The records of a bucket, in no particular order. */
  *bucket(index: number): Generator<KvRecord, void> {
    for (let slot = this.#first[index] ?? NO_SLOT; slot !== NO_SLOT; slot = this.#next[slot] ?? NO_SLOT) {
      const record = this.#records[slot];
      if (record !== undefined) yield record;
    }
  }

  /** The sums of all groups: a copy. */
  groupSums(): Sums {
    return this.#groupSums.slice();
  }

  /** The sums of the buckets of one group: a copy. */
  bucketSums(group: number): Sums {
    const from = 2 * group * BUCKETS_PER_GROUP;
    return this.#bucketSums.slice(from, from + 2 * BUCKETS_PER_GROUP);
  }

  /** How much a group holds: records (tombstones too), and bytes of their keys and values. */
  groupSize(group: number): { readonly records: number; readonly bytes: number } {
    return { records: this.#groupRecords[group] ?? 0, bytes: this.#groupBytes[group] ?? 0 };
  }

  /** The slot of a key, or {@link NO_SLOT}. A write looks at the key that it then overwrites, so the last find is kept. */
  #find(key: Bytes): number {
    if (this.#foundSlot === NO_SLOT || key !== this.#foundKey) {
      this.#foundKey = key;
      this.#foundHash = hashOf(key);
      this.#foundSlot = this.#index.find(key, this.#foundHash, this.#records);
    }
    return this.#foundSlot;
  }

  /** @returns the slot */
  #insert(hash: number, record: KvRecord): number {
    const slot = this.#records.length;
    const bucket = hashToBucket(hash);
    if (slot === this.#next.length) {
      const longer = new Int32Array(2 * slot);
      longer.set(this.#next);
      this.#next = longer;
    }
    this.#records.push(record);
    this.#index.add(hash, slot);
    this.#next[slot] = this.#first[bucket] ?? NO_SLOT;
    this.#first[bucket] = slot;
    return slot;
  }

  #account(index: number, record: KvRecord, held: KvRecord | undefined): void {
    const group = index >>> 8;
    let high = versionHashHigh(record);
    let low = versionHashLow(record);
    let bytes = record.value.length;
    if (held === undefined) {
      this.#groupRecords[group] = (this.#groupRecords[group] ?? 0) + 1;
      bytes += record.key.length;
    } else {
      const heldLow = versionHashLow(held);
      high = high - versionHashHigh(held) - (low < heldLow ? 1 : 0);
      low -= heldLow;
      bytes -= held.value.length;
      if (held.kind === "tombstone") this.#tombstones -= 1;
    }
    if (record.kind === "tombstone") this.#tombstones += 1;
    this.#bytes += bytes;
    this.#groupBytes[group] = (this.#groupBytes[group] ?? 0) + bytes;
    addTo(this.#bucketSums, index, high, low);
    addTo(this.#groupSums, group, high, low);
    addTo(this.#rootSum, 0, high, low);
  }
}

/** Adds a 64-bit number (taken mod 2^64) to the sum at `index`. */
function addTo(sums: Sums, index: number, high: number, low: number): void {
  const sum = (sums[2 * index + 1] ?? 0) + (low >>> 0);
  sums[2 * index + 1] = sum;
  sums[2 * index] = (sums[2 * index] ?? 0) + (high >>> 0) + (sum > 0xffffffff ? 1 : 0);
}
