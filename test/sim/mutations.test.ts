import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BREAKAGES } from "./mutations/breakages.js";
import { catchIt, misfits } from "./mutations/mutant.js";

/** Those that the first seeds notice, each by another checker; `npm run mutations` runs all. */
const QUICK = [
  "older-applied",
  "borrow-dropped",
  "own-writes-replace-nothing",
  "newer-version-hidden",
  "expiry-stays",
  "timer-in-the-past",
  "doubt-ignored",
  "durable-before-sync",
  "receipt-before-durable",
  "told-before-written",
];
const SEEDS_MAX = 40;
const LIMIT_MS = 60_000;

describe("a core broken on purpose", () => {
  it("can be broken in each of the listed ways", () => {
    assert.deepEqual(BREAKAGES.flatMap(misfits), []);
    assert.equal(new Set(BREAKAGES.map(({ name }) => name)).size, BREAKAGES.length);
  });

  for (const breakage of BREAKAGES.filter(({ name }) => QUICK.includes(name))) {
    it(`is noticed: ${breakage.what}`, () => {
      assert.notEqual(catchIt(breakage, SEEDS_MAX, LIMIT_MS), undefined);
    });
  }
});
