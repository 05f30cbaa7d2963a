import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BucketPull } from "../../../src/core/bucket-pull.js";
import { HELD_WORDS } from "../../../src/core/held.js";
import { RecordMap } from "../../../src/core/record-map.js";

const EMPTY = new RecordMap(() => undefined);

function runs(spans: readonly { readonly from: number; readonly to: number }[]): readonly string[] {
  return spans.map(({ from, to }) => `${String(from)}-${String(to)}`);
}

describe("a plan to pull buckets", () => {
  it("joins neighbours and takes them in order, so many at a time", () => {
    const pull = new BucketPull([9, 3, 4, 5, 20].map((from) => ({ from, to: from })));
    assert.deepEqual(runs(pull.take(EMPTY, 4, 1)), ["3-5", "9-9"]);
    assert.deepEqual(runs(pull.take(EMPTY, 4, 2)), ["20-20"]);
    assert.equal(pull.hasPending, false);
    assert.equal(pull.isDone, false);
  });

  it("goes on where an answer stopped, and asks again what was lost", () => {
    const pull = new BucketPull([{ from: 0, to: 9 }]);
    const first = pull.take(EMPTY, 5, 1);
    const second = pull.take(EMPTY, 5, 2);
    pull.handleAnswered(first, 3);
    pull.handleLost(second);
    const third = pull.take(EMPTY, 10, 3);
    assert.deepEqual(runs(third), ["3-9"]);
    pull.handleAnswered(third, undefined);
    assert.equal(pull.isDone, true);
  });

  it("does not count the answers of an earlier plan", () => {
    const former = new BucketPull([{ from: 0, to: 9 }]).take(EMPTY, 10, 1);
    const pull = new BucketPull([{ from: 0, to: 9 }]);
    const spans = pull.take(EMPTY, 10, 2);
    pull.handleAnswered(former, undefined);
    pull.handleLost(former);
    assert.equal(pull.isDone, false);
    assert.equal(pull.hasPending, false);
    pull.handleAnswered(spans, undefined);
    assert.equal(pull.isDone, true);
  });

  it("names each record held, once", () => {
    const map = new RecordMap(() => undefined);
    const record = {
      stamp: 1,
      writer: "0".repeat(16),
      key: "k",
      kind: "value",
      value: "",
      replaces: [],
    } as const;
    map.apply({ ...record, expiresAtMs: undefined });
    const spans = new BucketPull([{ from: 0, to: 65_535 }]).take(map, 65_536, 1);
    assert.equal(spans[0]?.held.length, HELD_WORDS);
  });
});
