import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { run } from "./run.js";
import { Tallies } from "./tallies.js";

const SEEDS = 100;

describe("the simulator, with faults that each seed mixes", () => {
  it(`finds every invariant kept in ${String(SEEDS)} seeds`, (t) => {
    const tallies = new Tallies();
    let simulatedMs = 0;
    let convergedMsMax = 0;
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const result = run({ seed, isHashed: false });
      const again = `again: npm run sim -- --seed ${String(seed)} --log`;
      const { checker, message } = result.failure ?? {};
      assert.equal(
        checker,
        undefined,
        `seed ${String(seed)}: ${String(checker)}: ${String(message)}\n${again}`,
      );
      tallies.addAll(result.tallies);
      simulatedMs += result.simulatedMs;
      convergedMsMax = Math.max(convergedMsMax, result.convergedMs ?? 0);
    }
    t.diagnostic(
      `${String(SEEDS)} seeds, ${(simulatedMs / 3_600_000).toFixed(2)} simulated hours: ${tallies.toString()}; ` +
        `equal after the heal within ${(convergedMsMax / 1_000).toFixed(1)} s`,
    );
  });

  it("does the same again with the same seed, to the last byte of its log", () => {
    for (const seed of [7, 23]) {
      const lines: string[] = [];
      const first = run({
        seed,
        print: (line) => {
          lines.push(line);
        },
      });
      const second = run({ seed });
      assert.equal(first.digest, second.digest);
      assert.equal(first.logLines, lines.length);
      assert.notEqual(first.digest, run({ seed: seed + 1 }).digest);
    }
  });
});
