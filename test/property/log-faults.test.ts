/**
 * A log under a node that writes, on a disk that fails, in a process that is killed and a house that loses its power: what
 * was durable is there, or what superseded it. Cleaning goes on all the time, which is where it could be lost.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { describe, it } from "node:test";
import type { KvRecord } from "../../src/core/record.js";
import { Log } from "../../src/storage/log.js";
import type { Contents, Slots } from "../../src/storage/storage.js";
import { Held, loadAll, record } from "../conformance/storage.js";
import { Random } from "../sim/random.js";
import { FaultyDisk } from "./faulty-disk.js";

const RUNS = 30;
const STEPS = 250;
/** Saves that succeed, after which a log that had grown is at its bound again: each leaves time for a piece of 128 KiB or so. */
const SAVES_TO_RECOVER = 2_000;
const KEYS = 60;

/** A node's memory, and which of its keys wait to be saved: what src/core/saving.ts does, as simple as it can be. */
class Node implements Contents {
  readonly held = new Held();
  /** Keys that wait, those in the call under way, those saved since the last sync. */
  readonly #waiting = new Set<string>();
  #step: readonly KvRecord[] = [];
  readonly #unsynced = new Map<string, number>();
  /** The greatest stamp of each key that is durable. */
  readonly #durable = new Map<string, number>();
  readonly #slotOf = new Map<string, number>();
  readonly #keys: string[] = [];
  readonly slots?: Slots;

