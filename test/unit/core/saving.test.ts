import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecordMap } from "../../../src/core/record-map.js";
import type { KvRecord } from "../../../src/core/record.js";
import {
  GATHER_MS,
  AGE_STEPS_MAX,
  RETRY_MS,
  SAVE_BYTES,
  SAVE_GROWTH_MAX,
  SAVE_RECORDS,
  SYNC_EVERY_MS,
  Saving,
  type FsyncPolicy,
  type SaveStep,
} from "../../../src/core/saving.js";
import { recordsToArray } from "../../sim/records.js";

/** A map whose changes are saved, and a clock. */
class Desk {
  readonly saving: Saving;
  nowMs = 10_000;
  readonly #map: RecordMap;
  #writes = 0;

  constructor(policy: FsyncPolicy) {
    this.#map = new RecordMap(
      () => undefined,
      (slot) => {
        this.saving.add(slot);
      },
    );
    this.saving = new Saving(this.#map, policy);
  }

  write(key: string, value = ""): KvRecord {
    this.#writes += 1;
    const record: KvRecord = {
      key,
      value,
      kind: "value",
      stamp: this.#writes,
      writer: "a",
      expiresAtMs: undefined,
      replaces: [],
    };
    this.#map.apply(record);
    return record;
  }

  writeMany(count: number): void {
    for (let i = 0; i < count; i += 1) this.write(`key ${String(i)}`);
  }

  next(): SaveStep | undefined {
    return this.saving.next(this.nowMs);
  }

  /** Carries out what is due now, and whatever that makes due. */
  carryOut(): SaveStep[] {
    const steps: SaveStep[] = [];
    for (let step = this.next(); step !== undefined; step = this.next()) {
      this.saving.handleDone();
      steps.push(step);
    }
    return steps;
  }

  fail(): SaveStep | undefined {
    const step = this.next();
    assert.notEqual(step, undefined, "something to fail");
    this.saving.handleFailed(this.nowMs);
    return step;
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }
}

/** A desk at which everything so far is durable. */
function deskAtRest(policy: FsyncPolicy): Desk {
  const desk = new Desk(policy);
  desk.saving.demand(desk.saving.ticket);
  desk.carryOut();
  assert.equal(desk.saving.durable, desk.saving.ticket);
  desk.pass(10 * SYNC_EVERY_MS);
  return desk;
}

function keysOf(steps: readonly (SaveStep | undefined)[]): readonly (readonly string[])[] {
  return steps.map((step) => (step === undefined ? [] : recordsToArray(step.records).map(({ key }) => key)));
}

describe("what is to be saved", () => {
  it("is the current record of each key that changed, once, in the order of the changes", () => {
    const desk = deskAtRest("everysec");
    desk.write("a", "1");
    desk.write("b", "2");
    const last = desk.write("a", "3");
    const [step] = desk.carryOut();
    assert.deepEqual(keysOf([step]), [["a", "b"]]);
    assert.ok(step !== undefined);
    assert.deepEqual(recordsToArray(step.records)[0], last);
    assert.equal(desk.saving.unsaved, 0);
  });

  it("is saved again when it changes while it is being saved", () => {
    const desk = deskAtRest("always");
    desk.write("a");
    assert.deepEqual(keysOf([desk.next()]), [["a"]]);
    desk.write("a");
    const { ticket } = desk.saving;
    desk.saving.handleDone();
    assert.ok(desk.saving.durable < ticket);
    assert.deepEqual(keysOf(desk.carryOut()), [["a"]]);
    assert.ok(desk.saving.durable >= ticket);
  });

  it("leaves what is on disk to count until it is saved", () => {
    const desk = deskAtRest("everysec");
    const before = desk.write("a", "1");
    desk.carryOut();
    desk.write("a", "2");
    assert.equal(desk.saving.isSuperseded(before), false, "it waits");
    desk.pass(GATHER_MS);
    assert.notEqual(desk.next(), undefined);
    assert.equal(desk.saving.isSuperseded(before), false, "it was taken, and may not be there yet");
    desk.saving.handleFailed(desk.nowMs);
    assert.equal(desk.saving.isSuperseded(before), false, "a failure has given it back");
    desk.pass(RETRY_MS);
    assert.notEqual(desk.next(), undefined);
    desk.saving.handleDone();
    assert.equal(desk.saving.isSuperseded(before), true);
  });

  it("comes in steps that are bounded in records and in bytes", () => {
    const desk = deskAtRest("everysec");
    desk.writeMany(2 * SAVE_RECORDS + 1);
    assert.deepEqual(
      desk.carryOut().flatMap(({ records }) => (records.length > 0 ? [records.length] : [])),
      [SAVE_RECORDS, SAVE_RECORDS, 1],
    );
    desk.pass(GATHER_MS);
    for (const key of ["a", "b", "c"]) desk.write(key, "x".repeat(SAVE_BYTES / 2));
    assert.deepEqual(keysOf(desk.carryOut()), [["a", "b"], ["c"]]);
  });

  it("comes in larger steps the more waits, up to a bound", () => {
    const desk = deskAtRest("everysec");
    desk.writeMany(8 * SAVE_RECORDS);
    assert.equal(desk.next()?.records.length, 2 * SAVE_RECORDS);
    desk.writeMany(100 * SAVE_RECORDS);
    desk.saving.handleDone();
    assert.equal(desk.next()?.records.length, SAVE_GROWTH_MAX * SAVE_RECORDS);
  });

  it("is one step at a time", () => {
    const desk = deskAtRest("always");
    desk.write("a");
    assert.notEqual(desk.next(), undefined);
    desk.write("b");
    assert.equal(desk.saving.wakeAtMs, Infinity);
    assert.equal(desk.next(), undefined);
  });
});

