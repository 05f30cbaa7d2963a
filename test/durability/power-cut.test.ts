/**
 * The power fails. A real daemon's calls to the system are recorded; from them the disk is rebuilt as it may have been at
 * any moment, with what was not synced kept, lost or torn; and on that disk the node starts again.
 */
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { Random } from "../sim/random.js";
import { Daemon } from "./daemon.js";
import type { Disk, Loss } from "./disk.js";
import { isolated } from "./isolated.js";
import { check, checkServed } from "./kill-round.js";
import { ledgerOf, Recording, type Counts } from "./recording.js";
import { findOnDisk, type OnDisk } from "./on-disk.js";

const LOSSES: readonly Loss[] = ["ordered", "harsh"];
/** Every so many cuts the daemon itself starts on what is left. */
const DAEMON_EVERY_CUTS = 10;

/** What is left of the disk after a cut, as a copy to try things on. */
class Remains implements Disposable {
  constructor(
    readonly directory: string,
    disk: Disk,
    loss: Loss,
    random: Random,
  ) {
    mkdirSync(directory);
    disk.rebuild(this.disk, loss, random);
  }

  get disk(): string {
    return path.join(this.directory, "disk");
  }

  get dataDir(): string {
    return path.join(this.disk, "data");
  }

  /** What the storage reads of it, time after time. */
  async load(): Promise<OnDisk> {
    return findOnDisk(this.dataDir);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** Everything that was acknowledged is there, nothing is that was never written, and reading it again is no different. */
async function checkRemains(remains: Remains, required: Counts, where: string): Promise<OnDisk> {
  const ledger = ledgerOf(required);
  const first = await remains.load();
  const keys = [...new Set([...ledger.keys, ...first.found.keys()])];
  const absent = { value: undefined, ttlMs: -2 };
  const found = keys.map((key) => first.found.get(key) ?? absent);
  check({ where, ledger, keys, found, policy: "always", killedAtMs: 0 });
  const second = await remains.load();
  assert.deepEqual(second.damages, [], `${where}: the second start finds nothing damaged`);
  return first;
}

async function checkDaemon(remains: Remains, required: Counts, where: string): Promise<void> {
  const ledger = ledgerOf(required);
  const daemon = new Daemon({
    directory: remains.directory,
    dataDir: remains.dataDir,
    flags: ["--fsync", "always", "--no-discovery"],
  });
  await daemon.start();
  await checkServed(daemon, { where, ledger, keys: ledger.keys, policy: "always", killedAtMs: 0 });
  assert.equal(await daemon.end(), 0, daemon.log);
  const before = daemon.log.length;
  await daemon.start();
  await checkServed(daemon, { where, ledger, keys: ledger.keys, policy: "always", killedAtMs: 0 });
  assert.equal(await daemon.end(), 0, daemon.log);
  assert.doesNotMatch(
    daemon.log.slice(before),
    /damaged/,
    `${where}: the second start finds nothing damaged`,
  );
}

interface CutOptions {
  readonly directory: string;
  readonly recording: Recording;
  readonly cuts: number;
  readonly seed: number;
  /** What was acknowledged in so many seconds before the cut may be lost. Default: 0. */
  readonly lossS?: number;
}

interface Tally {
  cuts: number;
  /** In how many cuts something was damaged, and not only torn. */
  damaged: number;
}

async function cutEverywhere({ directory, recording, cuts, seed, lossS = 0 }: CutOptions): Promise<Tally> {
  const random = new Random(seed);
  const tally = { cuts: 0, damaged: 0 };
  const handleCut = async (disk: Disk, required: Counts, place: number): Promise<void> => {
    const loss = LOSSES[tally.cuts % LOSSES.length] ?? "harsh";
    const where = `seed ${String(seed)}, cut at ${String(place)}, ${loss}`;
    using remains = new Remains(path.join(directory, `cut-${String(place)}`), disk, loss, random);
    tally.cuts += 1;
    if (tally.cuts % DAEMON_EVERY_CUTS === 0) await checkDaemon(remains, required, where);
    const { damages } = await checkRemains(remains, required, where);
    if (damages.length > 0) tally.damaged += 1;
  };
  await recording.play(recording.choose(cuts, random), handleCut, lossS);
  return tally;
}

isolated("always: 120 cuts, and nothing acknowledged is lost", async (directory, context) => {
  const recording = await Recording.make({
    directory,
    policy: "always",
    seed: 41,
    runs: [
      { batches: 60, end: "SIGKILL" },
      { batches: 40, end: "SIGTERM" },
      { batches: 30, end: "SIGKILL" },
    ],
  });
  const tally = await cutEverywhere({ directory, recording, cuts: 120, seed: 42 });
  context.diagnostic(JSON.stringify({ writes: recording.writes, ...tally }));
});

isolated("always: 60 cuts while the log is cleaned", async (directory, context) => {
  const recording = await Recording.make({
    directory,
    policy: "always",
    seed: 49,
    runs: [
      { batches: 16, isLarge: true, end: "SIGKILL" },
      { batches: 12, isLarge: true, end: "SIGKILL" },
    ],
  });
  const { writes, segmentsRemoved } = recording;
  assert(segmentsRemoved > 2, `the log was cleaned: ${String(segmentsRemoved)} files are gone`);
  const tally = await cutEverywhere({ directory, recording, cuts: 60, seed: 50 });
  context.diagnostic(JSON.stringify({ writes, segmentsRemoved, ...tally }));
});

isolated(
  "everysec: 80 cuts, and what was acknowledged seconds before is there",
  async (directory, context) => {
    const recording = await Recording.make({
      directory,
      policy: "everysec",
      seed: 43,
      runs: [
        // Nobody syncs what a killed process has saved until the next start does, so only the last one is killed.
        { batches: 50, pauseMsMax: 40, end: "SIGTERM" },
        { batches: 250, pauseMsMax: 40, end: "SIGKILL" },
      ],
    });
    // A sync a second, begun after what was gathered before it, and ended when the disk has done it.
    const lossS = 1.5 + 2 * recording.longestSyncS;
    const tally = await cutEverywhere({ directory, recording, cuts: 80, seed: 44, lossS });
    context.diagnostic(JSON.stringify({ writes: recording.writes, lossS, ...tally }));
  },
);

isolated("a cut while a node repairs what an earlier one has left", async (directory, context) => {
  const recording = await Recording.make({
    directory,
    policy: "always",
    seed: 45,
    runs: [{ batches: 60, end: "SIGKILL" }],
  });
  const random = new Random(46);
  const tally = { cuts: 0, damaged: 0 };
  const handleCut = async (disk: Disk, required: Counts, place: number): Promise<void> => {
    using remains = new Remains(path.join(directory, `first-${String(place)}`), disk, "harsh", random);
    const repair = await Recording.make({
      directory: remains.directory,
      policy: "always",
      seed: place,
      runs: [{ batches: 0, end: "SIGTERM" }],
      transcripts: [],
    });
    await repair.play(repair.choose(10, random), async (second, _, at) => {
      const loss = LOSSES[tally.cuts % LOSSES.length] ?? "harsh";
      using left = new Remains(path.join(remains.directory, `cut-${String(at)}`), second, loss, random);
      tally.cuts += 1;
      const { damages } = await checkRemains(
        left,
        required,
        `cut at ${String(place)}, and again at ${String(at)}, ${loss}`,
      );
      if (damages.length > 0) tally.damaged += 1;
    });
  };
  await recording.play(recording.choose(10, random), handleCut);
  assert(tally.cuts > 50);
  context.diagnostic(JSON.stringify(tally));
});

isolated("the check finds what is lost: without syncs, and without the names", async (directory) => {
  const recording = await Recording.make({
    directory,
    policy: "always",
    seed: 47,
    runs: [{ batches: 30, end: "SIGKILL" }],
  });
  const careless = [
    recording.without(({ name }) => name === "fdatasync").with((text) => text.replaceAll("|O_DSYNC", "")),
    recording.without(({ name }) => name === "fsync"),
  ];
  for (const [at, one] of careless.entries()) {
    const copy = path.join(directory, String(at));
    mkdirSync(copy);
    await assert.rejects(
      cutEverywhere({ directory: copy, recording: one, cuts: 40, seed: 48 }),
      /are not what was acknowledged/,
    );
  }
});
