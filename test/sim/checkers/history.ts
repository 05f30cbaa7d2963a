/**
 * The truth: every write there was, and what its writer's copy held at that moment.
 *
 * Holds the invariants of single writes: one version names one record (5), and a write wins over what it was
 * made over, whatever the clocks say (10).
 */
import type { KvRecord } from "../../../src/core/record.js";
import { Violation, type Checker, type Stepped, type Wrote } from "../checker.js";

/** How many writers' versions a record can name. */
const NAMED_WRITERS_MAX = 8;

interface Write {
  readonly record: KvRecord;
  /** By writer, the stamp of its newest write in the chain of overwrites that led here. */
  readonly chain: ReadonlyMap<string, number>;
  /** The same, counting also what this process had overwritten earlier: everything that can have caused it. */
  readonly past: ReadonlyMap<string, number>;
  /** Whether the chain had as many writers as a record can name, or more. */
  readonly isTruncated: boolean;
}

/** What one writer wrote. */
interface Writing {
  /** By stamp. */
  readonly writes: Map<number, Write>;
  /** By key, the last. */
  readonly last: Map<string, Write>;
}

export class History implements Checker {
  readonly name = "versions";
  /** By writer. */
  readonly #writings = new Map<string, Writing>();

  /** The write of this version; a violation when there was none, or it was another. */
  writeOf(record: KvRecord): Write {
    const write = this.#writings.get(record.writer)?.writes.get(record.stamp);
    if (write === undefined) throw new Violation(this.name, `nobody wrote ${describe(record)}`);
    if (!isSame(write.record, record)) {
      throw new Violation(this.name, `written: ${describe(write.record)}; met: ${describe(record)}`);
    }
    return write;
  }

  wrote({ process, key, value, expiresAtMs, held, record }: Wrote): void {
    if (record === undefined) throw new Violation(this.name, `${process.name} refused to write ${key}`);
    const isKept =
      record.value === (value ?? "") && record.kind === (value === undefined ? "tombstone" : "value");
    const isAsAsked =
      record.key === key &&
      record.writer === process.writer &&
      record.expiresAtMs === expiresAtMs &&
      (isKept || isRemains(record));
    if (!isAsAsked) throw new Violation(this.name, `${process.name} wrote ${describe(record)} for ${key}`);
    const writing: Writing = this.#writings.get(record.writer) ?? { writes: new Map(), last: new Map() };
    this.#writings.set(record.writer, writing);
    if (writing.writes.has(record.stamp))
      throw new Violation(this.name, `${describe(record)} has a version that was used before`);
    if (held !== undefined && !isAfter(record, held)) {
      throw new Violation("causality", `${describe(record)} was made over ${describe(held)} and loses to it`);
    }
    const now = process.replica.get(key);
    if (now === undefined || !isIdentical(now, record))
      throw new Violation("causality", `${describe(record)} is not held by ${process.name}, who wrote it`);
    const over = held === undefined ? undefined : this.writeOf(held);
    const own = writing.last.get(key);
    const chain = new Map<string, number>(over?.chain);
    addWrite(chain, over);
    const past = new Map<string, number>(over?.past);
    for (const [writer, stamp] of own?.past ?? []) addVersion(past, writer, stamp);
    addWrite(past, over);
    addWrite(past, own);
    const others = chain.size - (chain.has(record.writer) ? 1 : 0);
    const isTruncated = over?.isTruncated === true || others >= NAMED_WRITERS_MAX;
    const write: Write = { record, chain, past, isTruncated };
    writing.writes.set(record.stamp, write);
    writing.last.set(key, write);
  }

  stepped({ input }: Stepped): void {
    if (input.type !== "message" || !("records" in input.message)) return;
    for (const record of input.message.records) this.writeOf(record);
  }
}

/** Whether one version comes after another: by stamp, then by writer. */
export function isAfter(a: KvRecord, b: KvRecord): boolean {
  return a.stamp === b.stamp ? a.writer > b.writer : a.stamp > b.stamp;
}

export function versionOf({ stamp, writer }: KvRecord): string {
  return `${String(stamp)}-${writer}`;
}

/** Whether they have one version. */
export function isVersionOf(a: KvRecord, b: KvRecord): boolean {
  return a.stamp === b.stamp && a.writer === b.writer;
}

/** Whether one has all that the other has: a value and its remains do not. */
export function isIdentical(a: KvRecord, b: KvRecord): boolean {
  return isSame(a, b) && a.kind === b.kind && a.value === b.value;
}

/** Whether one is the other, or what remains of it when its time has run out. */
export function isSame(a: KvRecord, b: KvRecord): boolean {
  return (
    a.stamp === b.stamp &&
    a.writer === b.writer &&
    a.key === b.key &&
    a.expiresAtMs === b.expiresAtMs &&
    ((a.kind === b.kind && a.value === b.value) || isRemains(a) || isRemains(b))
  );
}

/** Whether this is what remains of a value whose time has run out. */
export function isRemains({ kind, value, expiresAtMs }: KvRecord): boolean {
  return kind === "tombstone" && value === "" && expiresAtMs !== undefined;
}

export function describe(record: KvRecord | undefined): string {
  if (record === undefined) return "nothing";
  const what = isRemains(record)
    ? "expired"
    : record.kind === "tombstone"
      ? "deleted"
      : `= ${String(record.value.length)} B`;
  return `${record.key} ${what} at ${versionOf(record)}`;
}

/** Whether `loser` led to `write`, by one of its records of what came before. */
export function contains(past: ReadonlyMap<string, number>, loser: KvRecord): boolean {
  return (past.get(loser.writer) ?? -1) >= loser.stamp;
}

function addWrite(past: Map<string, number>, write: Write | undefined): void {
  if (write !== undefined) addVersion(past, write.record.writer, write.record.stamp);
}

function addVersion(past: Map<string, number>, writer: string, stamp: number): void {
  if (stamp > (past.get(writer) ?? -1)) past.set(writer, stamp);
}
