import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Refusal } from "../../../src/cli/client.js";
import { ImportRun } from "../../../src/cli/import-run.js";
import { START } from "../../../src/cli/lines.js";
import { Progress } from "../../../src/cli/progress.js";
import { LankvError } from "../../../src/core/error.js";

type Call = (key: string) => Promise<unknown>;

function runOf(call: Call, flags: { readonly skipBad?: true } = {}): ImportRun {
  const progress = new Progress("imported", undefined, { color: false });
  const parts = { flags, progress, kept: undefined, size: undefined, from: START, nowMs: () => 0 };
  return new ImportRun(
    { call: (_, ...[key]) => (key === undefined ? Promise.resolve("OK") : call(String(key))) },
    parts,
  );
}

async function* input(...lines: readonly string[]): AsyncGenerator<Buffer, void> {
  yield Buffer.from(`${lines.join("\n")}\n`);
}

const lineOf = (key: string, value = "v"): string => JSON.stringify({ key, value });

describe("an import", () => {
  it("ends at what is not the line's fault, whatever is to be left out", async () => {
    for (const error of [
      new Refusal("MISCONF", "The daemon refused: MISCONF the disk is full"),
      new LankvError("LANKV_NO_DAEMON", "gone"),
    ]) {
      const run = runOf(
        async (key) => {
          if (key === "c") throw error;
          return "OK";
        },
        { skipBad: true },
      );
      await assert.rejects(run.read(input(lineOf("a"), "", lineOf("b"), lineOf("c"), lineOf("d"))), error);
      assert.equal(run.place.line, 3);
      assert.equal(run.counts.imported, 2);
      assert.equal(run.counts.bad, 0);
      assert(!run.isWhole);
    }
  });

  it("names the first bad line of those that are under way, whenever its reply comes", async () => {
    const run = runOf(async () => {
      await setImmediate();
      throw new Refusal("ERR", "The daemon refused: key must have 1 to 1024 bytes");
    });
    await assert.rejects(run.read(input(lineOf("a"), "{")), { message: /^Line 1 cannot be imported/ });
    assert.deepEqual(run.place, START);
  });

  it("waits for replies before it reads on: after 1 024 lines, or 4 MiB of them", async () => {
    for (const [count, bytes, atOnceMax] of [
      [3_000, 1, 1_024],
      [20, 1_048_576, 4],
    ] as const) {
      let unanswered = 0;
      let atOnce = 0;
      const run = runOf(async () => {
        unanswered += 1;
        atOnce = Math.max(atOnce, unanswered);
        await setImmediate();
        unanswered -= 1;
        return "OK";
      });
      await run.read(
        input(...Array.from({ length: count }, (_, at) => lineOf(String(at), "v".repeat(bytes)))),
      );
      assert.equal(atOnce, atOnceMax);
      assert.equal(run.counts.imported, count);
      assert(run.isWhole);
    }
  });
});
