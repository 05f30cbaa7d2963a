import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Company } from "../../../src/node/company.js";

describe("a sync and its company", () => {
  it("waits for nobody before the first", () => {
    assert.equal(new Company().isAwaited(1, 0), false);
  });

  it("waits for those whom the one before has released, and for half of its time at the most", () => {
    const company = new Company();
    company.handleSynced({ changes: 25, waiting: 25, tookMs: 1 }, 100);
    assert.equal(company.isAwaited(25, 100), true);
    assert.equal(company.isAwaited(49, 100.4), true);
    assert.equal(company.isAwaited(50, 100.1), false, "all are there");
    assert.equal(company.isAwaited(25, 100.5), false, "they do not come");
  });

  it("does not wait for long however long a sync takes", () => {
    const company = new Company();
    company.handleSynced({ changes: 25, waiting: 25, tookMs: 1_000 }, 0);
    assert.equal(company.isAwaited(25, 1.9), true);
    assert.equal(company.isAwaited(25, 2), false);
  });

  it("waits less and less often for those who do not come, and again when they do", () => {
    const company = new Company();
    let nowMs = 0;
    /** A sync after which half of the writers are there, and the others are when they are `back`. @returns whether they are waited for */
    const sync = (isBack: boolean): boolean => {
      nowMs += 10;
      company.handleSynced({ changes: 25, waiting: 25, tookMs: 1 }, nowMs);
      const isAwaited = company.isAwaited(25, nowMs);
      if (isAwaited) company.isAwaited(isBack ? 50 : 25, nowMs + (isBack ? 0.1 : 1));
      return isAwaited;
    };
    const waits = (syncs: number, isBack: boolean) =>
      Array.from({ length: syncs }, () => sync(isBack)).map(Number);
    assert.deepEqual(waits(12, false), [1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    while (!sync(true));
    assert.deepEqual(waits(3, true), [1, 1, 1]);
    assert.deepEqual(waits(3, false), [1, 0, 1]);
  });

  it("lets who writes alone wait for nobody", () => {
    const company = new Company();
    for (let nowMs = 0; nowMs < 10; nowMs += 1) {
      company.handleSynced({ changes: 1, waiting: 0, tookMs: 1 }, nowMs);
      assert.equal(company.isAwaited(1, nowMs), false);
    }
  });
});