  /** @param hasSlots whether the log may take from memory what it empties a segment of */
  constructor(readonly hasSlots: boolean) {
    if (!hasSlots) return;
    this.slots = {
      of: ({ key, stamp }) => {
        const held = this.held.all.get(key);
        return held === undefined || held.stamp < stamp ? undefined : this.#slot(key);
      },
      at: (slot) => this.held.all.get(this.#keys[slot] ?? ""),
      bytesAt: (slot) => {
        const { key, value } = this.held.all.get(this.#keys[slot] ?? "") ?? record("", 0);
        return key.length + value.length;
      },
    };
  }

  get records(): number {
    return this.held.records;
  }

  get bytes(): number {
    return this.held.bytes;
  }

  isSuperseded(one: KvRecord): boolean {
    const isSaved = !this.#waiting.has(one.key) && this.#step.every(({ key }) => key !== one.key);
    return isSaved && this.held.isSuperseded(one);
  }

  write(one: KvRecord): void {
    this.held.add([one]);
    this.#waiting.add(one.key);
  }

  take(max: number): { readonly records: readonly KvRecord[]; readonly slots: readonly number[] } {
    const keys = [...this.#waiting].slice(0, max);
    for (const key of keys) this.#waiting.delete(key);
    this.#step = keys.map((key) => this.held.all.get(key) ?? record(key, 0));
    return { records: this.#step, slots: this.hasSlots ? keys.map((key) => this.#slot(key)) : [] };
  }

  done(sync: boolean): void {
    for (const { key, stamp } of this.#step) this.#unsynced.set(key, stamp);
    this.#step = [];
    if (!sync) return;
    for (const [key, stamp] of this.#unsynced) this.#durable.set(key, stamp);
    this.#unsynced.clear();
  }

  failed(): void {
    for (const { key } of this.#step) this.#waiting.add(key);
    this.#step = [];
    for (const key of this.#unsynced.keys()) this.#waiting.add(key);
    this.#unsynced.clear();
  }

  allAgain(): void {
    for (const key of this.held.all.keys()) this.#waiting.add(key);
  }

  /** What was promised is in what was loaded, and nothing that was never written. */
  check(loaded: Held, wasPowerCut: boolean, label: string): void {
    const promised = new Map(this.#durable);
    if (!wasPowerCut) for (const [key, stamp] of this.#unsynced) promised.set(key, stamp);
    for (const [key, stamp] of promised) {
      const found = loaded.all.get(key)?.stamp ?? -1;
      assert.ok(found >= stamp, `${label}: ${key} had ${String(stamp)}, has ${String(found)}`);
    }
    for (const { key, stamp } of loaded.all.values()) {
      assert.ok(stamp <= (this.held.all.get(key)?.stamp ?? -1), `${label}: ${key} was never written`);
    }
  }

  static restarted(loaded: Held, hasSlots: boolean): Node {
    const node = new Node(hasSlots);
    node.held.add([...loaded.all.values()]);
    for (const { key, stamp } of loaded.all.values()) node.#durable.set(key, stamp);
    return node;
  }

  #slot(key: string): number {
    const slot = this.#slotOf.get(key);
    if (slot !== undefined) return slot;
    this.#slotOf.set(key, this.#keys.length);
    return this.#keys.push(key) - 1;
  }
}

describe("a log whose disk, process and power fail", () => {
  for (const hasSlots of [false, true]) {
    const how = hasSlots ? "from memory" : "by reading";
    it(`keeps what was durable while it is cleaned ${how} (${String(RUNS)} runs)`, async () => {
      for (let seed = 1; seed <= RUNS; seed += 1) await run(seed, hasSlots);
    });
  }
});

async function run(seed: number, hasSlots: boolean): Promise<void> {
  const random = new Random(seed);
  const directory = await mkdtemp(join(tmpdir(), "lankv-faults-"));
  const place = join(directory, "log");
  const kept = { directory: place, reserve: join(directory, "reserve") };
  const disk = await FaultyDisk.begin(random, process.execPath);
  const syncs = random.pick([0, 0.1, 0.5, 1]) ?? 1;
  const failures = random.pick([0, 0.05, 0.3]) ?? 0;
  const title = `seed ${String(seed)} (syncs ${String(syncs)}, failures ${String(failures)})`;
  try {
    let node = new Node(hasSlots);
    let log = await Log.open(kept, node);
    for (let step = 1; step <= STEPS; step += 1) {
      for (let i = random.below(6); i > 0; i -= 1) {
        // Half of the keys are written rarely.
        const key = random.below(random.chance(0.9) ? KEYS / 2 : KEYS);
        const value = String.fromCharCode(random.below(256)).repeat(random.below(60_000));
        node.write(record(`key ${String(key)}`, 10 * step + i, { value }));
      }
      const sync = random.chance(syncs);
      const { records, slots } = node.take(1 + random.below(8));
      disk.mayFail = random.chance(failures);
      try {
        await log.save(records, sync, slots);
        node.done(sync);
      } catch (error) {
        assert.ok(failures > 0, `${title}, step ${String(step)}: ${String(error)}`);
        node.failed();
      }
      assert.deepEqual(log.damages, []);
      // Cleaning fails apart from saving.
      disk.mayFail = random.chance(2 * failures);
      for (let turns = random.below(8); turns > 0; turns -= 1) await setImmediate();
      if (random.chance(0.03) || step === STEPS) {
        const wasPowerCut = random.chance(0.5);
        const label = `${title}, step ${String(step)}, ${wasPowerCut ? "power cut" : "killed"}`;
        disk.isDead = true;
        await log.close();
        disk.isDead = false;
        disk.mayFail = false;
        if (wasPowerCut) await disk.cutPower(place);
        const loaded = new Held();
        const next = await Log.open(place, loaded);
        loaded.add(await loadAll(next));
        assert.deepEqual(next.damages, [], `${label}: no damage`);
        node.check(loaded, wasPowerCut, label);
        await next.close();
        node = Node.restarted(loaded, hasSlots);
        log = await Log.open(kept, node);
        await loadAll(log);
      }
    }
    // How much gathers while a third of all saves fail is a matter of chance; once they do not, it goes by itself.
    disk.mayFail = false;
    const bound = 3 * node.bytes + 6 * 2 ** 20;
    for (let left = failures > 0.1 ? SAVES_TO_RECOVER : 0; left > 0 && log.bytes >= bound; left -= 1) {
      const { records, slots } = node.take(8);
      await log.save(records, true, slots);
      node.done(true);
      for (let turns = 8; turns > 0; turns -= 1) await setImmediate();
    }
    assert.ok(log.bytes < bound, `${title}: ${String(log.bytes)} bytes of at most ${String(bound)}`);
    await log.close();
    // What cleaning was appending when it was closed comes on top.
    const most = bound + 2 ** 19;
    assert.ok(log.bytes < most, `${title}: ${String(log.bytes)} bytes of at most ${String(most)}`);
  } finally {
    disk.end();
    await rm(directory, { recursive: true });
  }
}