describe("when it is saved", () => {
  it("with always, at once and synced", () => {
    const desk = deskAtRest("always");
    desk.write("a");
    assert.ok(desk.saving.wakeAtMs <= desk.nowMs);
    assert.deepEqual(
      desk.carryOut().map(({ sync }) => sync),
      [true],
    );
    assert.equal(desk.saving.wakeAtMs, Infinity);
  });

  it("with always, many that changed together are synced once", () => {
    const desk = deskAtRest("always");
    desk.writeMany(3 * SAVE_RECORDS);
    assert.deepEqual(
      desk.carryOut().map(({ sync }) => sync),
      [false, false, true],
    );
    assert.equal(desk.saving.durable, desk.saving.ticket);
  });

  it("with everysec, within 50 ms, and synced within a second", () => {
    const desk = deskAtRest("everysec");
    desk.write("a");
    assert.deepEqual(keysOf(desk.carryOut()), [["a"]]);
    desk.write("b");
    assert.equal(desk.saving.wakeAtMs, desk.nowMs + GATHER_MS);
    desk.pass(GATHER_MS);
    assert.deepEqual(
      desk.carryOut().map(({ records, sync }) => [records.length, sync]),
      [[1, false]],
    );
    assert.ok(desk.saving.durable < desk.saving.ticket);
    assert.equal(desk.saving.wakeAtMs, desk.nowMs - GATHER_MS + SYNC_EVERY_MS);
    desk.pass(SYNC_EVERY_MS - GATHER_MS);
    assert.deepEqual(
      desk.carryOut().map(({ records, sync }) => [records.length, sync]),
      [[0, true]],
    );
    assert.equal(desk.saving.durable, desk.saving.ticket);
    assert.equal(desk.saving.wakeAtMs, Infinity);
  });

  it("with everysec, on a disk that takes longer to sync than a second, is still synced once a round", () => {
    const desk = new Desk("everysec");
    const syncs: boolean[] = [];
    for (let round = 0; round < 3; round += 1) {
      desk.writeMany(3 * SAVE_RECORDS);
      desk.pass(GATHER_MS);
      for (let step = desk.next(); step !== undefined; step = desk.next()) {
        syncs.push(step.sync);
        if (step.sync) desk.pass(2 * SYNC_EVERY_MS);
        desk.saving.handleDone();
      }
    }
    assert.deepEqual(syncs, [false, false, true, false, false, true, false, false, true]);
  });

  it("with never, synced only when somebody demands it", () => {
    const desk = deskAtRest("never");
    desk.write("a");
    desk.carryOut();
    desk.pass(60_000);
    assert.equal(desk.saving.wakeAtMs, Infinity);
    const { ticket } = desk.saving;
    desk.saving.demand(ticket);
    assert.deepEqual(
      desk.carryOut().map(({ records, sync }) => [records.length, sync]),
      [[0, true]],
    );
    assert.ok(desk.saving.durable >= ticket);
  });

  it("with a demand, without waiting, and with one sync", () => {
    const desk = deskAtRest("everysec");
    desk.write("a");
    desk.carryOut();
    desk.writeMany(2 * SAVE_RECORDS);
    desk.saving.demand(desk.saving.ticket);
    assert.deepEqual(
      desk.carryOut().map(({ sync }) => sync),
      [false, true],
    );
  });
});

