import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { askEach, KEYS_AT_ONCE } from "../../../src/cli/ask-each.js";

describe("what is asked of many keys", () => {
  it("is asked of a few at a time, and leaves out what is gone", async () => {
    let asked = 0;
    let askedAtOnce = 0;
    const client = {
      async call(): Promise<unknown> {
        asked += 1;
        askedAtOnce = Math.max(askedAtOnce, asked);
        await setImmediate();
        asked -= 1;
        return asked === 0 ? null : Buffer.from("{}");
      },
    };
    const keys = new Array<Buffer>(KEYS_AT_ONCE * 2 + 1).fill(Buffer.from("k"));
    const windows: number[] = [];
    for await (const answers of askEach(client, "LANKV.META", keys)) windows.push(answers.length);
    assert.equal(askedAtOnce, KEYS_AT_ONCE);
    assert.deepEqual(windows, [KEYS_AT_ONCE - 1, KEYS_AT_ONCE - 1, 0]);
  });
});
