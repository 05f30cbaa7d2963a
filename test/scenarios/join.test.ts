import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KvRecord } from "../../src/core/record.js";
import { Disk } from "../sim/disk.js";
import { Random } from "../sim/random.js";
import { Stage } from "./stage.js";

describe("joining", () => {
  it("takes a node that hears nobody for 1.5 s to be alone, and live", () => {
    const stage = new Stage();
    stage.start("a");
    stage.pass(1_499);
    assert.deepEqual(stage.transcript(), ["a: seeking"]);
    stage.pass(2);
    assert.deepEqual(stage.transcript(), ["a: live"]);
  });

  it("pulls everything into an empty newcomer, compares once, and is live within milliseconds", () => {
    const stage = new Stage();
    const a = stage.start("a");
    stage.pass(2_000);
    stage.write(a, "x", "1");
    stage.write(a, "y", "2");
    stage.transcript();
    const b = stage.start("b");
    stage.pass(50);
    const transcript = stage.transcript();
    assert.deepEqual(
      transcript.filter((line) => !/question|answer nothing/.test(line)),
      [
        "b: seeking",
        "a: b is up",
        "b: a is up",
        "b: pulling",
        "a -> b: answer x",
        "a -> b: answer y",
        "b -> a: list",
        "a -> b: list_answer 0 groups",
        "b: live",
      ],
    );
    assert.ok(transcript.includes("b -> a: question buckets"));
    assert.equal(b.replica.map.root, a.replica.map.root);
  });

  it("lets those that are live wait until a newcomer is, before they compare themselves with it", () => {
    const stage = new Stage();
    const a = stage.start("a");
    stage.pass(2_000);
    stage.write(a, "x", "1");
    stage.start("b");
    stage.pass(5_000);
    assert.ok(!stage.transcript().some((line) => /^a -> b: (list$|question)/.test(line)));
  });

  it("compares a newcomer with one of those that hold the same, and not with each", () => {
    const stage = new Stage();
    const nodes = ["a", "b", "c", "d"].map((name) => stage.start(name));
    const [first] = nodes;
    assert.ok(first !== undefined);
    stage.pass(2_000);
    stage.write(first, "x", "1");
    stage.pass(3_000);
    stage.transcript();
    stage.start("new");
    stage.pass(200);
    const asked = stage.transcript().filter((line) => /^new -> .: list$/.test(line));
    assert.equal(asked.length, 1);
  });

  for (const count of [3, 5, 8]) {
    it(`makes ${String(count)} nodes equal that start together, each with what the others lack, as soon as all have loaded it`, () => {
      const stage = new Stage();
      stage.network.faults = { ...stage.network.faults, loadMsMax: 1_000 };
      const nodes = Array.from({ length: count }, (_, number) => {
        const name = `n${String(number)}`;
        const disk = new Disk(new Random(number + 1));
        disk.save(recordsOf(name, number + 1), true);
        return stage.start(name, { disk, fsync: "everysec" });
      });
      while (nodes.some(({ replica }) => replica.isLoading)) stage.pass(1);
      stage.pass(100);
      const all = (count * (count + 1)) / 2;
      for (const { replica } of nodes) assert.equal(replica.map.records, all, `${replica.self.name} has all`);
      // Each compares itself with each once, and with whoever was loading once more.
      const lists = stage.transcript().filter((line) => line.endsWith(": list")).length;
      assert.ok(lists <= 2 * count * (count - 1), `${String(lists)} rounds`);
    });
  }
});

/** So many records that only the node of this name has. */
function recordsOf(name: string, count: number): KvRecord[] {
  const writer = Buffer.from(name.padEnd(8, "+")).toString("hex");
  const fixed = { writer, kind: "value", value: "v", expiresAtMs: undefined, replaces: [] } as const;
  return Array.from({ length: count }, (_, number) => ({
    ...fixed,
    stamp: number,
    key: `${name}:${String(number)}`,
  }));
}
