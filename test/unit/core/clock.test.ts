import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AHEAD_MAX_MS, Clock } from "../../../src/core/clock.js";
import { STAMP_MAX, TICKS_PER_MS, stampToWallMs, wallToStamp } from "../../../src/core/version.js";

const WALL_MS = Date.UTC(2026, 0, 1);

describe("the hybrid logical clock", () => {
  it("follows the wall clock, and ticks within a millisecond", () => {
    const clock = new Clock();
    const first = clock.next(WALL_MS, -1);
    assert.equal(first, wallToStamp(WALL_MS));
    assert.equal(clock.next(WALL_MS, -1), wallToStamp(WALL_MS) + 1);
    assert.equal(clock.next(WALL_MS - 5_000, -1), wallToStamp(WALL_MS) + 2);
    assert.equal(clock.next(WALL_MS + 1, -1), wallToStamp(WALL_MS + 1));
  });

  it("exceeds a stamp it saw that is at most 60 s ahead, and ignores one further ahead", () => {
    const near = wallToStamp(WALL_MS + AHEAD_MAX_MS);
    const clock = new Clock();
    clock.observe([{ stamp: near }], WALL_MS);
    assert.equal(clock.next(WALL_MS, -1), near + 1);
    const other = new Clock();
    other.observe([{ stamp: near + 1 }], WALL_MS);
    assert.equal(other.next(WALL_MS, -1), wallToStamp(WALL_MS));
  });

  it("exceeds the replaced stamp however far ahead, without being moved by it", () => {
    const far = wallToStamp(WALL_MS + 365 * 86_400_000);
    const clock = new Clock();
    assert.equal(clock.next(WALL_MS, far), far + 1);
    assert.equal(clock.next(WALL_MS, -1), wallToStamp(WALL_MS));
  });

  it("never issues a far stamp twice, also when the wall clock gets there", () => {
    const far = wallToStamp(WALL_MS + 120_000);
    const clock = new Clock();
    const issued = [clock.next(WALL_MS, far), clock.next(WALL_MS, far), clock.next(WALL_MS, far + 1)];
    assert.deepEqual(issued, [far + 1, far + 2, far + 3]);
    assert.equal(clock.next(stampToWallMs(far), far), far + 4);
  });

  it("issues nothing when the space above a forged stamp is used up", () => {
    assert.equal(new Clock().next(WALL_MS, STAMP_MAX), undefined);
    assert.equal(new Clock().next(WALL_MS, STAMP_MAX - 1), STAMP_MAX);
  });

  it("corrects itself by the median of three nodes or more, beyond 2 s", () => {
    const clock = new Clock();
    clock.correct([1_000_000], 0);
    assert.equal(clock.offsetMs, 0);
    clock.correct([1_000_000, 1_000_010], 0);
    assert.equal(clock.offsetMs, 1_000_000);
    clock.correct([1_900, 1_900], 0);
    assert.equal(clock.offsetMs, 0);
    clock.correct([0, 0, 5_000_000], 0);
    assert.equal(clock.offsetMs, 0);
  });

  it("clamps the wall clock of a machine that thinks it is 1970, or 2100", () => {
    assert.equal(wallToStamp(0), 0);
    assert.ok(wallToStamp(Date.UTC(2100, 0, 1)) < STAMP_MAX - TICKS_PER_MS);
  });
});
