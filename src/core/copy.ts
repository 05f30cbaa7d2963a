/**
 * A node's copy of the keys, and the three things that change it: what is written here, what comes from others, and time.
 *
 * Expiry is decided by each node's corrected clock and sends nothing. A value whose time has run out is turned into its
 * remains (see record.ts), which have the same version; so fingerprints do not move, and nodes whose clocks disagree
 * still hold equal maps. Reads ask the clock themselves and need not wait for it.
 *
 * Any number of values may run out at one moment. A step turns at most {@link EXPIRED_PER_STEP} of them, and the next of
 * such steps comes {@link EXPIRY_REST_MS} later, so that the work between others' is bounded.
 *
 * Remains do not become a value again, so while the clock is in doubt (see clock.ts) every value is kept, due or not.
 */
import { sliceToBytes, type Bytes, type Slice } from "./bytes.js";
import type { Clock } from "./clock.js";
import { Conflicts } from "./conflicts.js";
import type { Emit, Now } from "./effect.js";
import { KEYS_TOGETHER, RecordMap } from "./record-map.js";
import {
  remainsOf,
  replacing,
  runsOutBy,
  storedToRecord,
  type KvRecord,
  type Lifetime,
  type Replaced,
  type StoredRecord,
} from "./record.js";
import { Saving, type FsyncPolicy } from "./saving.js";
import type { Writer } from "./version.js";

/** How many values a step lets expire: a millisecond or two of work with what is told of it, some ten on a Raspberry Pi. */
export const EXPIRED_PER_STEP = 1_024;
/** How long the rest of the values that are due waits, so that what else happens gets its turn. */
export const EXPIRY_REST_MS = 1;

const NOTHING: readonly Bytes[] = [];