describe("the age of what is unsaved", () => {
  it("is that of the oldest, also while it is being saved", () => {
    const desk = deskAtRest("everysec");
    assert.equal(desk.saving.unsavedMs(desk.nowMs), 0);
    desk.write("a");
    desk.saving.look(desk.nowMs);
    desk.pass(30);
    desk.write("b");
    desk.saving.look(desk.nowMs);
    desk.pass(30);
    assert.equal(desk.saving.unsavedMs(desk.nowMs), 60);
    desk.next();
    desk.pass(200);
    desk.write("c");
    desk.saving.look(desk.nowMs);
    desk.pass(5);
    assert.equal(desk.saving.unsavedMs(desk.nowMs), 265);
    desk.saving.handleDone();
    assert.equal(desk.saving.unsavedMs(desk.nowMs), 5);
    desk.pass(GATHER_MS);
    desk.carryOut();
    assert.equal(desk.saving.unsavedMs(desk.nowMs), 0);
  });

  it("is not made less by a failure", () => {
    const desk = deskAtRest("everysec");
    desk.write("a");
    desk.saving.look(desk.nowMs);
    desk.pass(100);
    desk.fail();
    assert.equal(desk.saving.unsavedMs(desk.nowMs), 100);
  });

  it("is never told too small when a disk does not answer for long", () => {
    const desk = deskAtRest("everysec");
    desk.write("first");
    desk.next();
    for (let i = 0; i < 3 * AGE_STEPS_MAX; i += 1) {
      desk.write(String(i));
      desk.saving.look(desk.nowMs);
      desk.pass(20);
    }
    assert.equal(desk.saving.unsavedMs(desk.nowMs), 3 * AGE_STEPS_MAX * 20);
    desk.saving.handleDone();
    desk.next();
    desk.write("last");
    desk.saving.look(desk.nowMs);
    desk.pass(40);
    desk.saving.handleDone();
    assert.ok(desk.saving.unsavedMs(desk.nowMs) >= 40);
  });
});

describe("what was loaded", () => {
  it("is not durable before a sync, which a strict node makes at once", () => {
    const desk = new Desk("always");
    assert.ok(desk.saving.durable < desk.saving.ticket);
    assert.deepEqual(desk.carryOut(), [{ records: [], slots: [], sync: true }]);
    assert.equal(desk.saving.durable, desk.saving.ticket);
  });

  it("is saved again when that sync fails", () => {
    const desk = new Desk("always");
    const saving = desk.saving;
    desk.writeMany(3);
    desk.fail();
    desk.pass(RETRY_MS);
    assert.deepEqual(keysOf(desk.carryOut()), [["key 0", "key 1", "key 2"]]);
    assert.equal(saving.durable, saving.ticket);
  });
});

describe("all keys", () => {
  it("are saved, once each, before what changes later, and a ticket from before is durable when all are", () => {
    const desk = deskAtRest("everysec");
    desk.writeMany(2 * SAVE_RECORDS);
    desk.carryOut();
    desk.pass(SYNC_EVERY_MS);
    desk.carryOut();
    desk.write("key 7");
    const { ticket } = desk.saving;
    desk.saving.addAll();
    assert.equal(desk.saving.unsaved, 2 * SAVE_RECORDS);
    desk.write("key 8");
    desk.write("new");
    assert.equal(desk.saving.unsaved, 2 * SAVE_RECORDS + 1);
    desk.saving.demand(ticket);
    const first = desk.next();
    assert.equal(first?.records.length, SAVE_RECORDS);
    desk.saving.handleDone();
    assert.ok(desk.saving.durable < ticket);
    desk.write("key 9");
    const steps = desk.carryOut();
    const keys = keysOf([first, ...steps]).flat();
    assert.deepEqual(keys.slice(-2), ["new", "key 9"]);
    assert.equal(new Set(keys).size, keys.length - 1);
    assert.equal(desk.saving.durable, desk.saving.ticket);
  });

  it("are begun anew, when that is called for in the middle of it", () => {
    const desk = deskAtRest("always");
    desk.writeMany(3 * SAVE_RECORDS);
    desk.carryOut();
    desk.saving.addAll();
    desk.next();
    desk.saving.handleDone();
    desk.saving.addAll();
    const { ticket } = desk.saving;
    assert.equal(keysOf(desk.carryOut()).flat().length, 3 * SAVE_RECORDS);
    assert.equal(desk.saving.durable, ticket);
  });
});

