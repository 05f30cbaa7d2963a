/** How large a log gets under a node that saves the same records again and again. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rename, rm, stat, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "node:test";
import { codeOf } from "../../src/net/claim-socket.js";
import { record } from "../conformance/storage.js";
import { Random } from "../sim/random.js";
import { FaultyDisk } from "./faulty-disk.js";
import { SavingNode } from "./saving-node.js";

const MIB = 2 ** 20;

/** The number of a segment. */
const numberIn = (name: string) => Number(name.slice(0, 8));

describe("the size of a log", () => {
  let place = "";
  beforeEach(async () => {
    place = await mkdtemp(join(tmpdir(), "lankv-size-"));
  });
  afterEach(async () => rm(place, { recursive: true }));

  async function filled(): Promise<SavingNode> {
    const node = await SavingNode.start(place, "everysec");
    for (let i = 0; i < 2_000; i += 1)
      node.write(record(`key ${String(i)}`, 1, { value: "v".repeat(2_000) }));
    await node.settle();
    return node;
  }

  async function churn(node: SavingNode, from: number, rounds: number): Promise<void> {
    for (let round = from; round < from + rounds; round += 1) {
      for (let i = 0; i < 20; i += 1)
        node.write(record(`hot ${String(i)}`, 2 + round, { value: "h".repeat(4_000) }));
      await node.settle();
    }
  }

  function check({ log, liveBytes }: SavingNode): void {
    const bound = 2 * liveBytes + 5 * MIB;
    assert.ok(log.bytes < bound, `${String(log.bytes)} bytes of at most ${String(bound)}`);
  }

  it("is bounded when everything is saved once more, as after a failure or damage", async () => {
    const node = await filled();
    for (let i = 0; i < 6; i += 1) {
      node.saving.addAll();
      await node.settle();
    }
    await churn(node, 0, 200);
    check(node);
    assert.equal(node.map.records, 2_020);
    await node.log.close();
    const again = await SavingNode.start(place, "everysec");
    assert.equal(again.map.records, 2_020);
    await again.log.close();
  });

  it("leaves a full disk with room, when there is something to free", async () => {
    const disk = await FaultyDisk.begin(new Random(1), process.execPath);
    try {
      disk.setRoom(place, 9 * MIB);
      const node = await SavingNode.start(place, "always");
      let failures = 0;
      for (let i = 0; i < 3_000; i += 1) {
        node.write(record(`key ${String(i % 500)}`, i, { value: "v".repeat(10_000) }));
        for (let tries = 0; !(await node.step()); tries += 1) {
          assert.ok(tries < 20, `save ${String(i)} fails for good`);
          failures += 1;
          for (let turn = 0; turn < 50; turn += 1) await setImmediate();
        }
      }
      assert.ok(failures > 0, "the disk was full");
      await node.log.close();
      const again = await SavingNode.start(place, "always");
      assert.equal(again.map.get("key 499")?.stamp, 2_999);
      assert.equal(again.map.records, 500);
      await again.log.close();
    } finally {
      disk.end();
    }
  });

  it("leaves it with room also when the disk was full at the start, and records came before the first sync", async () => {
    const disk = await FaultyDisk.begin(new Random(1), process.execPath);
    try {
      const write = (node: SavingNode, i: number) => {
        node.write(record(`key ${String(i % 500)}`, i, { value: "v".repeat(10_000) }));
      };
      const before = await SavingNode.start(place, "everysec");
      for (let i = 0; i < 800; i += 1) {
        write(before, i);
        await before.settle();
      }
      await before.log.close();
      disk.setRoom(place, before.log.bytes);
      const node = await SavingNode.start(place, "everysec");
      for (let i = 800; i < 810; i += 1) write(node, i);
      for (let tries = 0; !(await node.step()); tries += 1) {
        assert.ok(tries < 20, "saving fails for good");
        for (let turn = 0; turn < 50; turn += 1) await setImmediate();
      }
      await node.log.close();
      const again = await SavingNode.start(place, "everysec");
      assert.deepEqual([again.map.records, again.map.get("key 309")?.stamp], [500, 809]);
      await again.log.close();
    } finally {
      disk.end();
    }
  });

  it("is left alone on a disk that stays tight, when a round of cleaning has freed nothing", async () => {
    const disk = await FaultyDisk.begin(new Random(1), process.execPath);
    try {
      disk.seemFull();
      const node = await SavingNode.start(place, "everysec");
      // More than is reckoned, since each names what it replaces.
      const replaces = Array.from({ length: 8 }, (_, i) => ({
        stamp: 8 - i,
        writer: `0000000000000${String(i + 100)}`,
      }));
      for (let i = 0; i < 20_000; i += 1) node.write(record(`key ${String(i)}`, 9, { replaces }));
      await node.settle();
      let names = await readdir(place);
      const most = Math.max(...names.map(numberIn)) + 3 * names.length;
      for (let quiet = 0; quiet < 1_000; quiet += 1) {
        const now = await readdir(place);
        if (now.join() !== names.join()) quiet = 0;
        names = now;
        assert.ok(Math.max(...names.map(numberIn)) <= most, "it is written anew for ever");
      }
      await node.log.close();
    } finally {
      disk.end();
    }
  });

  it("has room beside it for any of its files, however short another is", async () => {
    const reserve = `${place}.reserve`;
    try {
      for (const start of [1, 2]) {
        const node = await SavingNode.start(place, "everysec", reserve);
        for (let i = 0; i < 200; i += 1) {
          node.write(record(`key ${String(start)} ${String(i)}`, 1, { value: "v".repeat(9_000) }));
          // The more is saved at once, the longer a file may get.
          if (i % (17 * start - 16) === 0) await node.settle();
        }
        await node.settle();
        await node.log.close();
      }
      const names = await readdir(place);
      const sizes = await Promise.all(names.map(async (name) => (await stat(join(place, name))).size));
      const { size } = await stat(reserve);
      assert.ok(size >= Math.max(...sizes), `${String(size)} bytes for ${sizes.join()}`);
    } finally {
      await rm(reserve, { force: true });
    }
  });

  it("is bounded while the oldest file cannot be opened, which is told and tried again", async () => {
    const node = await filled();
    await churn(node, 0, 20);
    const [name = ""] = (await readdir(place)).sort();
    const [oldest, elsewhere] = [join(place, name), `${place}.elsewhere`];
    await rename(oldest, elsewhere);
    await symlink(oldest, oldest);
    try {
      await churn(node, 20, 300);
      check(node);
      assert.deepEqual(
        node.log.stuck.map(({ path, cause }) => [path, codeOf(cause)]),
        [[oldest, "ELOOP"]],
      );
    } finally {
      await rename(elsewhere, oldest);
    }
    await churn(node, 320, 200);
    assert.deepEqual(node.log.stuck, []);
    assert.equal((await readdir(place)).includes(name), false, "it is cleaned after all");
    assert.deepEqual(node.log.damages, []);
    await node.log.close();
    const again = await SavingNode.start(place, "everysec");
    assert.equal(again.map.records, 2_020);
    await again.log.close();
  });

  it("is bounded when the oldest file is gone, and what was in it is saved once more", async () => {
    const node = await filled();
    await churn(node, 0, 20);
    const [name = ""] = (await readdir(place)).sort();
    await unlink(join(place, name));
    await churn(node, 20, 300);
    check(node);
    assert.deepEqual(
      node.log.damages.map(({ path, isMissing }) => [path, isMissing]),
      [[join(place, name), true]],
    );
    await node.log.close();
    const again = await SavingNode.start(place, "everysec");
    assert.equal(again.map.records, 2_020);
    await again.log.close();
  });

  it("is bounded without a look into the files that the process wrote, whatever has become of them", async () => {
    const node = await filled();
    const rotten = (await readdir(place)).sort().slice(0, -1);
    assert.ok(rotten.length > 2);
    for (const name of rotten) {
      const path = join(place, name);
      await writeFile(path, Buffer.alloc((await stat(path)).size));
    }
    for (let round = 0; round < 1_000; round += 1) {
      await churn(node, round, 1);
      if (!(await readdir(place)).some((name) => rotten.includes(name))) break;
    }
    check(node);
    assert.deepEqual(node.log.damages, []);
    await node.log.close();
    const again = await SavingNode.start(place, "everysec");
    assert.deepEqual([again.map.records, again.log.damages], [2_020, []]);
    await again.log.close();
  });

  it("is bounded when the process ends while it cleans, again and again", async () => {
    let node = await filled();
    for (let start = 0; start < 20; start += 1) {
      await churn(node, 100 * start, 20 + ((start * 37) % 40));
      await node.log.close();
      node = await SavingNode.start(place, "everysec");
      assert.equal(node.map.records, 2_020);
    }
    check(node);
    await node.log.close();
  });
});
