/**
 * Roots are equal if and only if the maps are; and each sum is what its records make it: recomputed here from the
 * contents with arithmetic of its own (64-bit integers).
 */
import {
  BUCKETS,
  BUCKETS_PER_GROUP,
  GROUPS,
  bucketOf,
  versionHashHigh,
  versionHashLow,
} from "../../../src/core/hash.js";
import { Violation, type Checker, type Scene } from "../checker.js";
import { contentsOf } from "../contents.js";
import type { Process } from "../process.js";
import { versionOf } from "./history.js";

const MASK = (1n << 64n) - 1n;

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
    const rootOfContents = new Map<string, string>();
    const contentsOfRoot = new Map<string, string>();
    for (const process of alive) {
      const contents = contentsOf(process.replica)
        .map((record) => `${record.key} ${versionOf(record)}`)
        .sort()
        .join("\n");
      const { root } = process.replica.map;
      if ((rootOfContents.get(contents) ?? root) !== root)
        this.#fail(process, "equal maps with unequal roots");
      if ((contentsOfRoot.get(root) ?? contents) !== contents)
        this.#fail(process, "unequal maps with equal roots");
      rootOfContents.set(contents, root);
      contentsOfRoot.set(root, contents);
    }
  }

  #recompute(process: Process): void {
    const { map } = process.replica;
    const buckets = new Array<bigint>(BUCKETS).fill(0n);
    const groups = new Array<bigint>(GROUPS).fill(0n);
    let root = 0n;
    let values = 0;
    for (const record of contentsOf(process.replica)) {
      const bucket = bucketOf(record.key);
      const group = Math.floor(bucket / BUCKETS_PER_GROUP);
      const { stamp, writer } = record;
      const hash = (BigInt(versionHashHigh(stamp, writer)) << 32n) | BigInt(versionHashLow(stamp, writer));
      buckets[bucket] = ((buckets[bucket] ?? 0n) + hash) & MASK;
      groups[group] = ((groups[group] ?? 0n) + hash) & MASK;
      root = (root + hash) & MASK;
      if (record.kind === "value") values += 1;
    }
    if (map.root !== root.toString(16).padStart(16, "0")) this.#fail(process, "a wrong root");
    if (map.values !== values) this.#fail(process, "a wrong number of values");
    const groupSums = map.groupSums();
    for (let group = 0; group < GROUPS; group += 1) {
      if (sumAt(groupSums, group) !== groups[group])
        this.#fail(process, `a wrong sum of group ${String(group)}`);
      const sums = map.bucketSums(group);
      for (let i = 0; i < BUCKETS_PER_GROUP; i += 1) {
        const bucket = group * BUCKETS_PER_GROUP + i;
        if (sumAt(sums, i) !== buckets[bucket])
          this.#fail(process, `a wrong sum of bucket ${String(bucket)}`);
      }
    }
  }

  #fail(process: Process, text: string): never {
    throw new Violation(this.name, `${process.name} has ${text}`);
  }
}

function sumAt(sums: Uint32Array, index: number): bigint {
  return (BigInt(sums[2 * index] ?? 0) << 32n) | BigInt(sums[2 * index + 1] ?? 0);
}
