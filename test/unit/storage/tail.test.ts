import assert from "node:assert/strict";
import fs, { mkdtemp, open, rm, type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, mock } from "node:test";
import { RecordMap } from "../../../src/core/record-map.js";
import { storedToRecord } from "../../../src/core/record.js";
import { Log } from "../../../src/storage/log.js";
import { Held, record } from "../../conformance/storage.js";

const KEYS = 200;
const VALUE_BYTES = 30_000;

/** A save longer than what is gathered is written in parts, between which what lies in memory moves. */
it("writes what memory holds when a record is written, though its cell went to another key since the part before", async () => {
  const directory = await mkdtemp(join(tmpdir(), "lankv-tail-"));
  const map = new RecordMap(() => undefined);
  const write = (key: string, stamp: number, bytes: number) =>
    map.apply(record(key, stamp, { value: `${key}|${"x".repeat(bytes)}` }));
  for (let at = 0; at < KEYS; at += 1) write(`k${String(at)}`, 1, VALUE_BYTES);

  const own = await open(process.execPath, "r");
  const prototype = Object.getPrototypeOf(own) as FileHandle;
  await own.close();
  const original = Reflect.get(prototype, "write") as (...args: unknown[]) => unknown;
  let hasMoved = false;
  const moving = function (this: FileHandle, ...args: [Buffer, number, number, number]) {
    if (args[2] > VALUE_BYTES && !hasMoved) {
      hasMoved = true;
      for (let at = 0; at < KEYS; at += 1) {
        write(`k${String(at)}`, 2, 1);
        write(`n${String(at)}`, 1, VALUE_BYTES);
      }
    }
    return original.apply(this, args);
  };
  mock.method(prototype, "write", moving as unknown as FileHandle["write"]);
  try {
    const log = await Log.open(join(directory, "log"), new Held());
    for await (const { records } of log.load()) assert.equal(records.length, 0);
    const slots = Array.from({ length: KEYS }, (_, slot) => slot);
    await log.save({ length: KEYS, at: (index) => map.storedAt(slots[index] ?? -1) }, true, slots);
    await log.close();
    assert.ok(hasMoved);

    const again = await Log.open(join(directory, "log"), new Held());
    const keys: string[] = [];
    for await (const { records } of again.load()) {
      for (const { key, value } of records.map(storedToRecord)) {
        assert.ok(value.startsWith(`${key}|`), `${key} has its own value`);
        keys.push(key);
      }
    }
    await again.close();
    assert.deepEqual(keys.sort(), slots.map((slot) => `k${String(slot)}`).sort());
  } finally {
    mock.restoreAll();
    await rm(directory, { recursive: true });
  }
});

for (const { where, type, calls } of [
  { where: "known to write through to the disk", type: 0xef53, calls: ["write"] },
  { where: "of which that is not known", type: 0x01021994, calls: ["write", "datasync"] },
]) {
  it(`makes a save durable with ${String(calls.length)} call(s) on a file system ${where}`, async () => {
    if (process.platform !== "linux") return;
    const directory = await mkdtemp(join(tmpdir(), "lankv-tail-"));
    mock.method(fs, "statfs", () => Promise.resolve({ bavail: 1e9, bsize: 4_096, type }));
    syncBuiltinESMExports();
    const own = await open(process.execPath, "r");
    const prototype = Object.getPrototypeOf(own) as FileHandle;
    await own.close();
    const called: string[] = [];
    for (const name of ["write", "datasync"] as const) {
      const original = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
      mock.method(prototype, name, function (this: FileHandle, ...args: unknown[]) {
        called.push(name);
        return original.apply(this, args);
      } as unknown as FileHandle[typeof name]);
    }
    try {
      const log = await Log.open(join(directory, "log"), new Held());
      for await (const { records } of log.load()) assert.equal(records.length, 0);
      await log.save([record("a", 1)], true);
      called.length = 0;
      await log.save([record("b", 2)], true);
      assert.deepEqual(called, calls);

      // What was written before in another way takes a sync.
      called.length = 0;
      await log.save([record("c", 3)], false);
      await log.save([record("d", 4)], true);
      assert.deepEqual(called, ["write", "write", "datasync"]);
      await log.close();
    } finally {
      mock.restoreAll();
      syncBuiltinESMExports();
      await rm(directory, { recursive: true });
    }
  });
}
