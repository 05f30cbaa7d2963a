/** One node in this process, alone. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { inspect } from "node:util";
import type { BatchOperation, Change, Lankv, OpenOptions, SetOptions } from "../../../src/node/lankv.js";
import { open } from "../../../src/node/open.js";
import { freeUdpPort, uncaught, until } from "../net/loopback.js";

const opened: Lankv[] = [];
let beaconPort = 0;

beforeEach(async () => {
  beaconPort = await freeUdpPort();
});

afterEach(async () => {
  for (const kv of opened.splice(0)) await kv.close();
});

async function openOne(options: OpenOptions = { memory: true }): Promise<Lankv> {
  const kv = await open({ interfaces: ["lo"], beaconPort, ...options });
  opened.push(kv);
  return kv;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** What JavaScript callers may pass. */
function wrong<T>(given: unknown): T {
  return given as T;
}

const VERSION = /^[0-9a-f]{14}-[0-9a-f]{16}$/;

describe("values", () => {
  it("are read as they were written, at once", async () => {
    const kv = await openOne();
    const { version } = await kv.set("one", "111");
    assert.match(version, VERSION);
    assert.equal(kv.peek("one"), "111");
    assert.equal(await kv.get("one"), "111");
    assert.equal(await kv.has("one"), true);
    assert.equal(await kv.get("two"), undefined);
    assert.equal(kv.peek("two"), undefined);
    assert.equal(await kv.has("two"), false);
  });

  it("can be empty, which is not missing", async () => {
    const kv = await openOne();
    await kv.set("empty", "");
    assert.equal(await kv.get("empty"), "");
    assert.equal(await kv.has("empty"), true);
  });

  it("are UTF-8 text, and bytes too", async () => {
    const kv = await openOne();
    await kv.set("grüße ✓", "käse ✓");
    assert.equal(await kv.get("grüße ✓"), "käse ✓");
    assert.equal(await kv.get(Buffer.from("grüße ✓")), "käse ✓");
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await kv.set(Uint8Array.of(0, 255), bytes.subarray(0));
    bytes.fill(0);
    const entry = await kv.entry(Uint8Array.of(0, 255));
    assert.deepEqual(
      entry?.bytes,
      Uint8Array.from({ length: 256 }, (_, i) => i),
    );
    assert.equal(entry.key, "\u0000\ufffd");
  });

  it("have an entry with all that is known of them", async () => {
    const kv = await openOne();
    const before = Date.now();
    const { version } = await kv.set("k", "v", { ttlMs: 60_000 });
    const entry = await kv.entry("k");
    assert.ok(entry?.expiresAt !== undefined);
    assert.equal(entry.value, "v");
    assert.equal(entry.version, version);
    assert.equal(entry.origin, kv.status().writer);
    assert.ok(entry.updatedAt >= before - 1 && entry.updatedAt <= Date.now() + 1);
    assert.ok(entry.expiresAt >= before + 60_000 && entry.expiresAt <= Date.now() + 60_000);
    await kv.set("k", "w");
    assert.equal((await kv.entry("k"))?.expiresAt, undefined);
    assert.equal(await kv.entry("none"), undefined);
  });

  it("are replaced by greater versions only", async () => {
    const kv = await openOne();
    const versions: string[] = [];
    for (let i = 0; i < 2_000; i += 1) versions.push((await kv.set("k", String(i))).version);
    assert.deepEqual(versions, [...versions].sort());
    assert.equal(new Set(versions).size, versions.length);
    assert.equal(await kv.get("k"), "1999");
  });

  it("show their version when a write is printed", async () => {
    const kv = await openOne();
    const written = await kv.set("k", "v");
    assert.deepEqual(JSON.parse(JSON.stringify(written)), { version: written.version });
    assert.match(inspect(written), new RegExp(written.version));
  });

  it("expire", async () => {
    const kv = await openOne();
    await kv.set("k", "v", { ttlMs: 1 });
    await until("it expires", () => kv.peek("k") === undefined);
    assert.equal(await kv.has("k"), false);
    assert.equal(await kv.delete("k"), false);
    assert.deepEqual(await collect(kv.keys()), []);
    await kv.set("k", "w", { nx: true });
    assert.equal(kv.peek("k"), "w");
  });
});

