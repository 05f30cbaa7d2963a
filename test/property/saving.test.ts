import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RecordMap } from "../../src/core/record-map.js";
import type { KvRecord } from "../../src/core/record.js";
import {
  SAVE_BYTES,
  SAVE_GROWTH_MAX,
  SAVE_RECORDS,
  Saving,
  type FsyncPolicy,
  type SaveStep,
} from "../../src/core/saving.js";
import { recordsToArray } from "../sim/records.js";

/** By key, the number of its latest write. */
type Writes = ReadonlyMap<string, number>;

/** A ticket, and what it is to cover. */
interface Ticket {
  readonly ticket: number;
  readonly failures: number;
  readonly covers: Writes;
}

/** Saving, and a disk that loses whatever it may. */
class World {
  readonly saving: Saving;
  nowMs = 0;
  step: SaveStep | undefined;
  /** What the step under way has written. */
  #inStep: readonly KvRecord[] = [];
  readonly #map: RecordMap;
  readonly #policy: FsyncPolicy;
  readonly #written = new Map<string, number>();
  #saved = new Map<string, number>();
  readonly #loaded: Set<string>;
  readonly #synced = new Map<string, number>();
  #tickets: Ticket[] = [];
  #writes = 0;

  /** @param loaded how many keys there are from the start, saved and maybe not synced */
  constructor(policy: FsyncPolicy, loaded: number) {
    let isLoading = true;
    this.#policy = policy;
    this.#map = new RecordMap(
      () => undefined,
      (slot) => {
        if (!isLoading) this.saving.add(slot);
      },
    );
    this.saving = new Saving(this.#map, policy);
    for (let key = 0; key < loaded; key += 1) this.write(key, 0);
    this.#saved = new Map(this.#written);
    this.#loaded = new Set(this.#written.keys());
    isLoading = false;
  }

  write(number: number, bytes: number): void {
    this.#writes += 1;
    const key = `key ${String(number)}`;
    const record: KvRecord = {
      key,
      value: "x".repeat(bytes),
      kind: "value",
      stamp: this.#writes,
      writer: "a",
      expiresAtMs: undefined,
      replaces: [],
    };
    this.#map.apply(record);
    this.#written.set(key, this.#writes);
  }

  takeTicket(isDemanding: boolean): void {
    const { ticket, failures, voided } = this.saving;
    assert.ok(ticket > voided, "a ticket is not void from the start");
    this.#tickets.push({ ticket, failures, covers: new Map(this.#written) });
    if (isDemanding) this.saving.demand(ticket);
  }

  begin(): void {
    if (this.step !== undefined) {
      assert.equal(this.saving.next(this.nowMs), undefined, "one step at a time");
      return;
    }
    const isDue = this.saving.wakeAtMs <= this.nowMs;
    this.step = this.saving.next(this.nowMs);
    assert.equal(this.step !== undefined, isDue, "there is something to do when it says so");
    if (this.step === undefined) return;
    const { sync } = this.step;
    const records = recordsToArray(this.step.records);
    this.#inStep = records;
    assert.ok(records.length > 0 || sync);
    assert.ok(records.length <= SAVE_GROWTH_MAX * SAVE_RECORDS);
    const bytes = records.slice(0, -1).reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    assert.ok(bytes < SAVE_GROWTH_MAX * SAVE_BYTES);
  }

