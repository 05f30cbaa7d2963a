import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Clock } from "../../src/core/clock.js";
import { STAMP_WALL_MAX, wallToStamp } from "../../src/core/version.js";

const START_MS = Date.UTC(2026, 0, 1);
/** Wall clocks that jump, stamps seen, and stamps replaced: near, far, and very far ahead. */
const wallMs = fc.integer({ min: -200_000, max: 200_000 }).map((offset) => START_MS + offset);
const stamp = fc.oneof(
  wallMs.map(wallToStamp),
  fc.integer({ min: 0, max: 5 }).map((ticks) => wallToStamp(START_MS + 150_000) + ticks),
  fc.integer({ min: 0, max: 5 }).map((ticks) => STAMP_WALL_MAX + ticks),
);
const event = fc.oneof(
  fc.record({ observe: stamp, wallMs }),
  fc.record({ replaced: fc.oneof(fc.constant(-1), stamp), wallMs }),
);

describe("the clock", () => {
  it("issues each stamp once, each greater than the one it replaces", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const clock = new Clock();
        const issued = new Set<number>();
        for (const one of events) {
          if ("observe" in one) {
            clock.observe([{ stamp: one.observe }], one.wallMs);
            continue;
          }
          const next = clock.next(one.wallMs, one.replaced);
          assert.ok(next !== undefined && next > one.replaced);
          assert.ok(next >= wallToStamp(one.wallMs));
          assert.ok(!issued.has(next), String(next));
          issued.add(next);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("is moved by what it saw, at most 60 s ahead of the wall clock", () => {
    fc.assert(
      fc.property(fc.array(stamp, { maxLength: 20 }), (stamps) => {
        const clock = new Clock();
        for (const seen of stamps) clock.observe([{ stamp: seen }], START_MS);
        const next = clock.next(START_MS, -1) ?? 0;
        assert.ok(next <= wallToStamp(START_MS + 60_000) + 1);
        for (const seen of stamps) assert.ok(seen > wallToStamp(START_MS + 60_000) || seen < next);
      }),
    );
  });
});