describe("deleting", () => {
  it("says whether there was something", async () => {
    const kv = await openOne();
    await kv.set("k", "v");
    assert.equal(await kv.delete("k"), true);
    assert.equal(await kv.delete("k"), false);
    assert.equal(await kv.get("k"), undefined);
    assert.equal(await kv.entry("k"), undefined);
    assert.equal(kv.status().keys, 0);
    await kv.set("k", "again");
    assert.equal(await kv.get("k"), "again");
  });
});

describe("conditions", () => {
  const refused = { name: "LankvError", code: "LANKV_CONDITION", stateChanged: false };

  it("let nx write only a key that is missing", async () => {
    const kv = await openOne();
    await kv.set("k", "1", { nx: true });
    await assert.rejects(kv.set("k", "2", { nx: true }), { ...refused, message: /nx: the key exists/ });
    assert.equal(kv.peek("k"), "1");
    await kv.delete("k");
    await kv.set("k", "3", { nx: true });
  });

  it("let xx write only a key that exists", async () => {
    const kv = await openOne();
    await assert.rejects(kv.set("k", "1", { xx: true }), { ...refused, message: /xx: the key is missing/ });
    assert.equal(kv.peek("k"), undefined);
    await kv.set("k", "2");
    await kv.set("k", "3", { xx: true });
    assert.equal(kv.peek("k"), "3");
  });

  it("let ifVersion write only over that version", async () => {
    const kv = await openOne();
    const { version } = await kv.set("k", "1");
    await kv.set("k", "2", { ifVersion: version });
    await assert.rejects(kv.set("k", "3", { ifVersion: version }), { ...refused, message: /has version/ });
    await assert.rejects(kv.set("none", "3", { ifVersion: version }), { ...refused, message: /is missing/ });
    assert.equal(kv.peek("k"), "2");
  });
});

