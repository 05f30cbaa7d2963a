import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Stage } from "./stage.js";

describe("presence", () => {
  it("drops a peer at once when it says goodbye", () => {
    const stage = new Stage();
    stage.start("a");
    const b = stage.start("b");
    stage.pass(3_000);
    stage.transcript();
    b.stop();
    stage.pass(5);
    assert.deepEqual(stage.transcript(), ["a: b is gone"]);
    assert.equal(
      b.replica.wakeAtMs,
      Infinity,
      "who has ended waits for nothing, not even while it saves the rest",
    );
  });

  it("takes a silent peer for quiet after 2.5 s and for gone after 4 s", () => {
    const stage = new Stage();
    const a = stage.start("a");
    const b = stage.start("b");
    stage.pass(3_000);
    stage.transcript();
    const silentFromMs = a.replica.presence.peers.get(b.writer)?.heardAtMs ?? 0;
    const offsetMs = a.now.monoMs - stage.nowMs;
    b.crash();
    stage.pass(silentFromMs - offsetMs + 2_600 - stage.nowMs);
    assert.deepEqual(stage.transcript(), ["a: b is quiet"]);
    stage.pass(1_500);
    assert.deepEqual(stage.transcript(), ["a: b is gone"]);
  });

  it("gives the greater of two processes of a copied data directory a new node id", () => {
    const stage = new Stage();
    const original = stage.start("original", { nodeId: "00000000000000aa", writer: "1111111111111111" });
    const copy = stage.start("copy", { nodeId: "00000000000000aa", writer: "2222222222222222" });
    stage.pass(4_000);
    assert.equal(stage.transcript().filter((line) => line === "copy: takes a new node id").length, 1);
    assert.equal(original.replica.self.nodeId, "00000000000000aa");
    assert.notEqual(copy.replica.self.nodeId, "00000000000000aa");
  });

  it("does so too when there are three", () => {
    const stage = new Stage();
    const writers = ["1111111111111111", "2222222222222222", "3333333333333333"];
    const all = writers.map((writer) => stage.start(writer, { nodeId: "00000000000000aa", writer }));
    stage.pass(8_000);
    assert.equal(new Set(all.map(({ replica }) => replica.self.nodeId)).size, 3);
  });

  it("finds a peer again whose address has changed", () => {
    const stage = new Stage();
    const a = stage.start("a");
    const b = stage.start("b");
    stage.pass(3_000);
    b.host.address = "10.0.0.99";
    b.networkChanged();
    stage.pass(9_000);
    stage.write(b, "x", "1");
    stage.write(a, "y", "2");
    stage.pass(50);
    assert.equal(a.replica.get("x")?.value, "1");
    assert.equal(b.replica.get("y")?.value, "2");
    assert.equal(a.replica.presence.peers.get(b.writer)?.host, "10.0.0.99");
  });

  it("bootstraps again after it was blocked for long, and holds nobody's silence against them", () => {
    const stage = new Stage();
    const a = stage.start("a");
    const b = stage.start("b");
    stage.pass(3_000);
    stage.transcript();
    b.block();
    stage.pass(10_000);
    stage.write(a, "meanwhile", "1");
    b.unblock();
    stage.pass(1_000);
    const transcript = stage.transcript();
    const states = transcript.filter((line) => line.startsWith("b: "));
    assert.equal(states[0], "b: seeking");
    assert.equal(states.at(-1), "b: live");
    assert.ok(transcript.includes("a: b is gone") && transcript.includes("a: b is up"));
    assert.equal(b.replica.get("meanwhile")?.value, "1");
  });

  it("stays linked while only beacons are lost", () => {
    const stage = new Stage();
    const a = stage.start("a");
    const b = stage.start("b");
    stage.pass(3_000);
    stage.transcript();
    stage.network.setUdpOut(true);
    stage.pass(30_000);
    stage.write(a, "x", "1");
    stage.pass(10);
    assert.deepEqual(stage.transcript(), ["a -> all: set 1 x"]);
    assert.equal(b.replica.get("x")?.value, "1");
  });

  it("does not hang on a peer that answers nothing: the round ends with the link, and another peer is asked", () => {
    const stage = new Stage();
    const [a, b, c] = [stage.start("a"), stage.start("b"), stage.start("c")];
    stage.pass(4_000);
    stage.cut(a, b);
    stage.cut(b, c);
    stage.write(a, "x", "1");
    stage.pass(6_000);
    // b hears a's beacons again, but nothing comes of their connection.
    stage.network.uncut(a.host, b.host);
    stage.mend(b, c);
    stage.pass(12_000);
    assert.equal(b.replica.get("x")?.value, "1");
    assert.equal(b.replica.state, "live");
  });
});