export class Copy {
  readonly map: RecordMap;
  readonly conflicts = new Conflicts();
  /** Undefined = nothing is saved. */
  readonly saving: Saving | undefined;
  /** A record is being restored; and all of it is kept, not only its remains. */
  #isRestoring = false;
  #isAsStored = false;
  /** The keys that came by another way while records are being restored; undefined = none are. */
  #fresh: Set<Bytes> | undefined;
  #now: Now = { monoMs: 0, wallMs: 0 };
  #restUntilMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly emit: Emit,
    fsync?: FsyncPolicy,
  ) {
    this.map = new RecordMap(
      (winner, loser) => {
        // What meets in storage was reported when it met first.
        if (this.#isRestoring && this.#fresh?.has(winner.key) !== true) return;
        if (!this.conflicts.add({ winner, loser, foundAtMs: this.#now.wallMs })) return;
        emit({ type: "conflict", winner, loser });
      },
      (slot) => {
        // What comes from storage is there, unless only its remains are kept.
        if (!this.#isAsStored) this.saving?.add(slot);
      },
    );
    this.saving = fsync === undefined ? undefined : new Saving(this.map, fsync);
  }

  /** As {@link Replica.write}, by `writer`. */
  write(
    key: Bytes,
    value: Bytes | undefined,
    expiresAtMs: number | undefined,
    { writer, wallMs }: { readonly writer: Writer; readonly wallMs: number },
  ): KvRecord | undefined {
    const held = this.map.head(key);
    const stamp = this.clock.next(wallMs, held?.stamp ?? -1);
    if (stamp === undefined) return undefined;
    const nowMs = this.clock.correctedMs(wallMs);
    if (held !== undefined && this.#runsOut(held, nowMs))
      this.emit({ type: "expired", records: [remainsOf(held)] });
    const written: KvRecord = {
      stamp,
      writer,
      key,
      kind: value === undefined ? "tombstone" : "value",
      value: value ?? "",
      expiresAtMs: value === undefined ? undefined : expiresAtMs,
      replaces: replacing(held, writer),
    };
    const record = this.#runsOut(written, nowMs) ? remainsOf(written) : written;
    return this.map.apply(record) ? record : undefined;
  }

  /** Whether records from storage are still to be restored, while those of others come. */
  get isLoading(): boolean {
    return this.#fresh !== undefined;
  }

  set isLoading(isLoading: boolean) {
    this.#fresh = isLoading ? new Set() : undefined;
  }

  /** As {@link Replica.restore}. */
  restore(records: readonly StoredRecord[], now: Now): void {
    this.#now = now;
    const nowMs = this.clock.correctedMs(now.wallMs);
    this.#isRestoring = true;
    let at = 0;
    for (const stored of records) {
      if (at % KEYS_TOGETHER === 0) this.map.expect(keysFrom(records, at));
      at += 1;
      const record = this.#aged(stored, nowMs);
      this.#isAsStored = record === stored;
      this.map.apply(record);
    }
    this.map.expect(NOTHING);
    this.clock.observe(records, now.wallMs);
    this.#isRestoring = false;
    this.#isAsStored = false;
  }

  /** Keeps those records of others that win. */
  apply(records: readonly StoredRecord[], now: Now): void {
    this.#now = now;
    const nowMs = this.clock.correctedMs(now.wallMs);
    const applied: StoredRecord[] = [];
    const replaced: (Replaced | undefined)[] = [];
    const expired: KvRecord[] = [];
    this.clock.observe(records, now.wallMs);
    let at = 0;
    for (const sent of records) {
      if (at % KEYS_TOGETHER === 0) this.map.expect(keysFrom(records, at));
      at += 1;
      const record = this.#aged(sent, nowMs);
      const before = this.map.replacedBy(record);
      const remains =
        before !== undefined && this.#runsOut(before, nowMs) ? this.#remainsOf(record) : undefined;
      if (!this.map.apply(record)) continue;
      this.#fresh?.add(sliceToBytes(record.key));
      applied.push(record);
      replaced.push(remains ?? before);
      if (remains !== undefined) expired.push(remains);
    }
    this.map.expect(NOTHING);
    if (expired.length > 0) this.emit({ type: "expired", records: expired });
    if (applied.length > 0) this.emit({ type: "applied", records: applied, replaced });
  }

  /** Lets values expire whose time has run out. */
  expire(now: Now): void {
    this.#now = now;
    const { monoMs, wallMs } = now;
    if (monoMs < this.#restUntilMs || monoMs < this.clock.trustedFromMs) return;
    const records = this.map.expire(this.clock.correctedMs(wallMs), EXPIRED_PER_STEP);
    if (records.length > 0) this.emit({ type: "expired", records });
    if (records.length === EXPIRED_PER_STEP) this.#restUntilMs = monoMs + EXPIRY_REST_MS;
  }

  /** Monotonic time at which the next value runs out, as the clocks stood at `now`. */
  wakeAtMs({ monoMs, wallMs }: Now): number {
    const inMs = this.map.nextExpiryMs - this.clock.correctedMs(wallMs);
    return Math.max(this.#restUntilMs, this.clock.trustedFromMs, monoMs + inMs);
  }

  /** The record as it is kept at `nowMs`: of one whose time has run out only the remains, unless the clock is in doubt. */
  #aged(record: StoredRecord, nowMs: number): StoredRecord {
    return this.#runsOut(record, nowMs) ? remainsOf(storedToRecord(record)) : record;
  }

  /** Whether the value is to be given up at `nowMs`. */
  #runsOut(record: Lifetime, nowMs: number): boolean {
    return runsOutBy(record, nowMs) && this.#now.monoMs >= this.clock.trustedFromMs;
  }

  /** What remains of the value that is held of a record's key. */
  #remainsOf({ key }: StoredRecord): KvRecord | undefined {
    const held = this.map.head(sliceToBytes(key));
    return held === undefined ? undefined : remainsOf(held);
  }
}

/** The keys of those records from one on that are looked for together. */
function keysFrom(records: readonly StoredRecord[], from: number): (Bytes | Slice)[] {
  const keys: (Bytes | Slice)[] = [];
  const end = Math.min(records.length, from + KEYS_TOGETHER);
  for (let at = from; at < end; at += 1) keys.push(records[at]?.key ?? "");
  return keys;
}