describe("many at once", () => {
  it("are got in the order of the keys", async () => {
    const kv = await openOne();
    await kv.set("a", "1");
    await kv.set("c", "3");
    assert.deepEqual(await kv.getMany(["c", "b", "a"]), ["3", undefined, "1"]);
    assert.deepEqual(await kv.getMany([]), []);
  });

  it("are written as a batch", async () => {
    const kv = await openOne();
    await kv.set("old", "1");
    const written = await kv.batch([
      { type: "set", key: "a", value: "1" },
      { type: "set", key: "b", value: "2", ttlMs: 60_000 },
      { type: "delete", key: "old" },
      { type: "set", key: "a", value: "3" },
    ]);
    assert.equal(written.length, 4);
    for (const { version } of written) assert.match(version, VERSION);
    assert.deepEqual(await kv.getMany(["a", "b", "old"]), ["3", "2", undefined]);
    assert.ok((await kv.entry("b"))?.expiresAt !== undefined);
  });

  it("leave everything as it was when one of a batch is invalid", async () => {
    const kv = await openOne();
    await kv.set("k", "1");
    const invalid: readonly (readonly [BatchOperation, RegExp])[] = [
      [{ type: "set", key: "", value: "x" }, /^key must have 1 to 1024 bytes, not 0$/],
      [{ type: "set", key: "x", value: "v", ttlMs: 0 }, /^ttlMs must be/],
      [{ type: "delete", key: "x".repeat(1025) }, /^key must have 1 to 1024 bytes, not 1025$/],
      [
        wrong({ type: "put", key: "k", value: "x" }),
        /^an operation's type must be "set" or "delete", not put$/,
      ],
      [wrong({ key: "k" }), /^an operation's type must be "set" or "delete", not undefined$/],
      [wrong({ type: "set", key: "k" }), /^value must be a string or a Uint8Array, not undefined$/],
    ];
    for (const [operation, message] of invalid) {
      await assert.rejects(kv.batch([{ type: "delete", key: "k" }, operation]), { message });
    }
    assert.equal(kv.peek("k"), "1");
    assert.equal(kv.status().keys, 1);
  });

  it("may be written without waiting for each", async () => {
    const kv = await openOne();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    await Promise.all(Array.from({ length: 5_000 }, (_, i) => kv.set(`k${i}`, "v")));
    await Promise.all(Array.from({ length: 50 }, (_, i) => kv.get(`none${i}`, { timeoutMs: 10 })));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    assert.equal(kv.status().keys, 5_000);
    assert.deepEqual(warnings, []);
  });
});

describe("keys and entries", () => {
  it("come in the order of their bytes, as far as asked", async () => {
    const kv = await openOne();
    for (const key of ["b", "a/2", "a/1", "ü", "a", "Z"]) await kv.set(key, `<${key}>`);
    await kv.delete("b");
    assert.deepEqual(await collect(kv.keys()), ["Z", "a", "a/1", "a/2", "ü"]);
    assert.deepEqual(await collect(kv.keys({ prefix: "a/" })), ["a/1", "a/2"]);
    assert.deepEqual(await collect(kv.keys({ prefix: "ü" })), ["ü"]);
    assert.deepEqual(await collect(kv.keys({ limit: 2 })), ["Z", "a"]);
    assert.deepEqual(await collect(kv.keys({ limit: 0 })), []);
    const entries = await collect(kv.entries({ prefix: "a", limit: 2 }));
    assert.deepEqual(
      entries.map(({ key, value }) => [key, value]),
      [
        ["a", "<a>"],
        ["a/1", "<a/1>"],
      ],
    );
  });
});

describe("wrong arguments", () => {
  it("are named, with their bounds", async () => {
    const kv = await openOne({ memory: true, valueBytesMax: 10 });
    const cases: readonly (readonly [() => Promise<unknown>, string, RegExp])[] = [
      [() => kv.set("", "v"), "RangeError", /^key must have 1 to 1024 bytes, not 0$/],
      [() => kv.set("k".repeat(1025), "v"), "RangeError", /^key must have 1 to 1024 bytes, not 1025$/],
      [() => kv.set("ü".repeat(513), "v"), "RangeError", /^key must have 1 to 1024 bytes, not 1026$/],
      [() => kv.set("k", "v".repeat(11)), "RangeError", /^value must have at most 10 bytes, not 11$/],
      [() => kv.set("k", wrong(7)), "TypeError", /^value must be a string or a Uint8Array, not number$/],
      [() => kv.set(wrong(null), "v"), "TypeError", /^key must be a string .*, not null$/],
      [() => kv.get(wrong([])), "TypeError", /^key must be a string .*, not object$/],
      [() => kv.entry(wrong(1)), "TypeError", /^key must be a string .*, not number$/],
      [() => kv.has(wrong(1)), "TypeError", /^key must be a string .*, not number$/],
      [() => kv.getMany(["k", wrong(1)]), "TypeError", /^key must be a string .*, not number$/],
      [() => kv.get("", { timeoutMs: 1 }), "RangeError", /^key must have 1 to 1024 bytes, not 0$/],
      [
        () => kv.get("k".repeat(1025), { timeoutMs: 1 }),
        "RangeError",
        /^key must have 1 to 1024 bytes, not 1025$/,
      ],
      [() => kv.set("k", "v", { ttlMs: 0 }), "RangeError", /^ttlMs must be .* 1 or more, not 0$/],
      [() => kv.set("k", "v", { ttlMs: 1.5 }), "RangeError", /^ttlMs must be .*, not 1.5$/],
      [
        () => kv.set("k", "v", wrong<SetOptions>({ ttl: 5 })),
        "TypeError",
        /^there is no option ttl, only ttlMs/,
      ],
      [() => kv.get("k", wrong({ timeout: 5 })), "TypeError", /^there is no option timeout, only timeoutMs/],
      [() => kv.get("k", { timeoutMs: -1 }), "RangeError", /^timeoutMs must be 0 or more, not -1$/],
      [() => kv.get("k", { timeoutMs: Number.NaN }), "RangeError", /^timeoutMs must be 0 or more, not NaN$/],
      [() => kv.ready(wrong({ timeoutMs: "1s" })), "TypeError", /^timeoutMs must be a number, not string$/],
      [() => kv.ready({ peers: -1 }), "RangeError", /^peers must be 0 or more, not -1$/],
      [() => kv.ready(wrong({ sync: true })), "TypeError", /^there is no option sync, only peers/],
      [() => collect(kv.keys({ limit: -1 })), "RangeError", /^limit must be 0 or more, not -1$/],
      [() => collect(kv.entries(wrong({ start: "a" }))), "TypeError", /^there is no option start/],
    ];
    for (const [call, name, message] of cases) await assert.rejects(call, { name, message });
    assert.equal(kv.status().keys, 0);
    await kv.set("k", "v".repeat(10));
  });
});

describe("events", () => {
  it("tell every change, with the end of the turn in which it was made", async () => {
    const kv = await openOne();
    const changes: Change[] = [];
    kv.on("change", (change) => changes.push(change));
    const { version } = await kv.set("k", "ü");
    await kv.delete("k");
    await until("both were told", () => changes.length === 2);
    const origin = kv.status().writer;
    assert.deepEqual(changes[0], { type: "set", key: "k", value: "ü", version, origin });
    assert.deepEqual(
      { ...changes[1], version: "" },
      { type: "delete", key: "k", value: undefined, version: "", origin },
    );
  });

  it("can be listened to once, and no more", async () => {
    const kv = await openOne();
    const heard: string[] = [];
    const listener = (change: Change): void => void heard.push(`on ${change.key}`);
    kv.on("change", listener);
    kv.once("change", (change) => void heard.push(`once ${change.key}`));
    await kv.set("a", "1");
    await until("the first is heard", () => heard.length === 2);
    kv.off("change", listener);
    let last = "";
    kv.on("change", (change) => (last = change.key));
    await kv.set("b", "1");
    await until("the second is heard", () => last === "b");
    assert.deepEqual(heard, ["on a", "once a"]);
  });

  it("go on when a listener throws, whose error is uncaught", async () => {
    const kv = await openOne();
    const heard: string[] = [];
    kv.on("change", ({ key }) => {
      heard.push(key);
      if (key === "a") throw new Error("a listener's");
    });
    kv.on("state", () => {
      throw new Error("another's");
    });
    const errors = await uncaught(async () => {
      await kv.batch(["a", "b"].map((key) => ({ type: "set", key, value: "1" })));
      await until("both are heard", () => heard.length === 2);
      await kv.ready();
      await kv.set("c", "1");
      await until("the next is heard", () => heard.length === 3);
    });
    assert.deepEqual(heard, ["a", "b", "c"]);
    assert.deepEqual(
      errors.map((error) => (error instanceof Error ? error.message : error)),
      ["a listener's", "another's"],
    );
  });

  it("tell the state", async () => {
    const kv = await openOne();
    const states: string[] = [kv.status().state];
    kv.on("state", (state) => states.push(state));
    await kv.ready();
    assert.deepEqual(states, ["seeking", "live"]);
  });
});

describe("being ready", () => {
  it("comes by itself to a node that is alone", async () => {
    const kv = await openOne();
    await kv.ready({ synced: true, timeoutMs: 60_000 });
    assert.equal(kv.status().state, "live");
    assert.equal(kv.status().synced, true);
  });

  it("times out, and says what lacks", async () => {
    const kv = await openOne();
    const timedOut = { name: "LankvError", code: "LANKV_TIMEOUT", stateChanged: false };
    await assert.rejects(kv.ready({ timeoutMs: 0 }), {
      ...timedOut,
      message: /after 0 ms: the node is seeking/,
    });
    await kv.ready();
    await assert.rejects(kv.ready({ peers: 2, timeoutMs: 1 }), {
      ...timedOut,
      message: /0 of 2 peers are linked/,
    });
  });

  it("can be called off", async () => {
    const kv = await openOne();
    const reason = new Error("enough");
    await assert.rejects(kv.ready({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = kv.ready({ peers: 1, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
  });

  it("ends when the node is closed", async () => {
    const kv = await openOne();
    const waiting = assert.rejects(kv.ready({ peers: 1 }), { code: "LANKV_CLOSED" });
    await kv.close();
    await waiting;
    await assert.rejects(kv.ready(), { code: "LANKV_CLOSED" });
  });
});

describe("waiting for a key", () => {
  it("ends when there is nobody to ask", async () => {
    const kv = await openOne();
    await kv.ready();
    assert.equal(await kv.get("none", { timeoutMs: 60_000 }), undefined);
  });

  it("ends when the time is up", async () => {
    const kv = await openOne();
    assert.equal(await kv.get("none", { timeoutMs: 0 }), undefined);
    assert.equal(await kv.get("none", { timeoutMs: 1 }), undefined);
  });

  it("does not wait for what is here", async () => {
    const kv = await openOne();
    await kv.set("k", "v");
    assert.equal(await kv.get("k", { timeoutMs: Infinity }), "v");
  });

  it("can be called off", async () => {
    const kv = await openOne();
    const reason = new Error("enough");
    await assert.rejects(kv.get("none", { timeoutMs: 60_000, signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = kv.get("none", { timeoutMs: 60_000, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
  });

  it("ends when the node is closed", async () => {
    const kv = await openOne();
    const waiting = assert.rejects(kv.get("none", { timeoutMs: 60_000 }), { code: "LANKV_CLOSED" });
    await kv.close();
    await waiting;
  });
});

describe("closing", () => {
  const isClosed = { name: "LankvError", code: "LANKV_CLOSED", stateChanged: false };

  it("can be done twice, and ends writing and waiting", async () => {
    const kv = await openOne();
    await kv.set("k", "v");
    await Promise.all([kv.close(), kv.close()]);
    await kv.close();
    await assert.rejects(kv.set("k", "w"), isClosed);
    await assert.rejects(kv.delete("k"), isClosed);
    await assert.rejects(kv.batch([{ type: "delete", key: "k" }]), isClosed);
    await assert.rejects(kv.get("none", { timeoutMs: 1 }), isClosed);
    assert.equal(await kv.get("k"), "v");
  });

  it("lets those go on who wait for the turn", async () => {
    const kv = await openOne();
    const writes = Promise.all(Array.from({ length: 3_000 }, (_, i) => kv.set(`k${i}`, "v")));
    await kv.close();
    assert.equal((await writes).length, 3_000);
  });

  it("comes with the end of a block that disposes of it", async () => {
    let closed: Lankv;
    {
      await using kv = await open({ memory: true, interfaces: ["lo"], beaconPort });
      await kv.set("k", "v");
      closed = kv;
    }
    await assert.rejects(closed.set("k", "w"), isClosed);
  });

  it("frees the ports and the data directory", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "lankv-"));
    const first = await openOne({ dataDir });
    const { port } = first.status();
    await first.close();
    const second = await openOne({ dataDir, port });
    assert.equal(second.status().port, port);
    await second.close();
    rmSync(dataDir, { recursive: true });
  });
});

describe("the data directory of a node", () => {
  let dataDir = "";
  const nodeIdPath = (): string => join(dataDir, "node-id");

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "lankv-"));
  });

  afterEach(() => {
    rmSync(dataDir, { recursive: true });
  });

  it("keeps the node id from start to start, and no writer", async () => {
    const first = await openOne({ dataDir });
    const before = first.status();
    assert.equal(before.dataDir, dataDir);
    assert.equal(readFileSync(nodeIdPath(), "utf8"), `${before.nodeId}\n`);
    await first.close();
    const after = (await openOne({ dataDir })).status();
    assert.equal(after.nodeId, before.nodeId);
    assert.notEqual(after.writer, before.writer);
  });

  it("gives way to a fresh node id when that was cut short", async () => {
    writeFileSync(nodeIdPath(), "0123");
    const { nodeId } = (await openOne({ dataDir })).status();
    assert.equal(readFileSync(nodeIdPath(), "utf8"), `${nodeId}\n`);
  });

  it("is for one node only", async () => {
    const first = await openOne({ dataDir });
    await assert.rejects(openOne({ dataDir }), {
      name: "LankvError",
      code: "LANKV_IN_USE",
      stateChanged: false,
    });
    await first.set("k", "v");
    assert.equal(first.peek("k"), "v");
    // Before the directory goes.
    await first.close();
  });

  it("is not needed in memory", async () => {
    const [first, second] = [await openOne(), await openOne()];
    assert.equal(first.status().dataDir, null);
    assert.notEqual(first.status().nodeId, second.status().nodeId);
  });
});

describe("opening", () => {
  it("fails whole when the PUB port is taken", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "lankv-"));
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    await assert.rejects(openOne({ dataDir, port: address.port }), { code: "LANKV_PORT" });
    server.close();
    await openOne({ dataDir, port: address.port });
    await opened.pop()?.close();
    rmSync(dataDir, { recursive: true });
  });

  it("fails whole when the beacon port is held alone", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "lankv-"));
    const other = createSocket("udp4");
    other.bind(beaconPort);
    await once(other, "listening");
    await assert.rejects(openOne({ dataDir }), { code: "LANKV_PORT", message: /--beacon-port/ });
    await new Promise<void>((resolve) => other.close(() => resolve()));
    await openOne({ dataDir });
    await opened.pop()?.close();
    rmSync(dataDir, { recursive: true });
  });
});

