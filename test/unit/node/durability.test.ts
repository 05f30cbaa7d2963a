/** What nodes in this process keep on disk, what their writes wait for, and a disk that fails. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, type TestContext } from "node:test";
import { LankvError } from "../../../src/core/error.js";
import type { Lankv, OpenOptions, StorageStatus } from "../../../src/node/lankv.js";
import { Node } from "../../../src/node/node.js";
import { NodeKeyspace } from "../../../src/node/node-keyspace.js";
import { open } from "../../../src/node/open.js";
import { resolveOptions } from "../../../src/node/options.js";
import { Log } from "../../../src/storage/log.js";
import type { Loaded } from "../../../src/storage/storage.js";
import { freeUdpPort, until } from "../net/loopback.js";

let scratch = "";
let beaconPort = 0;
const opened: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), "lankv-"));
  beaconPort = await freeUdpPort();
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close().catch(() => undefined);
  rmSync(scratch, { recursive: true });
});

async function openOne(options: OpenOptions = {}): Promise<Lankv> {
  const kv = await open({ interfaces: ["lo"], beaconPort, dataDir: join(scratch, "data"), ...options });
  opened.push(kv);
  return kv;
}

/** From now on saving fails, until the mock is restored. */
function fill(test: TestContext): { restore(): void } {
  return test.mock.method(Log.prototype, "save", () =>
    Promise.reject(Object.assign(new Error("no space left on device"), { code: "ENOSPC" })),
  ).mock;
}

describe("keys on disk", () => {
  it("are there again, deletes, expiries and versions too, and are not told as changes", async () => {
    const first = await openOne();
    const { version } = await first.set("one", "111");
    await first.set("photo", Uint8Array.of(255, 0));
    await first.set("gone", "x");
    await first.delete("gone");
    await first.set("note", "n", { ttlMs: 3_600_000 });
    const before = await first.entry("note");
    await first.close();

    const second = await openOne();
    const changes: unknown[] = [];
    second.on("change", (change) => changes.push(change));
    assert.equal((await second.entry("one"))?.version, version);
    assert.deepEqual((await second.entry("photo"))?.bytes, Uint8Array.of(255, 0));
    assert.equal(second.peek("gone"), undefined);
    assert.deepEqual(await second.entry("note"), before);
    assert.deepEqual([second.status().keys, second.status().loading], [3, null]);
    await second.ready();
    assert.deepEqual(changes, []);
    // A write wins over what was loaded.
    await second.set("one", "222");
    await second.close();
    assert.equal((await openOne()).peek("one"), "222");
  });

  it("are saved and synced before a write with durable: true, or any with always, resolves", async (test) => {
    for (const fsync of ["never", "everysec", "always"] as const) {
      const kv = await openOne({ fsync, dataDir: join(scratch, fsync) });
      const save = test.mock.method(Log.prototype, "save");
      const options = fsync === "always" ? {} : { durable: true };
      for (const write of [
        () => kv.set("k", "v", options),
        () => kv.batch([{ type: "set", key: "b", value: "v" }], options),
        () => kv.delete("k", options),
      ]) {
        const before = save.mock.callCount();
        await write();
        const calls = save.mock.calls.slice(before);
        assert(calls.some(({ arguments: [, sync] }) => sync));
        assert.equal(kv.status().storage?.unsaved, 0);
      }
      save.mock.restore();
      await kv.close();
    }
  });

  it("take one sync for writes that wait together", async (test) => {
    const kv = await openOne({ fsync: "always" });
    const save = test.mock.method(Log.prototype, "save");
    await Promise.all(Array.from({ length: 500 }, (_, i) => kv.set(`k${i}`, "v")));
    assert.equal(save.mock.callCount(), 1);
  });

  it("are refused where nothing is kept", async () => {
    const kv = await openOne({ memory: true });
    await assert.rejects(kv.set("k", "v", { durable: true }), {
      name: "RangeError",
      message: /memory: true/,
    });
    assert.equal(kv.peek("k"), undefined);
    assert.deepEqual([kv.status().storage, kv.status().dataDir], [null, null]);
    await assert.rejects(openOne({ memory: true, fsync: "always" }), RangeError);
  });
});

describe("a write that waits for peers", () => {
  it("resolves when they hold it, and otherwise says how many do", async () => {
    const one = await openOne({ memory: true });
    await openOne({ dataDir: join(scratch, "peer"), fsync: "always" });
    await one.ready({ peers: 1, synced: true, timeoutMs: 30_000 });
    await one.set("k", "v", { replicas: 1 });
    const signal = AbortSignal.timeout(300);
    await assert.rejects(one.set("k", "w", { replicas: 2, signal }), {
      code: "LANKV_REPLICAS",
      stateChanged: true,
      message: /the wait was ended when \d of 2 peers had confirmed it/,
    });
    assert.equal(one.peek("k"), "w");
    await assert.rejects(one.delete("k", { replicas: 1.5 }), RangeError);
    await assert.rejects(one.batch([], { replicas: 257 }), RangeError);
    assert.equal(one.peek("k"), "w");
  });
});

