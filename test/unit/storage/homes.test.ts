import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Homes } from "../../../src/storage/homes.js";
import { record } from "../../conformance/storage.js";

/** What has these slots, and so many records of which it is not known. */
function batch(slots: readonly number[], others = 0) {
  const records = Array.from({ length: slots.length + others }, (_, i) => record(`key ${String(i)}`, 1));
  return { records, slots };
}

describe("the homes of slots", () => {
  it("are where they were appended last", () => {
    const homes = new Homes();
    assert.equal(homes.isElsewhere(5, 1), false, "it is not known where");
    homes.note(1, batch([5, 6]));
    homes.note(2, batch([6, 70_000]));
    assert.deepEqual(
      [5, 6, 70_000, 7].map((slot) => [homes.isElsewhere(slot, 1), homes.isElsewhere(slot, 2)]),
      [
        [false, true],
        [true, false],
        [true, false],
        [false, false],
      ],
    );
  });

  it("names each slot of a segment once, however often it was appended", () => {
    const homes = new Homes();
    for (let i = 0; i < 5_000; i += 1) homes.note(1, batch([i % 3_000, 3_000 + i]));
    homes.close(1);
    const slots = homes.slotsOf(1) ?? [];
    assert.equal(slots.length, new Set(slots).size);
    assert.equal(slots.length, 8_000);
  });

  it("does not name those of a segment that may hold others, or of an earlier process", () => {
    const homes = new Homes();
    homes.note(1, batch([1], 1));
    homes.note(1, batch([2]));
    homes.note(2, batch([]));
    assert.equal(homes.slotsOf(1), undefined);
    assert.deepEqual(homes.slotsOf(2), new Uint32Array(0));
    assert.equal(homes.slotsOf(3), undefined);
    assert.equal(homes.isElsewhere(2, 3), true, "it is known of what was named");
  });

  it("are not known any more when what was appended may not be there", () => {
    const homes = new Homes();
    homes.note(1, batch([1, 2, 3]));
    homes.note(2, batch([2, 3]));
    homes.note(3, batch([3]));
    homes.forget(2);
    assert.deepEqual(
      [1, 2, 3].map((slot) => homes.isElsewhere(slot, 1)),
      [false, false, true],
    );
    assert.deepEqual([...(homes.slotsOf(2) ?? [])], [2, 3], "what of it is there still counts");
    homes.note(4, batch([2]));
    assert.equal(homes.isElsewhere(2, 1), true, "until it was appended once more");
    homes.forgetAll();
    assert.deepEqual(
      [1, 2, 3].map((slot) => homes.isElsewhere(slot, 1)),
      [false, false, false],
    );
  });

  it("keeps nothing of a segment that is gone", () => {
    const homes = new Homes();
    homes.note(1, batch([1]));
    homes.note(2, batch([1]));
    homes.remove(1);
    assert.equal(homes.slotsOf(1), undefined);
    assert.equal(homes.isElsewhere(1, 3), true);
  });

  it("has nobody at home in a segment that is gone", () => {
    const homes = new Homes();
    homes.note(5, batch([1]));
    homes.remove(5);
    assert.equal(homes.isElsewhere(1, 9), false, "what another segment has of it counts there");
  });
});
