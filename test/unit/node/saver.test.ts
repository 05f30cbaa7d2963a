/** The driver of saving, over a disk that does what the test says. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Copy } from "../../../src/core/copy.js";
import { Clock } from "../../../src/core/clock.js";
import type { Records } from "../../../src/core/record.js";
import type { FsyncPolicy, Saving } from "../../../src/core/saving.js";
import { BEHIND_MS, Saver } from "../../../src/node/saver.js";
import type { Damage } from "../../../src/storage/storage.js";
import { recordsToArray } from "../../sim/records.js";
import { until } from "../net/loopback.js";

/** What was asked of the disk, and has not been answered. */
interface Asked {
  readonly keys: readonly string[];
  readonly sync: boolean;
  done(): void;
  fail(code: string): void;
}

/** Holds each call until the test answers it; or answers at once. */
class Disk {
  readonly damages: Damage[] = [];
  readonly asked: Asked[] = [];
  /** How many calls there were at once, at most. */
  mostAtOnce = 0;
  calls = 0;
  answer: "later" | "done" | "ENOSPC" = "later";
  #open = 0;

  save(records: Records, sync: boolean): Promise<void> {
    this.calls += 1;
    this.#open += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    return new Promise((resolve, reject) => {
      const asked: Asked = {
        keys: recordsToArray(records).map(({ key }) => key),
        sync,
        done: () => {
          this.#open -= 1;
          resolve();
        },
        fail: (code) => {
          this.#open -= 1;
          reject(Object.assign(new Error(code), { code }));
        },
      };
      if (this.answer === "later") this.asked.push(asked);
      else if (this.answer === "done") asked.done();
      else asked.fail(this.answer);
    });
  }

  async next(): Promise<Asked> {
    await until("the disk is asked", () => this.asked.length > 0);
    const [asked] = this.asked.splice(0, 1);
    assert(asked !== undefined);
    return asked;
  }
}

let disk: Disk;
let saver: Saver;
let saving: Saving;
let copy: Copy;

function make(policy: FsyncPolicy): void {
  disk = new Disk();
  copy = new Copy(new Clock(), () => undefined, policy);
  assert(copy.saving !== undefined);
  saving = copy.saving;
  saver = new Saver(saving, disk);
}

/** As a node does: the write, and the wake at the end of the turn. */
function write(...keys: readonly string[]): void {
  for (const key of keys)
    copy.write(key, "v", undefined, { writer: "00000000000000aa", wallMs: 1_700_000_000_000 });
  saver.wake();
}

/** Every key that the disk was told of. */
function outcome(promise: Promise<unknown>): { state: string } {
  const shown = { state: "waits" };
  promise.then(
    () => (shown.state = "done"),
    (error: unknown) => (shown.state = String(error)),
  );
  return shown;
}

beforeEach(() => {
  make("always");
  saver.start();
});

afterEach(async () => {
  disk.answer = "done";
  for (const asked of disk.asked.splice(0)) asked.done();
  await saver.close().catch(() => undefined);
});

