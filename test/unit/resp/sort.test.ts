import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { sortInTurns } from "../../../src/resp/sort.js";

/** Numbers that are in no order, as keys of different lengths. */
function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `\xff${(at * 7_919) % 1_009}`);
}

describe("sorting in turns", () => {
  it("gives the order of the bytes, however many there are", async () => {
    for (const count of [0, 1, 7, 8, 9, 16, 17, 100, 1_000]) {
      const keys = keysOf(count);
      assert.deepEqual(
        await sortInTurns(Promise.resolve(keys), Infinity, 8),
        keys.slice().sort(),
        `${count}`,
      );
    }
  });

  it("gives no more than are wanted", async () => {
    const keys = keysOf(300);
    for (const limit of [0, 1, 10, 299, 300, 301])
      assert.deepEqual(
        await sortInTurns(Promise.resolve(keys), limit, 8),
        keys.slice().sort().slice(0, limit),
      );
  });

  it("lets others have a turn", async () => {
    let turns = 0;
    let isDone = false;
    const others = (async () => {
      for (; !isDone; turns += 1) await setImmediate();
    })();
    await sortInTurns(Promise.resolve(keysOf(1_000)), Infinity, 100);
    isDone = true;
    await others;
    // Ten runs, and four rounds that merge a thousand keys each.
    assert.ok(turns >= 40, `${turns} turns`);
  });
});
