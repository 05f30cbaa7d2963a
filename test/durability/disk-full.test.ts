/** A real file system of 16 megabytes is full: in the middle of writes, at the start, and while the log is cleaned. */
import assert from "node:assert/strict";
import path from "node:path";
import { Random } from "../sim/random.js";
import { Daemon } from "./daemon.js";
import { isolated } from "./isolated.js";
import { Burst, checkServed, kill, type Policy } from "./kill-round.js";
import { Ledger } from "./ledger.js";
import { SmallDisk } from "./small-disk.js";
import { accepts, refuses, worksOtherwise } from "./trouble.js";

const MEGABYTES = 16;
const FULL = /no space left|disk is full|ENOSPC/i;

for (const policy of ["always", "everysec"] satisfies Policy[]) {
  isolated(
    `${policy}: the disk fills up in the middle of writes, and there is room again`,
    async (directory) => {
      using disk = new SmallDisk(directory, MEGABYTES);
      const random = new Random(21);
      const ledger = new Ledger();
      const node = new Daemon({
        directory,
        dataDir: path.join(disk.path, "data"),
        flags: ["--fsync", policy],
      });
      const peer = new Daemon({ directory, name: "peer", flags: ["--memory"] });
      await Promise.all([node.start(), peer.start()]);
      const client = await node.connect();
      await accepts(client);

      for (let time = 0; time < 3; time += 1) {
        const burst = await Burst.start(node, { ledger, random, pauseMsMax: 20 });
        await burst.acknowledged(1_000);
        disk.fill();
        await refuses(client);
        await worksOtherwise(node, peer, FULL);
        disk.makeRoom();
        await accepts(client);
        assert.deepEqual(
          burst.refusals.filter((refusal) => !refusal.startsWith("MISCONF ")),
          [],
        );
        burst.stop();
        await burst.ended();
      }
      await peer.end();

      // Whatever was refused in between, what was accepted stays.
      if (policy === "everysec") {
        assert.equal(await node.end(), 0, node.log);
        await node.start();
        await checkServed(node, {
          where: "after a stop",
          ledger,
          keys: ledger.keys,
          policy: "always",
          killedAtMs: 0,
        });
      }
      const burst = await Burst.start(node, { ledger, random });
      await burst.acknowledged(500);
      const killedAtMs = await kill(node);
      await burst.ended();
      await node.start();
      await checkServed(node, { where: "after a kill", ledger, keys: ledger.keys, policy, killedAtMs });
      assert.equal(await node.end(), 0, node.log);
    },
  );
}

isolated("the disk is full at the start", async (directory) => {
  using disk = new SmallDisk(directory, MEGABYTES);
  const ledger = new Ledger();
  const node = new Daemon({ directory, dataDir: path.join(disk.path, "data"), flags: ["--fsync", "always"] });
  const peer = new Daemon({ directory, name: "peer", flags: ["--memory"] });
  await node.start();
  await accepts(await node.connect());
  const burst = await Burst.start(node, { ledger, random: new Random(22) });
  await burst.acknowledged(1_000);
  const killedAtMs = await kill(node);
  await burst.ended();

  disk.fill();
  await Promise.all([node.start(), peer.start()]);
  await checkServed(node, { where: "full", ledger, keys: ledger.keys, policy: "always", killedAtMs });
  const client = await node.connect();
  await refuses(client);
  await worksOtherwise(node, peer, FULL);
  disk.makeRoom();
  await accepts(client);
  await peer.end();
  assert.equal(await node.end(), 0, node.log);
});

isolated("a new node finds no room at all: it says so, and starts when there is some", async (directory) => {
  using disk = new SmallDisk(directory, MEGABYTES);
  const node = new Daemon({ directory, dataDir: path.join(disk.path, "data"), flags: ["--no-discovery"] });
  disk.fill();
  node.spawn();
  assert.equal(await node.ended(), 1);
  assert.match(node.log, FULL);
  assert.match(node.log, new RegExp(disk.path));
  disk.makeRoom();
  await node.start();
  assert.equal(await node.end(), 0, node.log);
});

