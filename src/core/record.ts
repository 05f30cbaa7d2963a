/**
 * Records, which one wins, and when a loser had not been seen.
 *
 * `compareRecords` is a total order on the records of a key, so keeping the greater one is a
 * join-semilattice (Shapiro et al., "A comprehensive study of CRDTs", 2011): applying records in any order,
 * any number of times, gives the same map. Everything else in this program exists to deliver records.
 *
 * Last-writer-wins loses concurrent writes, and must not lose them silently. A record therefore names what
 * its writer knowingly overwrote: `replaces`, the greatest version of each *other* writer in the chain of
 * overwrites that led to it. A loser that the chain does not cover was overwritten unseen. Naming only the
 * one version that was held at the time of writing is not enough: when A writes twice while C, cut off, writes once in
 * between, A's second write names A's first, which is greater than C's, and C's loss goes unnoticed.
 * docs/adr/0003 has the argument; the simulator's `replaces-one` mutation shows the miss.
 *
 * A value whose time has run out is kept as its *remains*: the same record without its value. Whether a node holds the
 * value or the remains is its clock's affair alone, so the two count as equal; docs/adr/0015.
 */
import { sliceToBytes, type Bytes, type Slice } from "./bytes.js";
import { compareVersions, type Version, type Writer } from "./version.js";

export type Kind = "value" | "tombstone";

/** Whether, and how long, there is something to read. */
export interface Lifetime {
  readonly kind: Kind;
  /**
   * Corrected Unix milliseconds from which the value reads as missing; undefined = never. A tombstone that has it is what
   * remains of a value.
   */
  readonly expiresAtMs: number | undefined;
}

/** One write to one key, but for its value. Immutable. */
export interface RecordHead extends Version, Lifetime {
  readonly key: Bytes;
  /** Greatest overwritten version of each other writer, newest first, at most {@link REPLACES_MAX}. */
  readonly replaces: readonly Version[];
}

/** One write to one key. Immutable. */
export interface KvRecord extends RecordHead {
  /** The value's bytes; "" for a tombstone. */
  readonly value: Bytes;
}

/** A record as it came, from storage or in a message: what the map only copies need not become a byte string. */
export interface StoredRecord extends Omit<KvRecord, "key" | "value"> {
  readonly key: Bytes | Slice;
  readonly value: Bytes | Slice;
}

/** Records that are asked for one by one: made when they are, or an array. What lies in memory may be other bytes as soon as anything is written. */
export interface Records {
  readonly length: number;
  /** Undefined from the length on. */
  at(index: number): StoredRecord | undefined;
}

/** What another record has replaced. */
export interface Replaced extends Lifetime {
  /** Absent where the one that replaced it has the same expiry: it is new whatever its value is. */
  readonly value?: Bytes;
}

/**
 * How many writers' versions a record names. Beyond it the oldest is dropped, and everything older than
 * the oldest kept counts as seen: an unseen loss is missed only when eight other processes or more overwrote
 * one key in turn while the loser was cut off.
 */
export const REPLACES_MAX = 8;

const NONE: readonly Version[] = [];

/** Negative, 0 or positive as a loses to, equals or wins over b. Both are of the same key. */
export function compareRecords(a: KvRecord, b: KvRecord): number {
  if (a.stamp !== b.stamp) return a.stamp - b.stamp;
  if (a.writer !== b.writer) return a.writer < b.writer ? -1 : 1;
  return compareContents(a, b);
}

/**
 * One version names one record, or what remains of it, unless memory or a disk has flipped a bit or somebody forges. The
 * order then goes by the contents, so that nodes that meet both keep the same one. The expiry comes first: records that
 * expire at one time leave the same remains, so whichever of them is kept, in the end all nodes hold the same.
 */
function compareContents(a: KvRecord, b: KvRecord): number {
  if (a.expiresAtMs !== b.expiresAtMs) return (a.expiresAtMs ?? -1) - (b.expiresAtMs ?? -1);
  if (isRemains(a) || isRemains(b)) return 0;
  if (a.value !== b.value) return a.value < b.value ? -1 : 1;
  return a.kind === b.kind ? 0 : a.kind < b.kind ? -1 : 1;
}

/** Whether the record holds a value that reads as present at `nowMs`, corrected Unix milliseconds. */
export function isAlive({ kind, expiresAtMs }: Lifetime, nowMs: number): boolean {
  return kind === "value" && (expiresAtMs === undefined || expiresAtMs > nowMs);
}

/** Whether the record still holds a value though its time has run out at `nowMs`, corrected Unix milliseconds. */
export function runsOutBy({ kind, expiresAtMs }: Lifetime, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs && kind === "value";
}

/** Whether the record is what remains of a value whose time has run out. */
export function isRemains({ kind, expiresAtMs }: Lifetime): boolean {
  return kind === "tombstone" && expiresAtMs !== undefined;
}

/** The same record, which does not change when the buffer does that it lies in. */
export function storedToRecord(stored: StoredRecord): KvRecord {
  const { key, value } = stored;
  return { ...stored, key: sliceToBytes(key), value: sliceToBytes(value) };
}

/** What is kept of a record whose time has run out. */
export function remainsOf({ stamp, writer, key, expiresAtMs, replaces }: RecordHead): KvRecord {
  return { stamp, writer, key, kind: "tombstone", value: "", expiresAtMs, replaces };
}

/** What a new write by `writer` over `held` must name in its `replaces`. */
export function replacing(held: RecordHead | undefined, writer: Writer): readonly Version[] {
  if (held === undefined) return NONE;
  if (held.writer === writer) return held.replaces;
  const others = held.replaces.filter(
    (version) => version.writer !== writer && version.writer !== held.writer,
  );
  return [{ stamp: held.stamp, writer: held.writer }, ...others].slice(0, REPLACES_MAX);
}

/** Whether the writer of `winner` had not seen `loser`, an older record of the same key, when it wrote. */
export function isUnseen(loser: Version, winner: Omit<RecordHead, "key">): boolean {
  if (loser.writer === winner.writer) return false;
  for (const version of winner.replaces) {
    if (version.writer === loser.writer) return version.stamp < loser.stamp;
  }
  const oldest = winner.replaces[REPLACES_MAX - 1];
  return oldest === undefined || compareVersions(loser, oldest) > 0;
}
