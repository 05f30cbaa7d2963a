/**
 * Invariant 4: what a node knows is never undone by something older, a delete least of all; and what comes from a peer
 * and is newer is taken, or from the disk.
 */
import type { KvRecord } from "../../../src/core/record.js";
import { Violation, type Checker, type Restored, type Stepped } from "../checker.js";
import type { Process } from "../process.js";
import { describe, isAfter, isSame } from "./history.js";

export class MergeChecker implements Checker {
  readonly name = "resurrection";

  stepped({ process, input, before, isKnown }: Stepped): void {
    if (input.type !== "message" || !("records" in input.message)) return;
    this.#expect(process, before, isKnown ? input.message.records : []);
  }

  restored({ process, records, before }: Restored): void {
    this.#expect(process, before, records);
  }

  #expect(
    process: Process,
    before: ReadonlyMap<string, KvRecord | undefined>,
    records: readonly KvRecord[],
  ): void {
    if (before.size === 0) return;
    const expected = new Map(before);
    for (const record of records) {
      const held = expected.get(record.key);
      if (held === undefined || isAfter(record, held)) expected.set(record.key, record);
    }
    for (const [key, record] of expected) {
      const held = process.replica.get(key);
      if (record === undefined ? held === undefined : held !== undefined && isSame(record, held)) continue;
      const change = `had ${describe(before.get(key))}, should have ${describe(record)}, has ${describe(held)}`;
      throw new Violation(this.name, `${process.name} ${change}`);
    }
  }
}
