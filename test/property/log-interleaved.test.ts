/**
 * Saving and cleaning take turns at every call to the disk, in whatever order these come to their ends: whenever a file of the
 * log is removed, the others hold what was durable by then, or what superseded it. So a segment may go only when all
 * that counts in it, and all that supersedes the rest, is durable elsewhere. And a backup, whenever it begins, has what was
 * durable by then.
 */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, it } from "node:test";
import type { KvRecord } from "../../src/core/record.js";
import type { FsyncPolicy } from "../../src/core/saving.js";
import { Log } from "../../src/storage/log.js";
import { Held, loadAll, record } from "../conformance/storage.js";
import { Random } from "../sim/random.js";
import { FaultyDisk, type Image } from "./faulty-disk.js";
import { SavingNode } from "./saving-node.js";

const RUNS = 10;
const LIVES = 3;
/** A life lasts until so many files were removed, or so many turns in which something is written. */
const REMOVED = 3;
const WRITES_MAX = 3_000;
/** Backups of a life at the most, and turns of the event loop before each. */
const BACKUPS_MAX = 6;
const BACKUP_TURNS_MAX = 600;
const KEYS = 40;
const VALUE_BYTES_MAX = 60_000;

/** By key, a stamp. */
type Stamps = ReadonlyMap<string, number>;

/** What a node was told of what it wrote. */
class Ledger {
  #waiting: { readonly ticket: number; readonly key: string; readonly stamp: number }[] = [];
  readonly durable = new Map<string, number>();

  note(node: SavingNode, key: string, stamp: number): void {
    this.#waiting.push({ ticket: node.saving.ticket, key, stamp });
  }

  /** The process has ended: nothing is told any more of what it wrote. */
  end(): void {
    this.#waiting = [];
  }

