/**
 * Roots are equal if and only if the maps are; and each sum is what its records make it: recomputed here from the
 * contents with arithmetic of its own (64-bit integers).
 */
import { BUCKETS, BUCKETS_PER_GROUP, GROUPS, bucketOf, hex64, versionHash } from "../../../src/core/hash.js";
import { Violation, type Checker, type Scene } from "../checker.js";
import { contentsOf } from "../contents.js";
import type { Process } from "../process.js";
import type { KvRecord } from "../../../src/core/record.js";
import { isVersionOf } from "./history.js";

type Contents = ReadonlyMap<string, KvRecord>;

const MASK = (1n << 64n) - 1n;
const HALF = (1n << 32n) - 1n;

export class FingerprintsChecker implements Checker {
  readonly name = "fingerprints";
  #seconds = 0;

  second({ alive }: Scene): void {
    this.#seconds += 1;
    if (this.#seconds % 10 === 0) this.#compare(alive);
  }

  finished({ alive }: Scene): void {
    this.#compare(alive);
    for (const process of alive) this.#recompute(process);
  }

  #compare(alive: readonly Process[]): void {
    const different: { readonly root: string; readonly contents: Contents }[] = [];
    for (const process of alive) {
      const { root } = process.replica.map;
      const contents = new Map(contentsOf(process.replica).map((record) => [record.key, record]));
      let isNew = true;
      for (const other of different) {
        const isEqual = areEqual(contents, other.contents);
        if (isEqual && root !== other.root) this.#fail(process, "equal maps with unequal roots");
        if (!isEqual && root === other.root) this.#fail(process, "unequal maps with equal roots");
        if (isEqual) isNew = false;
      }
      if (isNew) different.push({ root, contents });
    }
  }

  #recompute(process: Process): void {
    const { map } = process.replica;
    const buckets = new Sums(BUCKETS);
    const groups = new Sums(GROUPS);
    let root = 0n;
    let values = 0;
    for (const record of contentsOf(process.replica)) {
      const bucket = bucketOf(record.key);
      const group = Math.floor(bucket / BUCKETS_PER_GROUP);
      const { stamp, writer } = record;
      const { high, low } = versionHash(stamp, writer);
      const hash = BigInt(`0x${hex64(high, low)}`);
      buckets.add(bucket, hash);
      groups.add(group, hash);
      root = (root + hash) & MASK;
      if (record.kind === "value") values += 1;
    }
    if (map.root !== root.toString(16).padStart(16, "0")) this.#fail(process, "a wrong root");
    if (map.values !== values) this.#fail(process, "a wrong number of values");
    const groupSums = map.groupSums();
    for (let group = 0; group < GROUPS; group += 1) {
      if (!groups.isAt(group, groupSums, group)) this.#fail(process, `a wrong sum of group ${String(group)}`);
      const sums = map.bucketSums(group);
      for (let i = 0; i < BUCKETS_PER_GROUP; i += 1) {
        const bucket = group * BUCKETS_PER_GROUP + i;
        if (!buckets.isAt(bucket, sums, i)) this.#fail(process, `a wrong sum of bucket ${String(bucket)}`);
      }
    }
  }

  #fail(process: Process, text: string): never {
    throw new Violation(this.name, `${process.name} has ${text}`);
  }
}

/** Sums of 64-bit integers, nearly all of them zero. */
class Sums {
  /** Of each the upper half and the lower half. */
  readonly #halves: Uint32Array;

  constructor(count: number) {
    this.#halves = new Uint32Array(2 * count);
  }

  add(at: number, hash: bigint): void {
    const [high = 0, low = 0] = [this.#halves[2 * at], this.#halves[2 * at + 1]];
    const sum = ((BigInt(high) << 32n) | BigInt(low)) + hash;
    this.#halves[2 * at] = Number((sum >> 32n) & HALF);
    this.#halves[2 * at + 1] = Number(sum & HALF);
  }

  /** Whether the sum `at` is what others say. */
  isAt(at: number, others: Uint32Array, otherAt: number): boolean {
    return (
      this.#halves[2 * at] === others[2 * otherAt] && this.#halves[2 * at + 1] === others[2 * otherAt + 1]
    );
  }
}

function areEqual(a: Contents, b: Contents): boolean {
  if (a.size !== b.size) return false;
  for (const [key, record] of a) {
    const other = b.get(key);
    if (other === undefined || !isVersionOf(record, other)) return false;
  }
  return true;
}
