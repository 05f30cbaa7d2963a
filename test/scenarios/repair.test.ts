import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Process } from "../sim/process.js";
import { Stage } from "./stage.js";

/** Two nodes that know each other, hold the same and are silent. */
function twoNodes(options: { readonly ringKeysMax?: number } = {}): { stage: Stage; a: Process; b: Process } {
  const stage = new Stage();
  const a = stage.start("a", options);
  const b = stage.start("b", options);
  stage.pass(6_000);
  stage.transcript();
  return { stage, a, b };
}

/** Writes each millisecond. @returns how often the roots differed, looked at each second */
function writeFor(ms: number, stage: Stage, process: Process): number {
  let differing = 0;
  for (let i = 0; i < ms; i += 1) {
    stage.write(process, `key-${String(i % 100)}`, String(i));
    stage.pass(1);
    const roots = stage.network.processes.map(({ replica }) => replica.map.root);
    if (i % 1_000 === 999 && new Set(roots).size > 1) differing += 1;
  }
  return differing;
}

describe("repairing a stream", () => {
  it("asks at once when a later message shows the gap", () => {
    const { stage, a } = twoNodes();
    stage.dropMessages(true);
    stage.write(a, "lost", "1");
    stage.dropMessages(false);
    stage.write(a, "seen", "2");
    stage.pass(20);
    assert.deepEqual(stage.transcript(), [
      "a -> all: set 1 lost",
      "a -> all: set 2 seen",
      "b -> a: question stream 1..1",
      "a -> b: answer lost",
    ]);
  });

  it("asks when a tick tells of a message that has not come 100 ms later", () => {
    const { stage, a, b } = twoNodes();
    stage.dropMessages(true);
    stage.write(a, "lost", "1");
    stage.dropMessages(false);
    stage.pass(1_200);
    assert.deepEqual(stage.transcript(), [
      "a -> all: set 1 lost",
      "b -> a: question stream 1..1",
      "a -> b: answer lost",
    ]);
    assert.equal(b.replica.get("lost")?.value, "1");
  });

  it("asks again when the answer is lost", () => {
    const { stage, a, b } = twoNodes();
    stage.dropMessages(true);
    stage.write(a, "lost", "1");
    stage.dropMessages(false);
    stage.write(a, "seen", "2");
    stage.pass(0.9);
    for (let i = 0; i < 400 && b.replica.get("seen") === undefined; i += 1) stage.pass(0.01);
    stage.dropMessages(true);
    stage.pass(500);
    stage.dropMessages(false);
    stage.pass(1_500);
    assert.deepEqual(stage.transcript().slice(2), [
      "b -> a: question stream 1..1",
      "a -> b: answer lost",
      "b -> a: question stream 1..1",
      "a -> b: answer lost",
    ]);
  });

  it("sends of a range only what is still current, each record once", () => {
    const { stage, a } = twoNodes();
    stage.dropMessages(true);
    for (const value of ["1", "2", "3"]) stage.write(a, "often", value);
    stage.write(a, "once", "1");
    stage.dropMessages(false);
    stage.write(a, "last", "1");
    stage.pass(20);
    assert.deepEqual(stage.transcript().slice(-2), [
      "b -> a: question stream 1..4",
      "a -> b: answer often once",
    ]);
  });

  it("leaves what fell off the ring to the fingerprints, once for all of it", () => {
    const { stage, a, b } = twoNodes({ ringKeysMax: 2 });
    stage.dropMessages(true);
    for (let i = 0; i < 5; i += 1) stage.write(a, `lost-${String(i)}`, "1");
    stage.dropMessages(false);
    stage.write(a, "seen", "2");
    stage.pass(50);
    assert.deepEqual(stage.transcript().slice(6), [
      "b -> a: question stream 1..5",
      "a -> b: answer lost-4",
      "b -> a: list",
      "a -> b: list_answer 4 groups",
      "b -> a: question buckets",
      "a -> b: answer lost-3 lost-0 lost-1 lost-2",
    ]);
    assert.equal(a.replica.map.root, b.replica.map.root);
  });

  it("announces a value larger than a message, and lets readers ask for it", () => {
    const { stage, a, b } = twoNodes();
    stage.write(a, "large", "x".repeat(100_000));
    stage.pass(50);
    assert.deepEqual(stage.transcript(), [
      "a -> all: set 1 nothing",
      "b -> a: question stream 1..1",
      "a -> b: answer large",
    ]);
    assert.equal(b.replica.get("large")?.value.length, 100_000);
  });
});