  /** To be called after each step. */
  look({ saving: { durable, voided } }: SavingNode): void {
    this.#waiting = this.#waiting.filter(({ ticket }) => ticket > voided);
    for (const { ticket, key, stamp } of this.#waiting) if (ticket <= durable) this.durable.set(key, stamp);
    this.#waiting = this.#waiting.filter(({ ticket }) => ticket > durable);
  }
}

/** What has to be in files that are left, or were copied. */
interface Promised {
  readonly what: string;
  readonly image: Image;
  readonly stamps: Stamps;
}

interface Kind {
  readonly policy: FsyncPolicy;
  /** Share of the stretches of a run in which calls fail; 0..1 */
  readonly failures: number;
  /** Whether the disk seems to have little room, so that nothing is emptied from memory. */
  readonly isTight: boolean;
}

const KINDS: readonly Kind[] = [
  { policy: "always", failures: 0, isTight: false },
  { policy: "everysec", failures: 0, isTight: false },
  { policy: "always", failures: 0, isTight: true },
  { policy: "everysec", failures: 0, isTight: true },
  { policy: "always", failures: 0.1, isTight: false },
  { policy: "everysec", failures: 0.1, isTight: true },
];

describe("saving and cleaning that take turns", () => {
  for (const kind of KINDS) {
    const { policy, failures, isTight } = kind;
    const title = `${policy}${failures > 0 ? ", with failures" : ""}${isTight ? ", with little room" : ""}`;
    it(`keep what is durable whenever a file goes: ${title} (${String(RUNS)} runs)`, async () => {
      let [removed, copied] = [0, 0];
      for (let seed = 1; seed <= RUNS; seed += 1) {
        const done = await run(seed, kind);
        removed += done.removed;
        copied += done.copied;
      }
      assert.ok(removed >= RUNS * LIVES * REMOVED, `files were removed, ${String(removed)} times`);
      // By the other policy a life may be over before anything is durable.
      if (policy === "always")
        assert.ok(copied >= RUNS * LIVES, `files were copied, ${String(copied)} times`);
    });
  }
});

/** @returns how many files were removed, and backups made of something */
async function run(seed: number, kind: Kind): Promise<{ removed: number; copied: number }> {
  const random = new Random(seed);
  const directory = await mkdtemp(join(tmpdir(), "lankv-interleaved-"));
  const place = join(directory, "log");
  const disk = await FaultyDisk.begin(random, process.execPath);
  const ledger = new Ledger();
  let [removed, copied] = [0, 0];
  try {
    if (kind.isTight) disk.seemFull();
    for (let life = 1; life <= LIVES; life += 1) {
      const node = await SavingNode.start(place, kind.policy);
      checkHeld(node.map.get.bind(node.map), ledger.durable, `seed ${String(seed)}, life ${String(life)}`);
      const promised: Promised[] = [];
      disk.onUnlink((path) => {
        if (dirname(path) !== place) return;
        const what = `seed ${String(seed)}, life ${String(life)}, ${path.slice(place.length + 1)} is removed`;
        promised.push({
          what,
          image: disk.imageOf(place, true, path),
          stamps: new Map(ledger.durable),
        });
      });
      disk.turnsMax = random.pick([0, 1, 4]) ?? 0;
      const isOver = () => promised.length >= REMOVED;
      let isLiving = true;
      const copying = backUp(node, disk, ledger, {
        directory: join(directory, "copy"),
        random,
        isOver: () => !isLiving,
        what: `seed ${String(seed)}, life ${String(life)}, backup`,
      });
      const living = live(node, random, disk, ledger, { life, failures: kind.failures, isOver }).finally(
        () => {
          isLiving = false;
        },
      );
      // Both have ended before what went wrong in one of them is told.
      await Promise.allSettled([copying, living]);
      await living;
      const copies = await copying;
      disk.turnsMax = 0;
      disk.mayFail = false;
      for (const one of copies) await check(one, join(directory, "image"));
      copied += copies.filter(({ stamps }) => stamps.size > 0).length;
      for (const one of promised) await check(one, join(directory, "image"));
      removed += promised.length;
      // What it goes on with is what the next life finds, or what a loss of power has left.
      disk.isDead = true;
      await node.log.close();
      disk.isDead = false;
      ledger.end();
      if (random.chance(0.5)) await disk.cutPower(place);
    }
  } finally {
    disk.end();
    await rm(directory, { recursive: true });
  }
  return { removed, copied };
}

interface Life {
  readonly life: number;
  /** See {@link Kind.failures}. */
  readonly failures: number;
  readonly isOver: () => boolean;
}

/** Writes come whenever they come, and saving goes on at the same time. */
async function live(
  node: SavingNode,
  random: Random,
  disk: FaultyDisk,
  ledger: Ledger,
  { life, failures, isOver }: Life,
): Promise<void> {
  let isWriting = true;
  const saving = (async () => {
    while (isWriting || node.saving.unsaved > 0) {
      await node.step();
      ledger.look(node);
      for (let turns = random.below(3); turns > 0; turns -= 1) await setImmediate();
      if (!isWriting) disk.mayFail = false;
      if (node.saving.wakeAtMs === Infinity) await setImmediate();
    }
  })();
  for (let write = 1; write <= WRITES_MAX && !isOver(); write += 1) {
    if (random.chance(0.1)) disk.mayFail = random.chance(failures);
    for (let i = 1 + random.below(4); i > 0; i -= 1) {
      // Half of the keys are written rarely.
      const key = `key ${String(random.below(random.chance(0.9) ? KEYS / 2 : KEYS))}`;
      const stamp = 10 * (10_000 * life + write) + i;
      const value = String.fromCharCode(random.below(256)).repeat(random.below(VALUE_BYTES_MAX));
      node.write(record(key, stamp, { value }));
      ledger.note(node, key, node.map.get(key)?.stamp ?? 0);
    }
    for (let turns = random.below(6); turns > 0; turns -= 1) await setImmediate();
  }
  isWriting = false;
  await saving;
}

interface Copying {
  /** Made and removed again for each. */
  readonly directory: string;
  readonly random: Random;
  readonly isOver: () => boolean;
  readonly what: string;
}

/** Backups, one after another, that begin whenever they like. */
async function backUp(
  node: SavingNode,
  disk: FaultyDisk,
  ledger: Ledger,
  { directory, random, isOver, what }: Copying,
): Promise<Promised[]> {
  const copies: Promised[] = [];
  while (!isOver() && copies.length < BACKUPS_MAX) {
    for (let turns = random.below(BACKUP_TURNS_MAX); turns > 0; turns -= 1) await setImmediate();
    const stamps = new Map(ledger.durable);
    await node.log.backup(directory);
    const image = disk.imageOf(directory, false, "");
    await rm(directory, { recursive: true });
    copies.push({ what: `${what} ${String(copies.length + 1)}`, image, stamps });
  }
  return copies;
}

async function check({ what, image, stamps }: Promised, directory: string): Promise<void> {
  await mkdir(directory);
  for (const [name, bytes] of image) await writeFile(join(directory, name), bytes);
  const loaded = new Held();
  const log = await Log.open(directory, loaded);
  loaded.add(await loadAll(log));
  await log.close();
  checkHeld((key) => loaded.all.get(key), stamps, what);
  await rm(directory, { recursive: true });
}

function checkHeld(get: (key: string) => KvRecord | undefined, stamps: Stamps, what: string): void {
  for (const [key, stamp] of stamps) {
    const found = get(key)?.stamp ?? -1;
    assert.ok(found >= stamp, `${what}: ${key} has ${String(found)}, ${String(stamp)} was durable`);
  }
}