describe("the status", () => {
  it("tells what the node is and holds", async () => {
    const kv = await openOne({ memory: true, name: "kitchen", cluster: "home" });
    await kv.set("key", "value");
    await kv.set("gone", "x");
    await kv.delete("gone");
    await kv.ready();
    const status = kv.status();
    assert.equal(status.name, "kitchen");
    assert.equal(status.cluster, "home");
    assert.equal(status.keys, 1);
    assert.equal(status.bytes, "keyvalue".length + "gone".length);
    assert.match(status.root, /^[0-9a-f]{16}$/);
    assert.equal(status.peers, 0);
    assert.ok(status.head >= 1);
    assert.ok(status.uptimeMs > 0);
    assert.match(status.version, /^\d+\.\d+\.\d+/);
    assert.deepEqual(status.addresses, ["127.0.0.1"]);
    assert.ok(status.port > 0);
    assert.equal(status.beaconPort, beaconPort);
    assert.equal(status.clockCorrectionMs, 0);
    assert.deepEqual(kv.peers(), []);
    assert.deepEqual(kv.conflicts(), []);
  });

  it("counts datagrams that are not for this node", async () => {
    const kv = await openOne();
    const stranger = createSocket("udp4");
    const send = (text: string): void => void stranger.send(text, beaconPort, "127.0.0.1");
    send("hello?");
    send("LKV9");
    send("LKV1 cut short");
    await until("all are counted", () => Object.keys(kv.status().ignored).length === 3);
    stranger.close();
    assert.deepEqual(kv.status().ignored, {
      "beacon: not lankv": 1,
      "beacon: other protocol version": 1,
      "beacon: malformed": 1,
    });
  });
});
