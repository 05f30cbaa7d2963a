/** How large a log gets under a node that is killed again and again, with a bounded set of keys. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, it } from "node:test";
import { record } from "../conformance/storage.js";
import { Random } from "../sim/random.js";
import { FaultyDisk } from "./faulty-disk.js";
import { SavingNode } from "./saving-node.js";

const MIB = 2 ** 20;
const LIVES = 100;
const WRITES = 100;
const VALUE_BYTES = 2_000;

describe("the log of a node that is killed every few seconds", () => {
  for (const keys of [100, 2_000]) {
    it(`is bounded, with ${String(keys)} keys`, async () => {
      const directory = await mkdtemp(join(tmpdir(), "lankv-kills-"));
      const place = join(directory, "log");
      const random = new Random(1);
      const disk = await FaultyDisk.begin(random, process.execPath);
      const value = "v".repeat(VALUE_BYTES);
      try {
        for (let life = 0; life < LIVES; life += 1) {
          const node = await SavingNode.start(place, "everysec");
          const isFirst = life === 0;
          assert.equal(node.map.records, isFirst ? 0 : keys);
          for (let write = 0; write < (isFirst ? keys : WRITES); write += 1)
            node.write(
              record(`key ${String(isFirst ? write : random.below(keys))}`, 10_000 * (life + 1) + write, {
                value,
              }),
            );
          // After the first life it comes to one save, or to few, before it is killed.
          if (isFirst) await node.settle();
          else for (let steps = 1 + random.below(3); steps > 0; steps -= 1) await node.step();
          for (let turns = random.below(100); turns > 0; turns -= 1) await setImmediate();
          // Cleaning begins at twice what counts and two segments.
          const bound = 2 * node.liveBytes + 3 * MIB;
          assert.ok(
            node.log.bytes < bound,
            `life ${String(life)}: ${String(node.log.bytes)} of at most ${String(bound)}`,
          );
          disk.isDead = true;
          await node.log.close();
          disk.isDead = false;
        }
      } finally {
        disk.end();
        await rm(directory, { recursive: true });
      }
    });
  }
});
