/** The keyspace of a real node, on the loopback interface. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { NodeKeyspace } from "../../../src/node/node-keyspace.js";
import { Node } from "../../../src/node/node.js";
import { resolveOptions } from "../../../src/node/options.js";
import { scan, SCAN_MAX } from "../../../src/resp/walk.js";
import { freeUdpPort } from "../net/loopback.js";

let node: Node;
let keyspace: NodeKeyspace;

beforeEach(async () => {
  node = await Node.open(
    resolveOptions({ memory: true, interfaces: ["lo"], beaconPort: await freeUdpPort() }),
  );
  keyspace = new NodeKeyspace(node, () => Promise.resolve());
});

afterEach(async () => {
  mock.restoreAll();
  await node.close();
});

describe("the count of writes that may have to wait for the disk", () => {
  it("leaves out what was refused", async () => {
    const directory = mkdtempSync(join(tmpdir(), "lankv-"));
    const strict = await Node.open(
      resolveOptions({
        dataDir: directory,
        fsync: "always",
        interfaces: ["lo"],
        beaconPort: await freeUdpPort(),
      }),
    );
    try {
      const kept = new NodeKeyspace(strict, () => Promise.resolve());
      kept.set("k", "v");
      kept.delete("k");
      assert.throws(() => kept.set("k".repeat(1_025), "v"), RangeError);
      kept.delete("missing");
      assert.equal(kept.durability?.writes, 2);
    } finally {
      await strict.close();
      rmSync(directory, { recursive: true });
    }
  });
});

describe("a key by chance", () => {
  it("is none when none holds a value", () => {
    assert.equal(keyspace.random(), undefined);
    for (const key of ["a", "b"]) keyspace.set(key, "v");
    for (const key of ["a", "b"]) keyspace.delete(key);
    assert.equal(keyspace.random(), undefined);
    keyspace.set("a", "v", keyspace.nowMs() - 1);
    assert.equal(keyspace.random(), undefined);
  });

  it("is each as likely as another", () => {
    const counts = new Map<string, number>();
    for (let key = 0; key < 64; key += 1) {
      keyspace.set(String(key), "v");
      keyspace.set(`gone ${key}`, "v");
      keyspace.delete(`gone ${key}`);
    }
    for (let draw = 0; draw < 6_400; draw += 1) {
      const key = keyspace.random()?.key ?? "none";
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    assert.equal(counts.size, 64);
    for (const [key, count] of counts) assert.ok(count > 40 && count < 200, `${key}: ${count} of 6400 draws`);
  });

  it("is found among many that are deleted, one as likely as another", () => {
    for (const key of ["kept", "beside it"]) keyspace.set(key, "v");
    for (let key = 0; key < 20_000; key += 1) keyspace.set(String(key), "v");
    for (let key = 0; key < 20_000; key += 1) keyspace.delete(String(key));
    const bucket = mock.method(node.map, "bucket");
    const counts = new Map([["kept", 0]]);
    for (let draw = 0; draw < 200; draw += 1) {
      const key = keyspace.random()?.key ?? "none";
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    assert.deepEqual([...counts.keys()], ["kept", "beside it"]);
    assert.ok((counts.get("kept") ?? 0) > 50 && (counts.get("kept") ?? 0) < 150, "half of 200 draws");
    assert.equal(bucket.mock.callCount(), 0, "walks over the buckets");
  });
});

describe("a walk where nearly all keys are dead", () => {
  const DEAD = 3 * SCAN_MAX;

  beforeEach(() => {
    for (let i = 0; i < DEAD; i += 1) keyspace.set(`dead ${i}`, "v");
    for (let i = 0; i < DEAD; i += 1) keyspace.delete(`dead ${i}`);
    keyspace.set("alive", "v");
  });

  it("ends a step of SCAN after so many records, and finds the living all the same", () => {
    const found: string[] = [];
    let [cursor, steps] = [0, 0];
    do {
      const scanned = scan(keyspace, cursor, 10, () => true);
      found.push(...scanned.keys);
      cursor = scanned.cursor;
      steps += 1;
    } while (cursor !== 0);
    assert.deepEqual(found, ["alive"]);
    assert.ok(steps >= DEAD / SCAN_MAX, `${steps} steps`);
  });

  it("meets each record, so that whoever walks can give way", () => {
    const met = [...keyspace.keys()];
    assert.equal(met.length, DEAD + 1);
    assert.deepEqual(
      met.filter((key) => key !== undefined),
      ["alive"],
    );
  });
});