describe("saving", () => {
  it("saves what a turn wrote in one step, and what comes meanwhile in the next", async () => {
    write("a");
    write("b");
    const first = await disk.next();
    assert.deepEqual([first.keys, first.sync], [["a", "b"], true]);
    write("c");
    write("a");
    first.done();
    const second = await disk.next();
    assert.deepEqual([second.keys, second.sync], [["c", "a"], true]);
    second.done();
    await until("all is saved", () => saving.unsaved === 0 && !saver.isBusy);
    assert.equal(disk.mostAtOnce, 1);
  });

  it("has the disk at work again before it tells who waited, where waiting for them was in vain before", async () => {
    write("a");
    const first = await disk.next();
    write("b");
    const { ticket } = saving;
    first.done();
    const second = await disk.next();
    write("c");
    let callsWhenTold = 0;
    saver.onDurable(ticket, () => {
      callsWhenTold = disk.calls;
    });
    second.done();
    await until("it is told", () => callsWhenTold > 0);
    assert.equal(callsWhenTold, 3);
  });

  it("saves nothing before it was started: what is on disk is not loaded", async () => {
    make("always");
    write("a");
    const wait = outcome(saver.durable());
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([disk.calls, wait.state], [0, "waits"]);
    saver.start();
    (await disk.next()).done();
    await until("it is durable", () => wait.state === "done");
  });

  it("comes by itself, and syncs each second, with everysec", async () => {
    make("everysec");
    saver.start();
    disk.answer = "done";
    write("a");
    await until("it is durable", () => saving.ticket === saving.durable);
    assert(saver.syncedAtMs !== undefined);
  });

  it("syncs now for whoever wants it so, with never", async () => {
    make("never");
    saver.start();
    disk.answer = "done";
    write("a");
    await until("it is saved", () => saving.unsaved === 0 && !saver.isBusy);
    assert(saving.durable < saving.ticket);
    await saver.durable();
    assert(saving.durable >= saving.ticket);
  });
});

describe("a disk that is too slow", () => {
  /** Writes, and lets what was written wait for so long that saving is behind. */
  async function fallBehind(): Promise<Asked> {
    make("everysec");
    saver.start();
    write("a");
    const asked = await disk.next();
    assert.equal(saver.isBehind, false);
    await until("it is behind", () => {
      saver.wake();
      return saver.isBehind;
    });
    assert(saving.unsavedMs(performance.now()) > BEHIND_MS);
    return asked;
  }

  it("lets who writes wait until it has caught up", async () => {
    const asked = await fallBehind();
    const called: string[] = [];
    saver.onCaughtUp(() => called.push("one"));
    saver.onCaughtUp(() => called.push("gone"))();
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(called.length, 0);
    asked.done();
    await until("it has caught up", () => called.length > 0);
    assert.equal(called.join(), "one");
    assert.equal(saver.isBehind, false);
    saver.onCaughtUp(() => called.push("two"));
    await until("nothing is waited for", () => called.length === 2);
  });

  it("lets nobody wait who is to hear of a failure", async () => {
    const asked = await fallBehind();
    let isCalled = false;
    saver.onCaughtUp(() => (isCalled = true));
    asked.fail("ENOSPC");
    await until("it is over", () => isCalled);
    assert(saver.refusal !== undefined);
  });

  it("lets nobody wait who waits for the disk anyway", async () => {
    write("a");
    const asked = await disk.next();
    await new Promise((resolve) => setTimeout(resolve, BEHIND_MS + 50));
    saver.wake();
    assert.equal(saver.isBehind, false);
    asked.done();
  });
});

describe("who waits for the disk", () => {
  it("is called when all before is durable, and not when another's is", async () => {
    write("a");
    const first = outcome(saver.durable());
    const asked = await disk.next();
    write("b");
    const second = outcome(saver.durable());
    asked.done();
    await until("the first is told", () => first.state === "done");
    assert.equal(second.state, "waits");
    (await disk.next()).done();
    await until("the second is told", () => second.state === "done");
  });

  it("is told of a failure once, whatever of it was in the step", async () => {
    write("a");
    const inStep = outcome(saver.durable());
    const asked = await disk.next();
    write("b");
    const after = outcome(saver.durable());
    asked.fail("ENOSPC");
    await until("both are told", () => inStep.state !== "waits" && after.state !== "waits");
    const message = "not known to be on this node's disk: the disk is full.";
    assert.match(inStep.state, new RegExp(`^LankvError: Written in memory.*${message}$`));
    assert.equal(after.state, inStep.state);
  });

  it("is told of a failure before it began to wait", async () => {
    write("a");
    const { ticket } = saving;
    const asked = await disk.next();
    asked.fail("EIO");
    await until("it fails", () => saver.failure !== undefined);
    const told: unknown[] = [];
    saver.onDurable(ticket, (failure) => told.push(failure?.code));
    await until("it is told", () => told.length > 0);
    assert.deepEqual(told, ["LANKV_DISK"]);
  });

  it("is not called when it has withdrawn", async () => {
    write("a");
    const called: string[] = [];
    const withdraw = saver.onDurable(saving.ticket, () => called.push("withdrawn"));
    saver.onDurable(saving.ticket, () => called.push("other"));
    withdraw();
    (await disk.next()).done();
    await until("all is durable", () => called.length > 0);
    assert.deepEqual(called, ["other"]);
  });

  it("has nothing to wait for when all is durable", async () => {
    disk.answer = "done";
    write("a");
    await saver.durable();
    await saver.durable();
  });
});

