import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { REPLACES_MAX, isUnseen, replacing, type KvRecord } from "../../../src/core/record.js";

/** A write by `writer` over `held`. */
function write(stamp: number, writer: string, held?: KvRecord): KvRecord {
  const replaces = replacing(held, writer);
  return { stamp, writer, key: "k", kind: "value", value: "", expiresAtMs: undefined, replaces };
}

describe("what a record replaces", () => {
  it("has seen what it was written over, and what that had seen", () => {
    const a = write(1, "a");
    const b = write(2, "b", a);
    const c = write(3, "c", b);
    assert.equal(isUnseen(a, c), false);
    assert.equal(isUnseen(b, c), false);
  });

  it("has not seen a concurrent write", () => {
    const a = write(1, "a");
    const b = write(2, "b");
    assert.equal(isUnseen(a, b), true);
  });

  it("has not seen a write that came between two of its own", () => {
    const first = write(1, "a");
    const cutOff = write(2, "c");
    const second = write(3, "a", first);
    assert.equal(isUnseen(cutOff, second), true);
    assert.equal(isUnseen(first, second), false);
  });

  it("has seen an earlier write of a process, and not a later one", () => {
    const early = write(1, "a");
    const b = write(2, "b", early);
    assert.equal(isUnseen(early, b), false);
    assert.equal(isUnseen(write(1.5, "a", early), b), true);
  });

  it("names at most eight others, and takes what is older than those for seen", () => {
    let record = write(1, "w1");
    for (let i = 2; i <= REPLACES_MAX + 2; i += 1) record = write(i, `w${String(i)}`, record);
    assert.equal(record.replaces.length, REPLACES_MAX);
    assert.equal(isUnseen(write(1, "w1"), record), false);
    assert.equal(isUnseen(write(1.5, "x"), record), false);
    assert.equal(isUnseen(write(REPLACES_MAX, "x"), record), true);
  });
});
