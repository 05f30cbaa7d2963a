/** What a failed sync leaves is read by the next process, and is not durable; what a failed write through leaves is cut off. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { record } from "../conformance/storage.js";
import { Random } from "../sim/random.js";
import { FaultyDisk } from "./faulty-disk.js";
import { SavingNode } from "./saving-node.js";

for (const writesThrough of [false, true]) {
  const kind = writesThrough ? "write through" : "sync";
  describe(`what a failed ${kind} has left`, () => {
    let directory = "";
    let place = "";
    let disk: FaultyDisk;
    let stamp = 0;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "lankv-sync-"));
      place = join(directory, "log");
      disk = await FaultyDisk.begin(new Random(1), process.execPath);
      disk.writesThrough = writesThrough;
      stamp = 0;
    });
    afterEach(async () => {
      disk.end();
      await rm(directory, { recursive: true });
    });

    const left = writesThrough ? "durable" : "refused";
    const one = (key: string, value = "") => record(key, (stamp += 1), { value });
    const churn = async (node: SavingNode) => {
      for (let i = 0; i < 10; i += 1) node.write(one(`hot ${String(i)}`, "h".repeat(40_000)));
      await node.makeDurable();
    };

    it("replaces nothing that was durable, through a restart, cleaning and a loss of power", async () => {
      let node = await SavingNode.start(place, "always");
      node.write(one("key", "durable"));
      assert.ok(await node.makeDurable());
      for (let i = 0; i < 3; i += 1) await churn(node);
      const [oldest = ""] = await readdir(place);
      disk.doSyncsFail = true;
      node.write(one("key", "refused"));
      assert.equal(await node.makeDurable(), false);
      disk.doSyncsFail = false;

      // The process is killed: nothing of it is closed.
      node = await SavingNode.start(place, "always");
      assert.equal(node.map.get("key")?.value, left, "as far as it can be read");
      for (let i = 0; i < 100 && (await readdir(place)).includes(oldest); i += 1) await churn(node);
      assert.ok(!(await readdir(place)).includes(oldest), "the first value is gone");
      await node.log.close();
      await disk.cutPower(place);

      const { map, log } = await SavingNode.start(place, "always");
      assert.equal(map.get("key")?.value, left, "it was made durable before that");
      assert.deepEqual(log.damages, []);
      await log.close();
    });

    it("is saved anew when the next process cannot sync either, and is not called durable before", async () => {
      const before = await SavingNode.start(place, "everysec");
      await before.log.save([one("key", "saved, not synced")], false);

      disk.doSyncsFail = true;
      const node = await SavingNode.start(place, "everysec");
      assert.equal(node.map.records, 1);
      assert.equal(await node.makeDurable(), false);
      assert.equal(await node.makeDurable(), false);
      assert.ok(node.saving.failures > 0);
      disk.doSyncsFail = false;
      assert.ok(await node.makeDurable());
      await node.log.close();
      await disk.cutPower(place);
      const { map, log } = await SavingNode.start(place, "everysec");
      assert.equal(map.records, 1);
      await log.close();
    });

    it("replaces nothing either while there is little room and no sync was asked for", async () => {
      let node = await SavingNode.start(place, "always");
      node.write(one("key", "durable"));
      assert.ok(await node.makeDurable());
      for (let i = 0; i < 3; i += 1) await churn(node);
      disk.doSyncsFail = true;
      node.write(one("key", "refused"));
      assert.equal(await node.makeDurable(), false);

      // The next process cannot make it durable, and tells so with the first sync, which is long in coming.
      node = await SavingNode.start(place, "never");
      assert.equal(node.map.get("key")?.value, left, "as far as it can be read");
      disk.doSyncsFail = false;
      disk.seemFull();
      const [oldest = ""] = await readdir(place);
      for (let i = 0; i < 100 && (await readdir(place)).includes(oldest); i += 1) {
        node.write(one(`hot ${String(i % 10)}`, "h".repeat(40_000)));
        await node.settle();
      }
      await disk.cutPower(place);

      const { map, log } = await SavingNode.start(place, "always");
      assert.notEqual(map.get("key"), undefined, "what was durable is there, or something newer");
      await log.close();
    });
  });
}