describe("a disk that fails", () => {
  it("is tried again, says so once, and gets everything since the last sync", async () => {
    const turns: string[] = [];
    saver.onTurn = (failure) => turns.push(failure?.message ?? "works");
    write("a");
    (await disk.next()).fail("ENOSPC");
    await until("it fails", () => turns.length === 1);
    const refusal = saver.refusal;
    assert(refusal !== undefined);
    assert.deepEqual([refusal.code, refusal.stateChanged], ["LANKV_DISK", false]);
    assert.match(refusal.message, /the disk is full\. Make room on it; .*Reads go on/);
    write("b");
    const second = await disk.next();
    assert.deepEqual([[...second.keys].sort(), second.sync], [["a", "b"], true]);
    second.fail("EIO");
    const third = await disk.next();
    assert.deepEqual([...third.keys].sort(), ["a", "b"]);
    third.done();
    await until("it works", () => saver.failure === undefined);
    assert.deepEqual(turns, ["ENOSPC", "works"]);
    assert.equal(saver.refusal, undefined);
  });
});

describe("a disk that is found damaged", () => {
  it("gets everything again", async () => {
    const told: (readonly Damage[])[] = [];
    saver.onDamage = (damages) => told.push(damages);
    write("a", "b");
    (await disk.next()).done();
    await until("it is saved", () => !saver.isBusy);
    write("b");
    const asked = await disk.next();
    assert.deepEqual(asked.keys, ["b"]);
    const damage = { path: "p", bytesLost: 1, recordsSaved: 0, isSetAside: true, isMissing: false };
    disk.damages.push(damage);
    asked.done();
    const again = await disk.next();
    assert.deepEqual([[...again.keys].sort(), told], [["a", "b"], [[damage]]]);
    again.done();
  });

  it("gets everything again when that was found between two saves", async () => {
    write("a", "b");
    (await disk.next()).done();
    await until("it is saved", () => !saver.isBusy);
    disk.damages.push({ path: "p", bytesLost: 1, recordsSaved: 0, isSetAside: true, isMissing: false });
    saver.wake();
    const again = await disk.next();
    assert.deepEqual([...again.keys].sort(), ["a", "b"]);
    again.done();
  });
});

describe("the end", () => {
  it("saves and syncs what is left", async () => {
    make("never");
    saver.start();
    disk.answer = "done";
    write("a", "b");
    await saver.close();
    assert(saving.durable >= saving.ticket);
    assert.equal(saving.unsaved, 0);
  });

  it("says what it could not save", async () => {
    disk.answer = "ENOSPC";
    write("a");
    await assert.rejects(saver.close(), { code: "LANKV_DISK", stateChanged: true, message: /disk is full/ });
    const { calls } = disk;
    write("b");
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.equal(disk.calls, calls);
  });

  it("ends who waits", async () => {
    write("a");
    const asked = await disk.next();
    const closing = outcome(saver.close());
    const wait = outcome(saver.durable());
    asked.done();
    disk.answer = "done";
    await until("it is closed", () => closing.state === "done");
    assert.equal(wait.state, "done");
  });
});
