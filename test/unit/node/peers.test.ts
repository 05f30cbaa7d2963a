/** Two and three nodes in this process, on the loopback interface. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Change, ConflictStatus, Lankv, OpenOptions } from "../../../src/node/lankv.js";
import { open } from "../../../src/node/open.js";
import { freeUdpPort, until } from "../net/loopback.js";

const opened: Lankv[] = [];
let beaconPort = 0;

beforeEach(async () => {
  beaconPort = await freeUdpPort();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((kv) => kv.close()));
});

async function openNode(name: string, options: OpenOptions = {}): Promise<Lankv> {
  const memory = options.dataDir === undefined;
  const kv = await open({ name, memory, interfaces: ["lo"], beaconPort, ...options });
  opened.push(kv);
  return kv;
}

async function openNodes(...names: string[]): Promise<Lankv[]> {
  const nodes = await Promise.all(names.map((name) => openNode(name)));
  await Promise.all(
    nodes.map((kv) => kv.ready({ peers: names.length - 1, synced: true, timeoutMs: 30_000 })),
  );
  return nodes;
}

async function areEqual(nodes: readonly Lankv[]): Promise<void> {
  await until("the roots are equal", () => new Set(nodes.map((kv) => kv.status().root)).size === 1);
}

describe("two nodes", () => {
  it("see each other", async () => {
    const [one, two] = await openNodes("one", "two");
    assert.ok(one !== undefined && two !== undefined);
    const [peer] = one.peers();
    const status = two.status();
    assert.equal(one.peers().length, 1);
    assert.equal(peer?.name, "two");
    assert.equal(peer.nodeId, status.nodeId);
    assert.equal(peer.state, "up");
    assert.equal(peer.linked, true);
    assert.equal(peer.address, `127.0.0.1:${status.port}`);
    assert.equal(peer.version, status.version);
    assert.equal(one.status().peers, 1);
  });

  it("hold the same after writes on both", async () => {
    const nodes = await openNodes("one", "two");
    const [one, two] = nodes;
    assert.ok(one !== undefined && two !== undefined);
    await one.set("a", "1");
    await two.set("b", "ü");
    await two.set("gone", "x");
    await two.delete("gone");
    await areEqual(nodes);
    await until("all is there", () => one.peek("b") === "ü" && two.peek("a") === "1");
    assert.equal(one.peek("gone"), undefined);
    assert.equal(one.status().keys, 2);
  });

  it("hold the same after a burst, and after a value too large to be pushed", async () => {
    const nodes = await openNodes("one", "two");
    const [one, two] = nodes;
    assert.ok(one !== undefined && two !== undefined);
    for (let i = 0; i < 20_000; i += 1) await one.set(`k${i}`, String(i));
    const large = "x".repeat(1_048_576);
    await one.set("large", large);
    await areEqual(nodes);
    assert.equal(two.status().keys, 20_001);
    assert.ok(two.peek("large") === large);
  });

  it("keep expiry and conditions to what is known here", async () => {
    const nodes = await openNodes("one", "two");
    const [one, two] = nodes;
    assert.ok(one !== undefined && two !== undefined);
    const { version } = await one.set("k", "1", { ttlMs: 60_000 });
    await until("it came", () => two.peek("k") === "1");
    const entries = [await one.entry("k"), await two.entry("k")];
    assert.deepEqual(entries[1], entries[0]);
    await two.set("k", "2", { ifVersion: version });
    await assert.rejects(two.set("k", "3", { nx: true }), { code: "LANKV_CONDITION" });
  });

  it("tell what changed elsewhere, who came and who went", async () => {
    const one = await openNode("one");
    const changes: Change[] = [];
    const events: string[] = [];
    one.on("change", (change) => changes.push(change));
    one.on("peer:up", (peer) => events.push(`${peer.name} up`));
    one.on("peer:gone", (peer) => events.push(`${peer.name} gone`));
    const two = await openNode("two");
    await Promise.all([one, two].map((kv) => kv.ready({ peers: 1, timeoutMs: 30_000 })));
    const { version } = await two.set("k", "v");
    await until("the change is told", () => changes.length > 0);
    const origin = two.status().writer;
    assert.deepEqual(changes, [{ type: "set", key: "k", value: "v", version, origin }]);
    await two.close();
    // It said goodbye, so nobody waits out the four seconds of silence.
    await until("it is gone", () => events.length > 1, 3_000);
    assert.deepEqual(events, ["two up", "two gone"]);
    assert.deepEqual(one.peers(), []);
    assert.equal(one.peek("k"), "v");
  });

  it("ask each other for a key that is missing while one still pulls", async () => {
    const one = await openNode("one");
    await one.ready();
    await one.set("k", "v");
    const two = await openNode("two");
    assert.equal(two.peek("k"), undefined);
    assert.equal(await two.get("k", { timeoutMs: 30_000 }), "v");
  });

  it("answer that nobody has a key, well before the time is up", async () => {
    const [one, two] = await openNodes("one", "two");
    assert.ok(one !== undefined && two !== undefined);
    const sinceMs = performance.now();
    assert.equal(await one.get("none", { timeoutMs: 600_000 }), undefined);
    assert.ok(performance.now() - sinceMs < 300_000);
    await two.set("there", "x");
    assert.equal(await one.get("there", { timeoutMs: 30_000 }), "x");
  });

  it("list the write that lost when both wrote before they met", async () => {
    const one = await openNode("one");
    await one.set("k", "first");
    const two = await openNode("two");
    // Nothing can have come in yet: the event loop has not turned since it opened.
    await two.set("k", "second");
    const told: ConflictStatus[] = [];
    for (const kv of [one, two]) kv.on("conflict", (conflict) => told.push(conflict));
    await areEqual([one, two]);
    await until("the conflict is told", () => told.length > 0);
    const [conflict] = told;
    assert.equal(conflict?.key, "k");
    assert.equal(conflict.winner.value, "second");
    assert.equal(conflict.loser.value, "first");
    assert.equal(conflict.loser.origin, one.status().writer);
    assert.equal(one.peek("k"), "second");
    const listed = [...one.conflicts(), ...two.conflicts()];
    assert.ok(listed.length >= 1 && listed.every(({ loser }) => loser.value === "first"));
    assert.equal(one.status().conflicts + two.status().conflicts, listed.length);
  });

  it("of different clusters do not meet", async () => {
    const one = await openNode("one");
    const two = await openNode("two", { cluster: "other" });
    await until("they heard each other", () =>
      [one, two].every((kv) => (kv.status().ignored["beacon: other cluster"] ?? 0) > 0),
    );
    assert.deepEqual([...one.peers(), ...two.peers()], []);
  });

  it("take an id each when a data directory was copied", async () => {
    const scratch = mkdtempSync(join(tmpdir(), "lankv-"));
    const [original, copy] = [join(scratch, "a"), join(scratch, "b")];
    const first = await openNode("one", { dataDir: original });
    const { nodeId } = first.status();
    await first.close();
    cpSync(original, copy, { recursive: true });
    const one = await openNode("one", { dataDir: original });
    const two = await openNode("two", { dataDir: copy });
    await until("one of them took another", () => one.status().nodeId !== two.status().nodeId);
    const ids = [one, two].map((kv) => kv.status().nodeId);
    assert.ok(ids.includes(nodeId));
    const kept = (directory: string): string => readFileSync(join(directory, "node-id"), "utf8").trim();
    await until("both are kept", () => kept(original) === ids[0] && kept(copy) === ids[1]);
    await Promise.all([one.close(), two.close()]);
    rmSync(scratch, { recursive: true });
  });
});

describe("three nodes", () => {
  it("hold the same, also what was written before they met and after one left", async () => {
    const one = await openNode("one");
    for (let i = 0; i < 500; i += 1) await one.set(`before${i}`, String(i));
    const nodes = [one, await openNode("two"), await openNode("three")];
    await Promise.all(nodes.map((kv) => kv.ready({ peers: 2, synced: true, timeoutMs: 30_000 })));
    for (const kv of nodes) assert.equal(kv.status().keys, 500);
    await Promise.all(nodes.map((kv, i) => kv.set(`by${i}`, "x")));
    await areEqual(nodes);
    await nodes[2]?.close();
    const left = nodes.slice(0, 2);
    await until("it is gone", () => left.every((kv) => kv.status().peers === 1));
    await left[0]?.set("after", "x");
    await areEqual(left);
    assert.equal(left[1]?.status().keys, 504);
  });

  it("follow the last writer of a key", async () => {
    const nodes = await openNodes("one", "two", "three");
    const [one, two, three] = nodes;
    assert.ok(one !== undefined && two !== undefined && three !== undefined);
    await Promise.all(nodes.map((kv, i) => kv.set("k", `from ${i}`)));
    await areEqual(nodes);
    await until("all read the same", () => new Set(nodes.map((kv) => kv.peek("k"))).size === 1);
    await three.set("k", "last");
    await until("all read the last", () => nodes.every((kv) => kv.peek("k") === "last"));
  });
});
