/** What a log says of its files, and what it leaves of them. */
import assert from "node:assert/strict";
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { LankvError } from "../../../src/core/error.js";
import type { KvRecord } from "../../../src/core/record.js";
import { Log } from "../../../src/storage/log.js";
import { Held, loadAll, record } from "../../conformance/storage.js";

const HEADER = 24;
const MARK = 20;

describe("a log's files", () => {
  let directory = "";
  /** Also those that a test leaves as a process does that is killed. */
  const logs: Log[] = [];
  beforeEach(async () => {
    // A log that rests for a second writes: it does so only when a test lets the second pass.
    mock.timers.enable({ apis: ["setTimeout"] });
    directory = await mkdtemp(join(tmpdir(), "lankv-files-"));
  });
  afterEach(async () => {
    for (const log of logs.splice(0)) await log.close();
    mock.timers.reset();
    await rm(directory, { recursive: true });
  });

  const names = async () => (await readdir(directory)).sort();
  const newest = async () => join(directory, (await names()).at(-1) ?? "");
  const openLog = async (held = new Held()) => {
    const log = await Log.open(directory, held);
    logs.push(log);
    return log;
  };
  const opened = async () => {
    const log = await openLog();
    const records = await loadAll(log);
    return { log, keys: records.map(({ key }) => key).sort(), damages: log.damages };
  };

  /** Saves each record alone. @returns where each one's entry ends */
  async function segment(
    keys: readonly string[],
    syncs: readonly boolean[],
    closes: boolean,
  ): Promise<number[]> {
    const { log } = await opened();
    const ends: number[] = [];
    for (const [i, key] of keys.entries()) {
      await log.save([record(key, i, { value: "v".repeat(5_000) })], syncs[i] ?? false);
      ends.push((await readFile(await newest())).length);
    }
    if (closes) await log.close();
    return ends;
  }

  async function overwrite(path: string, at: number, length: number): Promise<void> {
    const bytes = await readFile(path);
    bytes.fill(0, at, at + length);
    await writeFile(path, bytes);
  }

  it("begins a new segment at each start that saves, and none at one that does not", async () => {
    await segment(["a"], [true], true);
    await (await opened()).log.close();
    await segment(["b"], [true], true);
    assert.deepEqual(
      (await names()).map((name) => name.replace(/-[0-9a-f]{8}/, "")),
      ["00000001.log", "00000002.log"],
    );
  });

  it("takes a gap behind what was synced for torn, and keeps what is behind it", async () => {
    const [first = 0] = await segment(["a", "b", "c"], [true, false, false], false);
    await overwrite(await newest(), first + 100, 4_096);
    const { log, keys, damages } = await opened();
    assert.deepEqual([keys, damages], [["a", "c"], []]);
    assert.equal(log.torn.length, 1);
    await log.close();
    assert.deepEqual((await opened()).keys, ["a", "c"]);
    assert.equal((await names()).length, 2, "what was behind the gap is in a segment of its own");
  });

  it("takes a gap before what was synced for damage, sets the file aside, and keeps the rest", async () => {
    const [first = 0] = await segment(["a", "b", "c"], [true, true, true], false);
    await overwrite(await newest(), first + 100, 50);
    const { log, keys, damages } = await opened();
    assert.deepEqual(keys, ["a", "c"]);
    assert.equal(damages.length, 1);
    const [damage] = damages;
    assert.match(damage?.path ?? "", /\/00000001-[0-9a-f]{8}\.log\.damaged-\d{4}-\d\d-\d\dT\d{6}Z$/);
    assert.deepEqual([damage?.recordsSaved, damage?.isSetAside], [2, true]);
    assert.ok((damage?.bytesLost ?? 0) > 5_000 && (damage?.bytesLost ?? 0) < 5_200);
    await log.close();
    const again = await opened();
    assert.deepEqual([again.keys, again.damages], [["a", "c"], []]);
    assert.equal((await readFile(damage?.path ?? "")).length > 15_000, true, "it is not touched any more");
  });

  it("takes an older segment that is too short for damaged, though it ends with a whole entry", async () => {
    const [first = 0] = await segment(["a", "b"], [true, true], true);
    const older = await newest();
    await segment(["c"], [true], true);
    await truncate(older, first);
    const { keys, damages } = await opened();
    assert.deepEqual([keys, damages.length], [["a", "c"], 1]);
    assert.ok((damages[0]?.bytesLost ?? 0) > 5_000);
  });

  it("tells damage to what was synced last, when it has ended or had a rest", async () => {
    const [first = 0] = await segment(["a", "b"], [true, true], true);
    await overwrite(await newest(), first + 100, 50);
    assert.equal((await opened()).damages.length, 1, "it has ended");

    const { log } = await opened();
    await log.save([record("c", 3, { value: "v".repeat(5_000) })], true);
    const { length } = await readFile(await newest());
    mock.timers.tick(1_000);
    while ((await readFile(await newest())).length === length) await setImmediate();
    await overwrite(await newest(), length - 100, 50);
    assert.equal((await opened()).damages.length, 1, "it had a rest");
  });

  it("cuts a torn tail, which is no damage, and says what was cut", async () => {
    const [first = 0, second = 0] = await segment(["a", "b"], [true, false], false);
    const file = await newest();
    await truncate(file, second - 1);
    const { log, keys, damages } = await opened();
    assert.deepEqual([keys, damages], [["a"], []]);
    assert.equal((await readFile(file)).length, first + MARK, "the mark of the sync is whole");
    assert.deepEqual(log.torn, [{ path: file, bytes: second - 1 - first - MARK }]);
    assert.deepEqual((await opened()).log.torn, []);
    await log.close();
  });

  it("removes a file that was being made when the power went", async () => {
    await segment(["a"], [true], true);
    for (const [number, bytes] of [0, 10, HEADER, 100].entries()) {
      await writeFile(join(directory, `0000000${String(number + 3)}-00000000.log`), Buffer.alloc(bytes));
    }
    const { log, keys, damages } = await opened();
    assert.deepEqual([keys, damages, (await names()).length], [["a"], [], 1]);
    assert.deepEqual(
      log.torn.map(({ bytes }) => bytes),
      [10, HEADER, 100],
    );
  });

  it("reads no entry that stands in a value, when the one around it is damaged", async () => {
    await segment(["inner"], [true], true);
    const inside = (await readFile(await newest())).toString("latin1");
    await rm(await newest());
    const { log } = await opened();
    await log.save([record("outer", 1, { value: inside }), record("next", 2)], true);
    const bytes = await readFile(await newest());
    bytes[HEADER + 12] = (bytes[HEADER + 12] ?? 0) ^ 1;
    await writeFile(await newest(), bytes);
    assert.deepEqual((await opened()).keys, ["next"]);
  });

  it("takes no time over a file made to look like entries", async () => {
    const file = join(directory, "00000001-00000000.log");
    // Each place begins an entry of nearly a megabyte, as far as one sees who does not check the head.
    await writeFile(file, Buffer.alloc(4 * 2 ** 20, Buffer.from([0xd1, 0x0d, 0xd1, 0x0d])));
    const { keys, damages } = await opened();
    assert.deepEqual([keys, damages.length], [[], 1]);
  });

  it("makes no backup of what it cannot read", async () => {
    const { log } = await opened();
    await log.save([record("a", 1, { value: "v".repeat(50_000) })], true);
    await truncate(await newest(), 20_000);
    const copy = join(directory, "copy");
    await assert.rejects(log.backup(copy), { code: "EIO" });
    assert.deepEqual(await readdir(copy), []);
    await log.close();
  });

  it("has the segment that ends at this moment, in a backup and in its size", async () => {
    const { log } = await opened();
    const copy = join(directory, "copy");
    const handle = await open(directory, "r");
    const prototype = Object.getPrototypeOf(handle) as { datasync: () => Promise<void> };
    await handle.close();
    const datasync = prototype.datasync;
    const saved: string[] = [];
    let size = 0;
    let backup: Promise<void> | undefined;
    let expected: readonly string[] = [];
    const look = async () => {
      // All that follows the call is done, but for what waits for another call.
      for (let ticks = 50; ticks > 0; ticks -= 1) await Promise.resolve();
      size = log.bytes;
      [backup, expected] = [log.backup(copy), [...saved]];
    };
    mock.method(prototype, "datasync", async function (this: FileHandle) {
      await datasync.call(this);
      // What is synced first after the beginning is the segment that is full.
      if (saved.length > 0 && backup === undefined) void look();
    });
    try {
      for (let i = 0; i < 15; i += 1) {
        await log.save([record(`key ${String(i)}`, 1, { value: "v".repeat(100_000) })], false);
        saved.push(`key ${String(i)}`);
      }
      await backup;
    } finally {
      mock.restoreAll();
    }
    assert.ok(expected.length > 10, "a segment ended");
    const copied = await Log.open(copy, new Held());
    logs.push(copied);
    const held = await loadAll(copied);
    assert.deepEqual(held.map(({ key }) => key).sort(), [...expected].sort());
    assert.ok(size > 1_000_000, `a size of ${String(size)}`);
  });

  it("is not led astray by what has the name of a segment", async () => {
    await segment(["a"], [true], true);
    await writeFile(join(directory, "4294967294-00000000.log"), "");
    await writeFile(join(directory, "999999999-00000000.log"), "");
    await segment(["b"], [true], true);
    const noFile = join(directory, "00000007-00000000.log");
    await mkdir(noFile);
    const { log, keys, damages } = await opened();
    assert.deepEqual([keys, damages], [["a", "b"], []]);
    assert.ok((await names()).some((name) => name.startsWith("00000002-")));
    await log.close();
  });

  for (const format of [1, 3])
    it(`refuses format ${String(format)}`, async () => {
      await segment(["a"], [true], true);
      const bytes = await readFile(await newest());
      bytes.writeUInt32BE(format, 8);
      const { crc32 } = await import("node:zlib");
      bytes.writeUInt32BE(crc32(bytes.subarray(0, 20)), 20);
      await writeFile(await newest(), bytes);
      await assert.rejects(
        opened(),
        (error) => error instanceof LankvError && error.code === "LANKV_DATA_FORMAT",
      );
    });

  // Root may write everywhere; for it there is the read-only disk of test/durability.
  if (process.getuid?.() !== 0) {
    it("leaves a damaged file where it is when nothing can be written", async () => {
      const [first = 0] = await segment(["a", "b"], [true, true], true);
      await overwrite(await newest(), first - 50, 10);
      await chmod(directory, 0o500);
      try {
        const { keys, damages } = await opened();
        assert.deepEqual([keys, damages[0]?.isSetAside], [["b"], false]);
      } finally {
        await chmod(directory, 0o700);
      }
    });
  }

  it("finds damage while it cleans, sets the file aside, and says that all has to be saved again", async () => {
    const held = new Held();
    const log = await openLog(held);
    await log.save(held.add([record("a", 1, { value: "v".repeat(500_000) }), record("b", 1)]), true);
    const oldest = await newest();
    const save = async (stamp: number) => {
      const one: KvRecord = record("churn", stamp, { value: "v".repeat(400_000) });
      await log.save(held.add([one]), true);
    };
    for (let stamp = 1; stamp < 4; stamp += 1) await save(stamp);
    await overwrite(oldest, 1_000, 100);
    for (let stamp = 4; stamp < 100 && log.damages.length === 0; stamp += 1) await save(stamp);
    const [damage] = log.damages;
    assert.equal(damage?.isSetAside, true);
    await log.save([...held.all.values()], true);
    await log.close();
    assert.deepEqual(new Set((await opened()).keys), new Set(["a", "b", "churn"]));
  });
});
