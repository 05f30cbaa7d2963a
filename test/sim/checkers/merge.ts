/**
 * Invariant 4: what a node knows is never undone by something older, a delete least of all; and what comes from a peer
 * and is newer is taken.
 */
import { Violation, type Checker, type Stepped } from "../checker.js";
import { describe, isAfter, isSame } from "./history.js";

export class MergeChecker implements Checker {
  readonly name = "resurrection";

  stepped({ process, input, before, isKnown }: Stepped): void {
    if (input.type !== "message" || !("records" in input.message)) return;
    const expected = new Map(before);
    if (isKnown) {
      for (const record of input.message.records) {
        const held = expected.get(record.key);
        if (held === undefined || isAfter(record, held)) expected.set(record.key, record);
      }
    }
    for (const [key, record] of expected) {
      const held = process.replica.get(key);
      if (record === undefined ? held === undefined : held !== undefined && isSame(record, held)) continue;
      const change = `had ${describe(before.get(key))}, should have ${describe(record)}, has ${describe(held)}`;
      throw new Violation(this.name, `${process.name} ${change}`);
    }
  }
}