  done(): void {
    if (this.step === undefined) return;
    for (const { key, stamp } of this.#inStep) {
      this.#saved.set(key, stamp);
      this.#loaded.delete(key);
    }
    if (this.step.sync) {
      for (const [key, stamp] of this.#saved) this.#synced.set(key, stamp);
      this.#saved.clear();
    }
    this.step = undefined;
    this.saving.handleDone();
    this.#check();
  }

  /**
   * Nothing of it was done, and what was saved before is lost: storage may have tried to sync by itself. What was loaded is
   * lost only by a step that was to sync.
   */
  failed(): void {
    if (this.step === undefined) return;
    for (const key of this.#saved.keys())
      if (this.step.sync || !this.#loaded.has(key)) this.#saved.delete(key);
    this.step = undefined;
    this.saving.handleFailed(this.nowMs);
    this.#check();
  }

  /** Storage was found damaged: what it had may be gone. Not in the middle of a step. */
  damaged(): void {
    if (this.step !== undefined) return;
    this.saving.addAll();
  }

  /** Nothing fails any more: everything is saved within a bounded time, and durable unless the policy forbids. */
  settle(): void {
    for (let steps = 0; this.step !== undefined || this.saving.wakeAtMs !== Infinity; steps += 1) {
      assert.ok(steps < 1_000, "it comes to an end");
      this.nowMs = Math.max(this.nowMs, this.saving.wakeAtMs === Infinity ? 0 : this.saving.wakeAtMs);
      this.begin();
      this.done();
    }
    assert.equal(this.saving.unsaved, 0);
    for (const [key, write] of this.#written) {
      const isSaved = this.#saved.get(key) === write && this.#policy === "never";
      assert.ok(isSaved || this.#synced.get(key) === write, `${key} is saved in the end`);
    }
    this.#check();
    if (this.#policy !== "never") assert.deepEqual(this.#tickets, [], "every ticket comes true, or is void");
  }

  #check(): void {
    const { durable, failures } = this.saving;
    for (const { ticket, covers, ...taken } of this.#tickets) {
      if (taken.failures !== failures || durable < ticket) continue;
      for (const [key, write] of covers)
        assert.ok((this.#synced.get(key) ?? 0) >= write, `${key} is covered by a durable ticket`);
    }
    this.#tickets = this.#tickets.filter((taken) => taken.failures === failures && taken.ticket > durable);
  }
}

type Action = (world: World) => void;

const write: fc.Arbitrary<Action> = fc
  .tuple(fc.nat(30), fc.oneof({ weight: 20, arbitrary: fc.nat(10) }, fc.nat(300_000)))
  .map(([key, bytes]) => (world) => {
    world.write(key, bytes);
  });
const burst: fc.Arbitrary<Action> = fc.nat(3_000).map((count) => (world) => {
  for (let key = 0; key < count; key += 1) world.write(key, 1);
});
const takeTicket: fc.Arbitrary<Action> = fc.nat(4).map((chance) => (world) => {
  world.takeTicket(chance === 0);
});
const begin: fc.Arbitrary<Action> = fc.constant((world) => {
  world.begin();
});
const done: fc.Arbitrary<Action> = fc.constant((world) => {
  world.done();
});
const failed: fc.Arbitrary<Action> = fc.constant((world) => {
  world.failed();
});
const damaged: fc.Arbitrary<Action> = fc.constant((world) => {
  world.damaged();
});
/** All is unsaved, a part of it is saved and changes once more, and the next part fails. */
const halfSwept: fc.Arbitrary<Action> = fc
  .tuple(fc.nat(3_000), fc.boolean())
  .map(([count, isDamagedAgain]) => (world) => {
    world.damaged();
    world.begin();
    world.done();
    for (let key = 0; key < count; key += 1) world.write(key, 1);
    world.nowMs += 2_000;
    world.begin();
    world.failed();
    world.takeTicket(false);
    if (isDamagedAgain) world.damaged();
  });
const pass: fc.Arbitrary<Action> = fc.oneof(fc.nat(20), fc.nat(2_000)).map((ms) => (world) => {
  world.nowMs += ms;
});

const actions = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: write },
    { weight: 1, arbitrary: burst },
    { weight: 6, arbitrary: takeTicket },
    { weight: 12, arbitrary: begin },
    { weight: 8, arbitrary: done },
    { weight: 2, arbitrary: failed },
    { weight: 1, arbitrary: damaged },
    { weight: 1, arbitrary: halfSwept },
    { weight: 6, arbitrary: pass },
  ),
  { maxLength: 200 },
);

describe("what is saved, and when", () => {
  for (const policy of ["always", "everysec", "never"] as const) {
    it(`with ${policy}: a durable ticket covers what changed before it, and everything is saved in the end`, () => {
      fc.assert(
        fc.property(fc.nat(20), actions, (loaded, all) => {
          const world = new World(policy, loaded);
          for (const action of all) action(world);
          world.settle();
        }),
        { numRuns: 300 },
      );
    });
  }
});
