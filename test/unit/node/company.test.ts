import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Company } from "../../../src/node/company.js";

describe("a sync and its company", () => {
  it("waits for nobody before the first", () => {
    assert.equal(new Company().isAwaited(1, 0), false);
  });

  it("waits for those whom the one before has released, and for half of its time at the most once they are answered", () => {
    const company = new Company();
    company.handleSynced({ changes: 25, waiting: 25, tookMs: 1 }, 99);
    assert.equal(company.endIfComplete(25), false);
    assert.equal(company.isAwaited(25, 100), true);
    assert.equal(company.isAwaited(49, 100.4), true);
    assert.equal(company.endIfComplete(50), true, "all are there");
    assert.equal(company.isAwaited(1, 100.4), false, "that is over");

    company.handleSynced({ changes: 25, waiting: 25, tookMs: 1 }, 199);
    assert.equal(company.isAwaited(25, 200), true);
    assert.equal(company.isAwaited(25, 200.5), false, "they do not come");
  });

  it("does not wait for long however long a sync takes", () => {
    const company = new Company();
    company.handleSynced({ changes: 25, waiting: 25, tookMs: 1_000 }, 0);
    assert.equal(company.isAwaited(25, 1), true);
    assert.equal(company.isAwaited(25, 2.9), true);
    assert.equal(company.isAwaited(25, 3), false);
  });

  it("does not let who writes long after a sync wait for those whom it has released", () => {
    const company = new Company();
    company.handleSynced({ changes: 25, waiting: 0, tookMs: 1 }, 0);
    assert.equal(company.isAwaited(1, 11), false);
    company.handleSynced({ changes: 1, waiting: 0, tookMs: 1 }, 12);
    assert.equal(company.isAwaited(1, 12), false);
  });

  it("waits for a half of them where waiting for all was in vain, and less and less often for all", () => {
    const company = new Company();
    let nowMs = 0;
    /** A sync after which a third of the writers are there, and others when they are `back`. @returns for how many it was waited */
    const sync = (back: number): number => {
      nowMs += 10;
      company.handleSynced({ changes: 40, waiting: 20, tookMs: 1 }, nowMs);
      assert.equal(company.isAwaited(20, nowMs), true);
      const isHalfEnough = !company.isAwaited(30, nowMs + 0.1);
      if (!isHalfEnough) company.isAwaited(back, nowMs + (back < 60 ? 1 : 0.1));
      return isHalfEnough ? 30 : 60;
    };
    const waits = (syncs: number, back: number) => Array.from({ length: syncs }, () => sync(back));
    assert.deepEqual(waits(12, 30), [60, 30, 60, 30, 30, 30, 60, 30, 30, 30, 30, 30]);
    while (sync(60) < 60);
    assert.deepEqual(waits(3, 60), [60, 60, 60]);
    assert.deepEqual(waits(3, 30), [60, 30, 60]);
  });

  it("waits less and less often when a half does not come either", () => {
    const company = new Company();
    let waits = 0;
    for (let sync = 0; sync < 1_000; sync += 1) {
      company.handleSynced({ changes: 100, waiting: 0, tookMs: 1 }, 10 * sync);
      if (!company.isAwaited(1, 10 * sync)) continue;
      waits += 1;
      company.isAwaited(1, 10 * sync + 1);
    }
    assert.ok(waits < 40, `${String(waits)} waits in vain`);
  });

  it("lets who writes alone wait for nobody", () => {
    const company = new Company();
    for (let nowMs = 0; nowMs < 10; nowMs += 1) {
      company.handleSynced({ changes: 1, waiting: 0, tookMs: 1 }, nowMs);
      assert.equal(company.isAwaited(1, nowMs), false);
    }
  });
});
