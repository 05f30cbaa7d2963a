/** Values whose time runs out, as the library and the Redis-protocol server see it. */
import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { storedToRecord, type Replaced } from "../../../src/core/record.js";
import type { Change, Lankv } from "../../../src/node/lankv.js";
import { Node } from "../../../src/node/node.js";
import { NodeKeyspace } from "../../../src/node/node-keyspace.js";
import { open } from "../../../src/node/open.js";
import { resolveOptions } from "../../../src/node/options.js";
import { freeUdpPort, until } from "../net/loopback.js";

/** Long enough for a value to arrive alive on a busy machine. */
const TTL_MS = 1_500;

const opened: { close(): Promise<void> }[] = [];
let beaconPort = 0;

beforeEach(async () => {
  beaconPort = await freeUdpPort();
});

afterEach(async () => {
  for (const node of opened.splice(0)) await node.close();
});

async function openOne(): Promise<Lankv> {
  const kv = await open({ memory: true, interfaces: ["lo"], beaconPort });
  opened.push(kv);
  return kv;
}

async function openKeyspace(): Promise<{ keyspace: NodeKeyspace; node: Node }> {
  const node = await Node.open(resolveOptions({ memory: true, interfaces: ["lo"], beaconPort }));
  opened.push(node);
  return { keyspace: new NodeKeyspace(node, () => Promise.resolve()), node };
}

function changesOf(kv: Lankv): Change[] {
  const changes: Change[] = [];
  kv.on("change", (change) => changes.push(change));
  return changes;
}

describe("a value whose time runs out", () => {
  it("is told with all else when it does so at the end of a turn, and whoever hears of it writes", async () => {
    const kv = await openOne();
    // Until then its clock is not to be trusted, and nothing runs out.
    await kv.ready();
    const changes = changesOf(kv);
    kv.on("change", ({ type }) => {
      if (type !== "expire") return;
      void kv.set("k", "again");
      void kv.set("after", "1");
    });
    // After what the system answers comes the end of the turn, before any timer: by then the time has run out.
    await stat(".");
    void kv.set("k", "value", { ttlMs: 20 });
    void kv.set("before", "1");
    for (const endMs = performance.now() + 50; performance.now() < endMs;);
    await until("all is told", () => changes.length === 5);
    assert.deepEqual(changes.map(({ type, key }) => `${type} ${key}`).sort(), [
      "expire k",
      "set after",
      "set before",
      "set k",
      "set k",
    ]);
  });

  it("is told by every node, gone from all counts, and sends nothing", async () => {
    const writer = await openOne();
    const reader = await openOne();
    for (const kv of [writer, reader]) await kv.ready({ peers: 1, timeoutMs: 20_000 });
    const [written, read] = [changesOf(writer), changesOf(reader)];
    const { version } = await writer.set("k", "value", { ttlMs: TTL_MS });
    for (const changes of [written, read]) {
      await until("it was set and has expired", () => changes.length === 2);
      assert.deepEqual(
        changes.map(({ type, key, value }) => [type, key, value]),
        [
          ["set", "k", "value"],
          ["expire", "k", undefined],
        ],
      );
      assert.equal(changes[1]?.version, version);
    }
    for (const kv of [writer, reader]) {
      assert.deepEqual([kv.status().keys, kv.status().bytes, kv.peek("k")], [0, 1, undefined]);
    }
    assert.equal(writer.status().head, 1);
    assert.equal(reader.status().head, 0);
    assert.equal(writer.status().root, reader.status().root);
  });

  it("can be written again", async () => {
    const kv = await openOne();
    const changes = changesOf(kv);
    await kv.set("k", "v", { ttlMs: 1 });
    await until("it was set and has expired", () => changes.length === 2);
    await kv.set("k", "w", { nx: true });
    assert.equal(kv.peek("k"), "w");
    assert.equal(kv.status().keys, 1);
  });
});

describe("a keyspace's listener", () => {
  it("is told what others wrote, what that replaced, and what expired", async () => {
    const { keyspace: writer } = await openKeyspace();
    const { keyspace, node } = await openKeyspace();
    await keyspace.ready({ peers: 1, synced: true, timeoutMs: 20_000, signal: new AbortController().signal });
    await writer.ready({ peers: 1, synced: true, timeoutMs: 20_000, signal: new AbortController().signal });
    const told: string[] = [];
    const show = (record: Replaced | undefined) => record && `${record.kind} ${record.value ?? "(not told)"}`;
    keyspace.listen({
      changed: (records, replaced) => {
        for (const [i, record] of records.entries())
          told.push(`${String(show(storedToRecord(record)))} over ${String(show(replaced[i]))}`);
      },
      expired: (keys) => told.push(...keys.map((key) => `expired ${key}`)),
      published: () => undefined,
    });
    node.write("own", "is not told");
    writer.set("k", "one");
    await until("1 told", () => told.length === 1);
    writer.set("k", "two", writer.nowMs() + TTL_MS);
    await until("3 told", () => told.length === 3);
    writer.set("k", "three");
    await until("4 told", () => told.length === 4);
    writer.delete("k");
    await until("5 told", () => told.length === 5);
    assert.deepEqual(told, [
      "value one over undefined",
      "value two over value one",
      "expired k",
      "value three over tombstone ",
      "tombstone  over value (not told)",
    ]);
  });

  for (const how of ["read", "written"] as const) {
    it(`is told that a key has expired before it is ${how}`, async () => {
      const { keyspace, node } = await openKeyspace();
      await keyspace.ready({
        peers: 0,
        synced: false,
        timeoutMs: 20_000,
        signal: new AbortController().signal,
      });
      const told: string[] = [];
      keyspace.listen({
        changed: () => undefined,
        expired: (keys) => told.push(...keys.map((key) => `expired ${key}`)),
        published: () => undefined,
      });
      const expiresAtMs = keyspace.nowMs() + 50;
      keyspace.set("k", "v", expiresAtMs);
      // Nothing else runs meanwhile, so no timer can have taken it away.
      while (keyspace.nowMs() <= expiresAtMs);
      if (how === "read") assert.equal(keyspace.get("k"), undefined);
      else keyspace.set("k", "w");
      told.push(how);
      assert.deepEqual(told, ["expired k", how]);
      await node.turn();
      assert.equal(told.length, 2);
    });
  }

  it("finds nothing that has expired, though it is still in memory", async () => {
    const { keyspace, node } = await openKeyspace();
    keyspace.set("k", "v", keyspace.nowMs() + 50);
    assert.equal(keyspace.get("k")?.value, "v");
    // Nothing else runs meanwhile, so no timer can have taken it away.
    while (keyspace.nowMs() < (node.map.get("k")?.expiresAtMs ?? 0));
    assert.equal(node.map.get("k")?.kind, "value");
    assert.equal(keyspace.get("k"), undefined);
    assert.deepEqual([...keyspace.keys()], [undefined]);
    assert.equal(keyspace.size, 0);
    await until("it is gone", () => node.map.values === 0);
    assert.equal(keyspace.lastWrite("k")?.kind, "tombstone");
  });
});
