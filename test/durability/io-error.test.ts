/** The system answers what a real node asks of its disk with errors: writes, syncs, new files, reads. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { until } from "../lan/until.js";
import { Random } from "../sim/random.js";
import { agree } from "./agree.js";
import { Daemon } from "./daemon.js";
import { failing, Fault, unreadable } from "./fault.js";
import { isolated } from "./isolated.js";
import { Burst, checkServed, kill } from "./kill-round.js";
import { Ledger } from "./ledger.js";
import { SmallDisk } from "./small-disk.js";
import { accepts, refuses, worksOtherwise } from "./trouble.js";

/** Bytes of a file system in memory: none of those on which writes go through to the disk, so that there are syncs. */
const DISK_MEGABYTES = 64;

interface Trouble {
  readonly what: string;
  readonly calls: string;
  readonly error: string;
  /** What users are told. */
  readonly reason: RegExp;
  readonly isInMemory?: boolean;
}

const FAULTS: readonly Trouble[] = [
  {
    what: "every sync fails",
    calls: "fdatasync,fsync",
    error: "EIO",
    reason: /i\/o error|EIO/i,
    isInMemory: true,
  },
  { what: "every write fails", calls: "pwrite64,pwritev", error: "EIO", reason: /i\/o error|EIO/i },
  {
    what: "the disk has become read-only",
    calls: "pwrite64,pwritev,ftruncate",
    error: "EROFS",
    reason: /read-only|EROFS/i,
  },
  { what: "the quota is used up", calls: "pwrite64,pwritev", error: "EDQUOT", reason: /quota|EDQUOT/i },
];

for (const { what, calls, error, reason, isInMemory = false } of FAULTS) {
  isolated(`${what}, for a while`, async (directory) => {
    const ledger = new Ledger();
    const random = new Random(31);
    using disk = new SmallDisk(directory, DISK_MEGABYTES);
    const dataDir = path.join(isInMemory ? disk.path : directory, "data");
    const node = new Daemon({ directory, dataDir, flags: ["--fsync", "always"] });
    const peer = new Daemon({ directory, name: "peer", flags: ["--memory"] });
    await Promise.all([node.start(), peer.start()]);
    const client = await node.connect();
    await accepts(client);
    const burst = await Burst.start(node, { ledger, random, pauseMsMax: 20 });
    await burst.acknowledged(500);

    const fault = await Fault.begin(node.pid, calls, error);
    await refuses(client);
    await worksOtherwise(node, peer, reason);
    await fault.end();
    await accepts(client);

    await burst.acknowledgedMore(500);
    await peer.end();
    const killedAtMs = await kill(node);
    await burst.ended();
    await node.start();
    await checkServed(node, { where: what, ledger, keys: ledger.keys, policy: "always", killedAtMs });
    assert.equal(await node.end(), 0, node.log);
  });
}

for (const [what, calls, isInMemory] of [
  ["syncs", "fdatasync", true],
  ["writes through to the disk", "pwrite64", false],
] as const) {
  isolated(`some ${what} fail, one here and one there`, async (directory) => {
    const ledger = new Ledger();
    const random = new Random(32);
    using disk = new SmallDisk(directory, DISK_MEGABYTES);
    const dataDir = path.join(isInMemory ? disk.path : directory, "data");
    const under = failing(calls, "EIO", "10+15");
    const node = new Daemon({ directory, dataDir, under, flags: ["--fsync", "always", "--no-discovery"] });
    await node.start();
    const burst = await Burst.start(node, { ledger, random, pauseMsMax: 20 });
    await burst.acknowledgedMore(3_000);
    assert(burst.refusals.length > 0, "some failed");
    const killedAtMs = await kill(node);
    await burst.ended();

    const healthy = new Daemon({ directory, dataDir, flags: ["--fsync", "always", "--no-discovery"] });
    await healthy.start();
    await checkServed(healthy, {
      where: `${what} failed`,
      ledger,
      keys: ledger.keys,
      policy: "always",
      killedAtMs,
    });
    assert.equal(await healthy.end(), 0, healthy.log);
  });
}

isolated("what cannot be read at the start comes from the LAN", async (directory) => {
  const ledger = new Ledger();
  const random = new Random(33);
  const node = new Daemon({ directory, flags: ["--fsync", "always"] });
  const peer = new Daemon({ directory, name: "peer", flags: ["--fsync", "always"] });
  await Promise.all([node.start(), peer.start()]);
  const burst = await Burst.start(node, { ledger, random });
  await burst.acknowledged(4_000);
  burst.stop();
  await burst.ended();
  await agree(node, peer);
  assert.equal(await node.end(), 0, node.log);

  const log = path.join(node.dataDir, "log");
  const under = unreadable(readdirSync(log).map((name) => path.join(log, name)));
  const unlucky = new Daemon({ directory, flags: ["--fsync", "always"], under });
  await unlucky.start();
  await agree(unlucky, peer);
  assert.match(unlucky.log, /damaged/);
  await checkServed(unlucky, { where: "unread", ledger, keys: ledger.keys, policy: "always", killedAtMs: 0 });
  assert.equal(await unlucky.end(), 0, unlucky.log);
});

isolated(
  "a disk that does not answer does not keep the daemon from ending, which says so",
  async (directory) => {
    const node = new Daemon({ directory, flags: ["--no-discovery"] });
    await node.start();
    // Longer than any test may take: what ends the daemon is not the answer.
    const fault = await Fault.delay(node.pid, "fdatasync,fsync", 3_600_000_000);
    assert.equal((await node.cli("set", "k", "v")).code, 0);
    const ended = node.end();
    await until("it says why it ends", () => {
      assert.match(node.log, / error .*The disk does not answer; killed\./);
    });
    // What was killed is there for its parent only when nobody traces it any more.
    await fault.end("SIGKILL");
    assert.equal(await ended, null, node.log);
    await node.start();
    assert.equal(await node.end(), 0, node.log);
  },
);
