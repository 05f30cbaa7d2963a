/**
 * The sums by which two maps are compared.
 *
 * Invariant: the sum of a bucket is the sum (mod 2^64) of the hashes of the versions of its records, the sum of
 * a group is the sum of its 256 buckets, and the root is the sum of the groups. Equal roots mean equal maps,
 * and a difference is found by descending two levels. A sum, rather than a Merkle hash, because one
 * write then costs one subtraction and one addition at each level, in any order.
 */
import { BUCKETS, BUCKETS_PER_GROUP, GROUPS, hex64 } from "./hash.js";

/** Two unsigned 32-bit halves of each 64-bit sum: high at 2i, low at 2i + 1. */
export type Sums = Uint32Array;

export class Fingerprints {
  readonly #buckets: Sums = new Uint32Array(2 * BUCKETS);
  readonly #groups: Sums = new Uint32Array(2 * GROUPS);
  readonly #root: Sums = new Uint32Array(2);

  /** Of the whole map: 16 hexadecimal digits. */
  get root(): string {
    return hex64(this.#root[0] ?? 0, this.#root[1] ?? 0);
  }

  /** Adds a 64-bit number (taken mod 2^64, in two halves of 32 bits, signed or not) to the sum of a bucket, and to those above it. */
  add(bucket: number, high: number, low: number): void {
    addTo(this.#buckets, bucket, high, low);
    addTo(this.#groups, bucket >>> 8, high, low);
    addTo(this.#root, 0, high, low);
  }

  /** A number from the sum of a bucket. */
  touch(bucket: number): number {
    return this.#buckets[2 * bucket] ?? 0;
  }

  /** The sums of all groups: a copy. */
  groups(): Sums {
    return this.#groups.slice();
  }

  /** The sums of the buckets of one group: a copy. */
  buckets(group: number): Sums {
    const from = 2 * group * BUCKETS_PER_GROUP;
    return this.#buckets.slice(from, from + 2 * BUCKETS_PER_GROUP);
  }
}

function addTo(sums: Sums, index: number, high: number, low: number): void {
  // Integers of 32 bits from end to end: greater numbers would be added as fractions are.
  const sum = ((sums[2 * index + 1] ?? 0) + low) | 0;
  const carry = sum >>> 0 < low >>> 0 ? 1 : 0;
  sums[2 * index + 1] = sum;
  sums[2 * index] = ((sums[2 * index] ?? 0) + high + carry) | 0;
}