describe("anti-entropy", () => {
  it("says nothing while roots are equal", () => {
    const { stage, a, b } = twoNodes();
    stage.write(a, "x", "1");
    stage.pass(10);
    stage.transcript();
    stage.pass(60_000);
    assert.deepEqual(stage.transcript(), []);
    assert.equal(a.replica.map.root, b.replica.map.root);
  });

  it("does not compare with a peer that is behind with what is being written here", () => {
    const { stage, a, b } = twoNodes();
    stage.delay(20);
    assert.ok(writeFor(10_000, stage, a) > 5, "a tick tells of another root now and then");
    stage.pass(2_000);
    assert.ok(!stage.transcript().some((line) => line.includes("list")));
    assert.equal(a.replica.map.root, b.replica.map.root);
  });

  it("finds what only the peer holds though this node writes all the time", () => {
    const { stage, a, b } = twoNodes();
    stage.delay(20);
    const writer = "c".repeat(16);
    const secret = { stamp: 1, writer, key: "secret", kind: "value", value: "1" } as const;
    b.replica.restore([{ ...secret, expiresAtMs: undefined, replaces: [] }], b.now);
    writeFor(15_000, stage, a);
    assert.equal(a.replica.get("secret")?.value, "1");
  });

  it("finds it after three ticks when this node does not write any more", () => {
    const { stage, a, b } = twoNodes();
    stage.write(a, "x", "1");
    stage.pass(3_000);
    const secret = { stamp: 1, writer: "c".repeat(16), key: "secret", kind: "value", value: "1" } as const;
    b.replica.restore([{ ...secret, expiresAtMs: undefined, replaces: [] }], b.now);
    stage.pass(1_900);
    assert.equal(a.replica.get("secret"), undefined);
    stage.pass(2_500);
    assert.equal(a.replica.get("secret")?.value, "1");
  });

  it("after a cut, each side pulls what it missed and is sent nothing that it has overwritten", () => {
    const { stage, a, b } = twoNodes();
    stage.write(a, "old", "1");
    stage.write(a, "both", "1");
    stage.pass(2_000);
    stage.cut(a, b);
    stage.pass(5_000);
    stage.write(a, "old", undefined);
    stage.write(a, "both", "a");
    stage.write(b, "mine", "b");
    stage.write(b, "both", "b");
    stage.transcript();
    stage.mend(a, b);
    stage.pass(4_000);
    const transcript = stage.transcript();
    assert.ok(transcript.some((line) => line.startsWith("b -> a: answer") && !line.includes("old")));
    assert.ok(transcript.includes("a: conflict over both") || transcript.includes("b: conflict over both"));
    assert.ok(!transcript.some((line) => line.startsWith("b -> a: answer") && line.includes("old")));
    assert.equal(a.replica.map.root, b.replica.map.root);
    assert.equal(b.replica.get("old")?.kind, "tombstone");
  });
});

describe("receipts", () => {
  it("come after one round trip, and nothing is asked when nobody waits any more", () => {
    const { stage, a } = twoNodes();
    stage.write(a, "x", "1");
    a.confirm(1_000);
    stage.pass(5_000);
    assert.deepEqual(stage.transcript(), ["a -> all: set 1 x", "a -> b: confirm 1", "b -> a: receipt 1"]);
  });

  it("show what was dropped last, and come when it is there", () => {
    const { stage, a } = twoNodes();
    stage.dropMessages(true);
    stage.write(a, "lost", "1");
    stage.dropMessages(false);
    a.confirm(1_000);
    stage.pass(250);
    assert.deepEqual(stage.transcript(), [
      "a -> all: set 1 lost",
      "a -> b: confirm 1",
      "a -> b: confirm 1",
      "b -> a: question stream 1..1",
      "a -> b: answer lost",
      "a -> b: confirm 1",
      "b -> a: receipt 1",
    ]);
  });

  it("say nothing of a key that the answer left out, until a round has found what became of it", () => {
    const { stage, a, b } = twoNodes();
    const c = stage.start("c");
    stage.pass(6_000);
    stage.cut(b, c);
    stage.dropMessages(true);
    stage.write(a, "k", "of a");
    stage.dropMessages(false);
    const held = a.replica.get("k");
    assert.ok(held !== undefined);
    c.replica.restore([held], c.now);
    stage.write(c, "k", "of c");
    stage.pass(10);
    assert.equal(a.replica.get("k")?.value, "of c");
    stage.transcript();
    a.confirm(3_000);
    stage.pass(500);
    const ofB = stage.transcript().filter((line) => !line.includes("c ->") && !line.includes("-> c"));
    assert.deepEqual(
      ofB.filter((line) => !line.includes("confirm")),
      [
        "b -> a: question stream 1..1",
        "a -> b: answer nothing",
        "b -> a: list",
        "a -> b: list_answer 1 groups",
        "b -> a: question buckets",
        "a -> b: answer k",
        "b -> a: receipt 1",
      ],
    );
  });

  it("say nothing of it either where the budget ended the answer", () => {
    const { stage, a, b } = twoNodes();
    const c = stage.start("c");
    stage.pass(6_000);
    stage.cut(b, c);
    stage.dropMessages(true);
    stage.write(a, "k", "of a");
    const held = a.replica.get("k");
    assert.ok(held !== undefined);
    for (let i = 0; i < 8; i += 1) stage.write(a, `filler-${String(i)}`, "x".repeat(50_000));
    stage.dropMessages(false);
    c.replica.restore([held], c.now);
    stage.write(c, "k", "of c");
    stage.pass(10);
    assert.equal(a.replica.get("k")?.value, "of c");
    stage.transcript();
    a.confirm(3_000);
    stage.pass(1_000);
    const ofB = stage.transcript().filter((line) => line.startsWith("a -> b") || line.startsWith("b -> a"));
    assert.equal(ofB.filter((line) => line.startsWith("b -> a: question stream")).length, 2);
    const brought = ofB.findIndex((line) => line.startsWith("a -> b: answer") && line.endsWith(" k"));
    const confirmed = ofB.indexOf("b -> a: receipt 9");
    assert.ok(brought >= 0 && confirmed > brought, ofB.join("\n"));
  });
});