describe("a write that waits for disk and peers when its node is closed", () => {
  it("says that it was made", async () => {
    const kv = await openOne();
    const write = kv.set("k", "v", { durable: true, replicas: 1 });
    const failing = assert.rejects(write, {
      code: "LANKV_REPLICAS",
      stateChanged: true,
      message: /this node was closed when 0 of 1 peers/,
    });
    await kv.close();
    await failing;
  });
});

describe("a disk that takes nothing", () => {
  it("is told once; writes are refused, reads go on, and all is saved when it works again", async (test) => {
    const kv = await openOne({ fsync: "always" });
    await kv.set("before", "1");
    const errors: Error[] = [];
    const told: StorageStatus[] = [];
    kv.on("error", (error) => errors.push(error));
    kv.on("storage", (storage) => told.push(storage));
    const full = fill(test);
    const failed = await kv.set("during", "2").then(
      () => undefined,
      (error: unknown) => error,
    );
    assert(failed instanceof LankvError);
    assert.deepEqual([failed.code, failed.stateChanged], ["LANKV_DISK", true]);
    assert.match(failed.message, /^Written in memory and to the LAN, .*: the disk is full\.$/);
    assert.equal(kv.peek("during"), "2");

    await assert.rejects(kv.set("refused", "3"), {
      code: "LANKV_DISK",
      stateChanged: false,
      message: /Make room/,
    });
    await assert.rejects(kv.delete("before"), { code: "LANKV_DISK" });
    assert.deepEqual([kv.peek("refused"), kv.peek("before")], [undefined, "1"]);
    assert.equal(kv.status().storage?.failing, "the disk is full");
    assert.deepEqual(
      errors.map((error) => error instanceof LankvError && error.code),
      ["LANKV_DISK"],
    );

    full.restore();
    await until("saving works again", () => told.length === 2);
    assert.deepEqual(
      told.map(({ failing }) => failing),
      ["the disk is full", null],
    );
    await kv.set("after", "4");
    await kv.close();
    const again = await openOne();
    assert.deepEqual(await again.getMany(["before", "during", "refused", "after"]), [
      "1",
      "2",
      undefined,
      "4",
    ]);
  });

  it("is told by close, which frees everything else", async (test) => {
    const kv = await openOne();
    await kv.set("k", "v");
    const full = fill(test);
    await assert.rejects(kv.close(), { code: "LANKV_DISK", stateChanged: true });
    full.restore();
    await openOne();
  });
});

describe("a disk that does not answer", () => {
  it("keeps the directory from others when the node is closed, until it does", async (test) => {
    const kv = await openOne();
    let answer: () => void = () => undefined;
    const save = test.mock.method(Log.prototype, "save", () => new Promise<void>((end) => (answer = end)));
    await kv.set("k", "v");
    await assert.rejects(kv.close(), { code: "LANKV_DISK", stateChanged: true });
    await assert.rejects(openOne(), { code: "LANKV_IN_USE" });
    save.mock.restore();
    answer();
    await until("the directory is free", () => !existsSync(join(scratch, "data", "lock")));
    await openOne();
  });
});

describe("loading", () => {
  /** Loads nothing until the test says so. */
  function slow(test: TestContext): { readonly end: (error?: Error) => void } {
    let end: (error?: Error) => void = () => undefined;
    const ended = new Promise<void>((resolve, reject) => {
      end = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Nobody may wait for it yet.
    ended.catch(() => undefined);
    test.mock.method(Log.prototype, "load", async function* (): AsyncGenerator<Loaded, void> {
      await ended;
      yield { records: [], bytesDone: 1, bytesTotal: 1 };
    });
    return { end };
  }

  async function openNode(): Promise<Node> {
    const options = { interfaces: ["lo"], beaconPort, dataDir: join(scratch, "data") };
    const node = await Node.open(resolveOptions(options));
    opened.push(node);
    return node;
  }

  it("goes on while the node is there already", async (test) => {
    const { end } = slow(test);
    const node = await openNode();
    const keyspace = new NodeKeyspace(node, () => Promise.resolve());
    const never = new AbortController().signal;
    assert.deepEqual([keyspace.isLoading, keyspace.status().loading?.share], [true, 0]);
    await assert.rejects(keyspace.ready({ peers: 0, synced: false, timeoutMs: 50, signal: never }), {
      code: "LANKV_TIMEOUT",
      message: /loading its keys from disk/,
    });
    const peer = await openOne({ memory: true });
    await until("they see each other", () => peer.peers().length === 1);
    end();
    await node.loaded;
    assert.deepEqual([keyspace.isLoading, keyspace.status().loading], [false, null]);
    await keyspace.ready({ peers: 1, synced: true, timeoutMs: 20_000, signal: never });
  });

  it("can be ended by close", async (test) => {
    const { end } = slow(test);
    const node = await openNode();
    const closing = node.close();
    end();
    await closing;
    await node.loaded;
  });

  it("fails as a whole: nothing is left open", async (test) => {
    const { end } = slow(test);
    end(new LankvError("LANKV_DATA_DIR", "It cannot be read."));
    await assert.rejects(openOne(), { code: "LANKV_DATA_DIR" });
    test.mock.restoreAll();
    await openOne();
  });
});