isolated("a read-only directory: the node says so, and starts when it may write", async (directory) => {
  using disk = new SmallDisk(directory, MEGABYTES);
  const node = new Daemon({ directory, dataDir: path.join(disk.path, "data"), flags: ["--no-discovery"] });
  await node.start();
  const client = await node.connect();
  await client.call("SET", "k", "v");
  assert.equal(await node.end(), 0, node.log);
  disk.makeReadOnly();
  node.spawn();
  assert.equal(await node.ended(), 1);
  assert.match(node.log, /read-only|EROFS/i);
});

isolated("more is written than fits, again and again over the same keys", async (directory, context) => {
  using disk = new SmallDisk(directory, MEGABYTES);
  const ledger = new Ledger();
  const node = new Daemon({
    directory,
    dataDir: path.join(disk.path, "data"),
    flags: ["--fsync", "always", "--no-discovery"],
  });
  await node.start();
  const client = await node.connect();
  // 2 MB that are current, 80 MB that were.
  const keys = Array.from({ length: 200 }, (_, at) => `k${String(at)}`);
  let refused = 0;
  for (let round = 0; round < 40; round += 1) {
    const writes = keys.map((key) => {
      const value = `${key}=${String(round)}${".".repeat(10_000)}`;
      return { key, value, write: ledger.write(key, value) };
    });
    const replies = await client.pipeline(writes.map(({ key, value }) => ["SET", key, value]));
    for (const [at, { write }] of writes.entries()) {
      if (replies[at] instanceof Error) refused += 1;
      else ledger.acknowledgeWrite(write);
    }
  }
  context.diagnostic(`${String(refused)} of ${String(40 * keys.length)} writes were refused`);
  await accepts(client);
  const killedAtMs = await kill(node);
  await node.start();
  await checkServed(node, { where: "cleaned", ledger, keys: ledger.keys, policy: "always", killedAtMs });
  assert.equal(refused, 0, "cleaning makes room before there is none");
  assert.equal(await node.end(), 0, node.log);
});

isolated(
  "other programs fill the disk, and every file of the log has something that counts: it goes on by itself",
  async (directory, context) => {
    using disk = new SmallDisk(directory, MEGABYTES);
    const ledger = new Ledger();
    const node = new Daemon({
      directory,
      dataDir: path.join(disk.path, "data"),
      flags: ["--fsync", "always", "--no-discovery"],
    });
    await node.start();
    const client = await node.connect();
    let refused = 0;
    const write = async (key: string, round: number): Promise<void> => {
      const value = `${key}=${String(round)}${".".repeat(20_000)}`;
      const begun = ledger.write(key, value);
      const [reply] = await client.pipeline([["SET", key, value]]);
      if (reply instanceof Error) refused += 1;
      else ledger.acknowledgeWrite(begun);
    };
    // A value that stays goes to each file, between many that do not.
    for (let round = 0; round < 200; round += 1)
      await write(round % 4 === 0 ? `stays ${String(round)}` : "hot", round);
    disk.fill();
    for (let round = 200; round < 400; round += 1) {
      await write(`hot ${String(round % 10)}`, round);
      if (round % 20 === 0) await accepts(client);
    }
    context.diagnostic(`${String(refused)} of 400 writes were refused`);
    const killedAtMs = await kill(node);
    await node.start();
    await checkServed(node, { where: "cleaned", ledger, keys: ledger.keys, policy: "always", killedAtMs });
    assert.equal(await node.end(), 0, node.log);
  },
);

isolated("who stops a node that cannot save is told so", async (directory) => {
  using disk = new SmallDisk(directory, 16);
  const node = new Daemon({ directory, dataDir: path.join(disk.path, "data"), flags: ["--no-discovery"] });
  await node.start();
  disk.fill();
  const client = await node.connect();
  await client.pipeline([["SET", "big", "v".repeat(100_000)]]);
  await refuses(client);
  const { code, stderr } = await node.cli("stop");
  assert.equal(code, 1);
  assert.match(stderr, /This node has ended, and not all is on its disk: the disk is full\. \d+ keys/);
  assert.equal(await node.ended(), 1);
  assert.match(node.log, /not all is on its disk: the disk is full\. \d+ keys/);
  client.close();
});
