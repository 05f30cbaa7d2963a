import assert from "node:assert/strict";
import { describe, it } from "node:test";
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
});
