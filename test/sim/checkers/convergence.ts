/**
 * Invariants 1 and 2: healed and quiet, all copies are equal, byte for byte, and hold of each key the greatest
 * version that a surviving copy held when the last fault was over (or a greater one that was still under way).
 */
import type { KvRecord } from "../../../src/core/record.js";
import { Violation, type Checker, type Scene } from "../checker.js";
import { contentsOf } from "../contents.js";
import { describe, isAfter, isSame, type History } from "./history.js";

export class ConvergenceChecker implements Checker {
  readonly name = "convergence";
  readonly #greatest = new Map<string, KvRecord>();

  constructor(private readonly history: History) {}

  healed({ alive }: Scene): void {
    for (const process of alive) {
      for (const record of contentsOf(process.replica)) {
        const greatest = this.#greatest.get(record.key);
        if (greatest === undefined || isAfter(record, greatest)) this.#greatest.set(record.key, record);
      }
    }
  }

  finished({ alive }: Scene): void {
    const [first, ...others] = alive;
    if (first === undefined) return;
    const contents = new Map(contentsOf(first.replica).map((record) => [record.key, record]));
    for (const [key, greatest] of this.#greatest) {
      const record = contents.get(key);
      if (record === undefined || isAfter(greatest, record))
        throw new Violation(
          "last writer wins",
          `${describe(greatest)} was lost; there is ${describe(record)}`,
        );
    }
    for (const record of contents.values()) this.history.writeOf(record);
    for (const other of others) {
      const itsContents = contentsOf(other.replica);
      for (const record of itsContents) {
        const mine = contents.get(record.key);
        if (mine === undefined || !isSame(mine, record))
          this.#fail(`${other.name} has ${describe(record)}, ${first.name} has ${describe(mine)}`);
      }
      if (itsContents.length !== contents.size)
        this.#fail(
          `${other.name} has ${String(itsContents.length)} records, ${first.name} ${String(contents.size)}`,
        );
    }
  }

  #fail(text: string): never {
    throw new Violation(this.name, text);
  }
}
