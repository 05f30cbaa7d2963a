import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import { setImmediate } from "node:timers/promises";
import { bytesOf, isObject } from "../../../src/cli/replies.js";
import type { Bytes } from "../../../src/core/bytes.js";
import { bucketOf } from "../../../src/core/hash.js";
import { versionToText } from "../../../src/core/version.js";
import { ErrorReply } from "../../../src/resp/reply.js";
import { execute } from "../../../src/resp/table.js";
import { MemoryKeyspace } from "./memory-keyspace.js";
import { toContext } from "./session-context.js";

let keyspace: MemoryKeyspace;
let context: ReturnType<typeof toContext>;

beforeEach(() => {
  keyspace = new MemoryKeyspace();
  context = toContext(keyspace);
});

/** The keys of the page behind a key. */
async function page(...after: readonly Bytes[]): Promise<Bytes[]> {
  const reply = await execute(["lankv.export", ...after], context);
  assert(Array.isArray(reply));
  return reply.map((entry) => {
    const parsed: unknown = JSON.parse(Buffer.from(String(entry), "latin1").toString("utf8"));
    assert(isObject(parsed));
    return bytesOf(parsed, "key")?.toString("latin1") ?? "";
  });
}

/** All pages. */
async function walk(): Promise<Bytes[][]> {
  const pages: Bytes[][] = [];
  for (let next = await page(); next.length > 0; next = await page(next.at(-1) ?? "")) pages.push(next);
  return pages;
}

const byBucket = (a: Bytes, b: Bytes): number => bucketOf(a) - bucketOf(b) || (a < b ? -1 : 1);

describe("LANKV.EXPORT", () => {
  it("meets every key once, bucket by bucket and in the order of bytes, in pages of 1 024", async () => {
    const keys = Array.from({ length: 3_000 }, (_, at) => `\xff\0${at}`);
    for (const key of keys) keyspace.set(key, "v");
    const pages = await walk();
    assert.deepEqual(
      pages.map(({ length }) => length),
      [1_024, 1_024, 952],
    );
    assert.deepEqual(pages.flat(), keys.sort(byBucket));
  });

  it("divides a bucket that holds more than a page", async () => {
    const keys: Bytes[] = [];
    for (let at = 0; keys.length < 8; at += 1) if (bucketOf(`${at}`) === 9) keys.push(`${at}`);
    for (const key of keys) keyspace.set(key, "v".repeat(131_072));
    const pages = await walk();
    assert.deepEqual(
      pages.map(({ length }) => length),
      [2, 2, 2, 2],
    );
    assert.deepEqual(pages.flat(), keys.sort());
  });

  it("goes on behind a key that is gone by then, and has nothing of an empty node", async () => {
    assert.deepEqual(await page(), []);
    const keys = ["a", "b", "c"].sort(byBucket);
    for (const key of keys) keyspace.set(key, "v");
    keyspace.delete(keys[1] ?? "");
    assert.deepEqual(await page(keys[1] ?? ""), [keys[2]]);
    assert.deepEqual(await page(keys[2] ?? ""), []);
  });

  it("serves others in between where little is left, except in a transaction", async () => {
    keyspace.set("k", "v");
    let nowMs = 0;
    const clock = mock.method(performance, "now", () => (nowMs += 1));
    try {
      const walk = page();
      let isOver = false;
      void walk.then(() => (isOver = true));
      let turns = 0;
      for (; !isOver; turns += 1) await setImmediate();
      assert.deepEqual(await walk, ["k"]);
      assert(turns > 100, `${turns} turns`);
    } finally {
      clock.mock.restore();
    }
    assert(!(execute(["lankv.export"], { ...context, isInTransaction: true }) instanceof Promise));
  });
});

describe("LANKV.SET with IFOLDER", () => {
  const set = async (key: Bytes, version: Bytes) =>
    execute(["lankv.set", key, "new", "ifolder", version], context);

  it("writes over an older write, and over nothing", async () => {
    const older = versionToText(keyspace.set("k", "old"));
    const newer = versionToText(keyspace.set("other", "v"));
    assert.equal(await set("k", older), null);
    assert.equal(keyspace.get("k")?.value, "old");
    assert.notEqual(await set("k", newer), null);
    assert.equal(keyspace.get("k")?.value, "new");
    assert.notEqual(await set("missing", older), null);
  });

  it("does not bring back what was deleted or ran out after that version", async () => {
    const version = versionToText(keyspace.set("k", "v"));
    keyspace.delete("k");
    keyspace.set("brief", "v", keyspace.wallMs + 1);
    keyspace.sweep("brief");
    assert.equal(await set("k", version), null);
    assert.equal(await set("brief", version), null);
    const later = versionToText(keyspace.set("other", "v"));
    assert.notEqual(await set("k", later), null);
  });

  it("refuses what is no version", async () => {
    assert.deepEqual(await set("k", "x"), new ErrorReply("ERR invalid version"));
  });
});
