import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KvRecord } from "../../../src/core/record.js";
import { countingOfRead, countingOfSlots } from "../../../src/storage/counting.js";
import { Homes } from "../../../src/storage/homes.js";
import { record } from "../../conformance/storage.js";
import { recordsToArray } from "../../sim/records.js";

/** Memory with a record a slot, of keys that have the slot as their name; the waiting ones were not saved. */
function memoryOf(held: readonly KvRecord[], waiting: readonly number[] = []) {
  const slotOf = ({ key, stamp }: KvRecord) => {
    const slot = Number(key);
    return stamp <= (held[slot]?.stamp ?? -1) ? slot : undefined;
  };
  return {
    records: held.length,
    bytes: 0,
    isSuperseded: (read: KvRecord) => {
      const slot = Number(read.key);
      return !waiting.includes(slot) && read.stamp < (held[slot]?.stamp ?? -1);
    },
    slots: {
      of: slotOf,
      at: (slot: number) => held[slot],
      bytesAt: (slot: number) => Number(held[slot]?.key.length) + Number(held[slot]?.value.length),
    },
  };
}

const value = (bytes: number) => ({ value: "v".repeat(bytes) });

describe("what counts of a segment whose slots are known", () => {
  it("is what is at home in it, or nowhere, as memory holds it", () => {
    const held = ["0", "1", "2"].map((key) => record(key, 7));
    const homes = new Homes();
    homes.note(1, { records: held, slots: [0, 1, 2] });
    homes.note(2, { records: held.slice(1), slots: [1, 2] });
    homes.note(3, { records: held.slice(2), slots: [2] });
    homes.forget(3);
    const { slots } = memoryOf(held);
    const { records, ...rest } = countingOfSlots(1, new Uint32Array([0, 1, 2]), homes, slots);
    assert.deepEqual(rest, { slots: [0, 2], walked: 3 });
    assert.deepEqual(recordsToArray(records), [held[0], held[2]]);
  });

  it("is taken in portions of bounded size", () => {
    const held = Array.from({ length: 5_000 }, (_, i) =>
      record(String(i), 1, value(i < 1_500 ? 10 : 100_000)),
    );
    const all = Uint32Array.from(held.keys());
    const { slots } = memoryOf(held);
    const portion = (from: number) => countingOfSlots(1, all.subarray(from), new Homes(), slots).walked;
    assert.deepEqual([portion(0), portion(1_500)], [1_024, 3]);
  });
});

describe("what counts of a segment that is read", () => {
  const held = ["0", "1", "2", "3"].map((key) => record(key, 7));

  it("is what is neither superseded nor at home elsewhere", () => {
    const homes = new Homes();
    homes.note(2, { records: held.slice(0, 1), slots: [0] });
    homes.note(1, { records: held.slice(1, 2), slots: [1] });
    const read = [record("0", 7), record("1", 7), record("2", 6), record("3", 7)];
    assert.deepEqual(countingOfRead(1, read, homes, memoryOf(held), false), {
      records: [held[1], held[3]],
      slots: [1, 3],
    });
  });

  it("is what memory holds, once, where that waits to be saved", () => {
    const read = [record("0", 5), record("0", 6), record("1", 7)];
    assert.deepEqual(countingOfRead(1, read, new Homes(), memoryOf(held, [0]), false), {
      records: [held[0], held[1]],
      slots: [0, 1],
    });
  });

  it("is what was read where memory holds nothing of it, or less", () => {
    const read = [record("1", 7), record("0", 8), record("9", 1)];
    assert.deepEqual(countingOfRead(1, read, new Homes(), memoryOf(held), false), {
      records: [held[1], read[1], read[2]],
      slots: [1],
    });
  });

  it("is no longer than what was read where there is little room", () => {
    const grown = [record("0", 7, value(1_000)), record("1", 7, value(10))];
    const read = [record("0", 6, value(10)), record("1", 6, value(10))];
    const counting = (isTight: boolean) =>
      countingOfRead(1, read, new Homes(), memoryOf(grown, [0, 1]), isTight);
    assert.deepEqual(counting(false), { records: grown, slots: [0, 1] });
    assert.deepEqual(counting(true), { records: [grown[1], read[0]], slots: [1] });
  });

  it("grows by a bounded amount where there is room", () => {
    const grown = ["0", "1", "2"].map((key) => record(key, 7, value(100_000)));
    const read = ["0", "1", "2"].map((key) => record(key, 6));
    assert.deepEqual(countingOfRead(1, read, new Homes(), memoryOf(grown, [0, 1, 2]), false), {
      records: [grown[0], grown[1], read[2]],
      slots: [0, 1],
    });
  });

  it("is all that is not superseded where memory has no slots", () => {
    const { records, bytes, isSuperseded } = memoryOf(held);
    const read = [record("0", 7), record("1", 6), record("0", 7)];
    assert.deepEqual(countingOfRead(1, read, new Homes(), { records, bytes, isSuperseded }, false), {
      records: [read[0], read[2]],
      slots: [],
    });
  });
});
