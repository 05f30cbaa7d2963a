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
    const pull = new BucketPull([9, 3, 4, 5, 20].map((from) => ({ from, to: from, isBare: false })));
    assert.deepEqual(runs(pull.take(EMPTY, 4, 1)), ["3-5", "9-9"]);
    assert.deepEqual(runs(pull.take(EMPTY, 4, 2)), ["20-20"]);
    assert.equal(pull.hasPending, false);
    assert.equal(pull.isDone, false);
  });

  it("goes on where an answer stopped, and asks again what was lost", () => {
    const pull = new BucketPull([{ from: 0, to: 9, isBare: false }]);
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
    const former = new BucketPull([{ from: 0, to: 9, isBare: false }]).take(EMPTY, 10, 1);
    const pull = new BucketPull([{ from: 0, to: 9, isBare: false }]);
    const spans = pull.take(EMPTY, 10, 2);
    pull.handleAnswered(former, undefined);
    pull.handleLost(former);
    assert.equal(pull.isDone, false);
    assert.equal(pull.hasPending, false);
    pull.handleAnswered(spans, undefined);
    assert.equal(pull.isDone, true);
  });

  it("names what is held, except where that is more than all that the peer has, and then only once", () => {
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
    const all = { from: 0, to: 65_535 };
    const named = new BucketPull([{ ...all, isBare: false }]).take(map, 65_536, 1);
    assert.equal(named[0]?.held.length, HELD_WORDS);
    const pull = new BucketPull([{ ...all, isBare: true }]);
    const bare = pull.take(map, 65_536, 1);
    assert.equal(bare[0]?.held.length, 0);
    pull.handleAnswered(bare, 0);
    assert.equal(pull.take(map, 65_536, 2)[0]?.held.length, HELD_WORDS);
  });
});