describe("all keys, of which a part was saved and has changed when the next part fails", () => {
  const keys = 20 * SAVE_RECORDS;

  it("wait once each, and no ticket is less than one from before", () => {
    const desk = deskAtRest("always");
    desk.writeMany(keys);
    desk.carryOut();
    desk.saving.addAll();
    desk.next();
    desk.saving.handleDone();
    desk.next();
    desk.saving.handleDone();
    desk.writeMany(keys);
    desk.fail();
    assert.equal(desk.saving.unsaved, keys);
    const { ticket } = desk.saving;
    desk.saving.addAll();
    assert.ok(desk.saving.ticket >= ticket);
    desk.pass(RETRY_MS);
    assert.equal(new Set(keysOf(desk.carryOut()).flat()).size, keys);
    assert.ok(desk.saving.durable >= ticket);
  });

  it("do not void tickets that are taken later, when a sync fails, too", () => {
    const desk = new Desk("everysec");
    desk.writeMany(keys);
    desk.saving.addAll();
    for (let step = 0; step < 4; step += 1) {
      desk.pass(SYNC_EVERY_MS / 10);
      desk.next();
      desk.saving.handleDone();
    }
    desk.writeMany(keys);
    for (let failure = 0; failure < 2; failure += 1) {
      desk.fail();
      desk.pass(RETRY_MS);
    }
    assert.equal(desk.saving.unsaved, keys);
    assert.ok(desk.saving.ticket > desk.saving.voided);
    desk.carryOut();
    desk.pass(SYNC_EVERY_MS);
    desk.carryOut();
    assert.equal(desk.saving.durable, desk.saving.ticket);
  });
});

describe("a step that fails", () => {
  it("makes everything since the last sync unsaved, voids its tickets, and is tried again a second later", () => {
    const desk = deskAtRest("everysec");
    desk.write("a");
    desk.carryOut();
    desk.pass(GATHER_MS);
    desk.write("b");
    desk.carryOut();
    desk.pass(SYNC_EVERY_MS);
    const { ticket, failures } = desk.saving;
    assert.equal(desk.fail()?.sync, true);
    assert.equal(desk.saving.isFailing, true);
    assert.equal(desk.saving.failures, failures + 1);
    assert.equal(desk.saving.unsaved, 1, "a was synced with its own step");
    assert.ok(desk.saving.ticket > ticket);
    assert.equal(desk.saving.wakeAtMs, desk.nowMs + RETRY_MS);
    assert.equal(desk.next(), undefined);
    desk.pass(RETRY_MS);
    const steps = desk.carryOut();
    assert.deepEqual(keysOf(steps), [["b"]]);
    assert.equal(steps[0]?.sync, true, "what failed is shown to work again");
    assert.equal(desk.saving.isFailing, false);
    assert.equal(desk.saving.durable, desk.saving.ticket);
  });

  it("is tried again also when there is nothing to save", () => {
    const desk = new Desk("never");
    desk.saving.demand(desk.saving.ticket);
    desk.fail();
    desk.pass(RETRY_MS);
    assert.deepEqual(desk.carryOut(), [{ records: [], slots: [], sync: true }]);
    assert.equal(desk.saving.isFailing, false);
  });

  it("with never, makes what was saved before unsaved as well, for storage may have synced by itself", () => {
    const desk = deskAtRest("never");
    desk.write("a");
    desk.carryOut();
    desk.pass(GATHER_MS);
    desk.write("b");
    assert.equal(desk.fail()?.records.length, 1);
    assert.equal(desk.saving.unsaved, 2);
    desk.pass(RETRY_MS);
    assert.deepEqual(
      desk.carryOut().map(({ records, sync }) => [records.length, sync]),
      [[2, true]],
      "what failed is shown to work again",
    );
  });
});
