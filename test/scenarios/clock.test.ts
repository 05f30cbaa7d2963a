/** A wall clock that is wrong for a while, beside three that agree. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Process } from "../sim/process.js";
import { Stage } from "./stage.js";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const VALUES = 10;

/** Three nodes that hold values with an hour to go. */
function threeNodes(): { stage: Stage; nodes: readonly Process[] } {
  const stage = new Stage();
  const nodes = ["a", "b", "c"].map((name) => stage.start(name));
  stage.pass(6_000);
  const [a] = nodes;
  assert.ok(a !== undefined);
  const expiresAtMs = a.replica.correctedMs(a.now.wallMs) + HOUR_MS;
  const keys = Array.from({ length: VALUES }, (_, i) => `k${String(i)}`);
  a.write(keys.map((key) => ({ key, value: "v", expiresAtMs })));
  a.flush();
  stage.pass(3_000);
  return { stage, nodes };
}

function valuesOf({ replica }: Process): number {
  return replica.map.values;
}

describe("a clock that is a day ahead", () => {
  it("costs no value when it joins and is corrected", () => {
    const { stage, nodes } = threeNodes();
    const late = stage.start("d", { skewMs: DAY_MS });
    stage.pass(20_000);
    assert.equal(Math.round(late.replica.clockOffsetMs / 1_000), -DAY_MS / 1_000);
    assert.deepEqual([...nodes, late].map(valuesOf), [VALUES, VALUES, VALUES, VALUES]);
  });

  for (const forMs of [100, 2_000, 60_000]) {
    it(`costs no value when it was set so for ${String(forMs)} ms`, () => {
      const { stage, nodes } = threeNodes();
      const [, , wrong] = nodes;
      assert.ok(wrong !== undefined);
      wrong.host.skewMs = DAY_MS;
      stage.pass(forMs);
      wrong.host.skewMs = 0;
      stage.pass(20_000);
      assert.equal(wrong.replica.clockOffsetMs, 0);
      assert.deepEqual(nodes.map(valuesOf), [VALUES, VALUES, VALUES]);
    });
  }

  it("is followed where nobody outvotes it, and memory is freed soon", () => {
    const stage = new Stage();
    const alone = stage.start("a");
    stage.pass(6_000);
    alone.write([
      { key: "k", value: "v", expiresAtMs: alone.replica.correctedMs(alone.now.wallMs) + HOUR_MS },
    ]);
    alone.flush();
    alone.host.skewMs = DAY_MS;
    stage.pass(10_000);
    assert.equal(valuesOf(alone), 0);
  });
});

describe("a value whose time runs out just after the start", () => {
  it("leaves memory at once where nobody is there whose clock could know better", () => {
    const stage = new Stage();
    const alone = stage.start("a");
    alone.write([{ key: "k", value: "v", expiresAtMs: alone.replica.correctedMs(alone.now.wallMs) + 500 }]);
    stage.pass(1_000);
    assert.equal(valuesOf(alone), 1);
    stage.pass(1_000);
    assert.equal(alone.replica.state, "live");
    assert.equal(valuesOf(alone), 0);
  });
});
