import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Held, pushHeld } from "../../../src/core/held.js";
import type { KvRecord } from "../../../src/core/record.js";
import { STAMP_MAX } from "../../../src/core/version.js";

function recordOf(key: string, stamp: number, writer = "0123456789abcdef"): KvRecord {
  return { stamp, writer, key, kind: "value", value: "", expiresAtMs: undefined, replaces: [] };
}

describe("what a question says is held", () => {
  for (const stamp of [0, 1, 2 ** 21 - 1, 2 ** 21, 2 ** 32, STAMP_MAX - 1]) {
    it(`covers the version itself and older ones, at stamp ${String(stamp)}`, () => {
      const words: number[] = [];
      pushHeld(words, recordOf("k", stamp), 7);
      const held = new Held(Uint32Array.from(words), 7);
      assert.equal(held.covers(recordOf("k", stamp)), true);
      assert.equal(held.covers(recordOf("k", stamp - 1)), true);
      assert.equal(held.covers(recordOf("k", stamp + 1)), false);
      assert.equal(held.covers(recordOf("other", stamp)), false);
    });
  }

  it("tells apart two writers with one stamp, but for one question in 2 048", () => {
    let mistaken = 0;
    for (let id = 0; id < 4_096; id += 1) {
      const words: number[] = [];
      pushHeld(words, recordOf("k", 5), id);
      if (new Held(Uint32Array.from(words), id).covers(recordOf("k", 5, "fedcba9876543210"))) mistaken += 1;
    }
    assert.ok(mistaken < 12, String(mistaken));
  });
});
