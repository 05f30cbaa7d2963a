/** What the core does when time runs out: by counts and contents, on a clock of the test's own. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sliceToBytes } from "../../../src/core/bytes.js";
import { CLOCK_DOUBT_MS, Clock } from "../../../src/core/clock.js";
import { Copy, EXPIRED_PER_STEP, EXPIRY_REST_MS } from "../../../src/core/copy.js";
import type { Effect } from "../../../src/core/effect.js";
import { RecordMap } from "../../../src/core/record-map.js";
import { compareRecords, isAlive, remainsOf, type KvRecord } from "../../../src/core/record.js";

const WRITER = "00000000000000a1";
const OTHER = "00000000000000b2";
const START_MS = 1_767_225_600_000;
const BY = { writer: WRITER, wallMs: START_MS };

/** A value of another node that expires so long after the start. */
function sent(stamp: number, inMs: number | undefined, key = "k", value = "value"): KvRecord {
  const expiresAtMs = inMs === undefined ? undefined : START_MS + inMs;
  return { stamp, writer: OTHER, key, kind: "value", value, expiresAtMs, replaces: [] };
}

/** A copy, and a clock that stands at so many milliseconds after the start. */
class Stage {
  readonly effects: Effect[] = [];
  readonly clock = new Clock();
  readonly copy = new Copy(this.clock, (effect) => this.effects.push(effect));

  constructor() {
    this.clock.trust(0);
  }

  at(ms: number): { monoMs: number; wallMs: number } {
    return { monoMs: ms, wallMs: START_MS + ms };
  }

  /** The keys of the effects of this type, and none is kept. */
  told(type: "expired" | "applied"): string[] {
    return this.effects
      .splice(0)
      .flatMap((effect) => (effect.type === type ? effect.records.map(({ key }) => sliceToBytes(key)) : []));
  }
}

describe("a value whose time runs out", () => {
  it("leaves its version behind, and nothing of its bytes", () => {
    const { copy } = new Stage();
    const written = copy.write("key", "a value", START_MS + 100, BY);
    const { root } = copy.map;
    assert.equal(copy.map.values, 1);
    copy.expire({ monoMs: 99, wallMs: START_MS + 99 });
    assert.deepEqual(copy.map.get("key"), written);
    copy.expire({ monoMs: 100, wallMs: START_MS + 100 });
    assert.deepEqual(copy.map.get("key"), { ...written, kind: "tombstone", value: "" });
    assert.equal(copy.map.root, root);
    assert.deepEqual([copy.map.values, copy.map.records, copy.map.bytes], [0, 1, "key".length]);
    const groups = Array.from({ length: 256 }, (_, group) => copy.map.groupSize(group).bytes);
    assert.equal(Math.max(...groups), "key".length);
  });

  it("is told once", () => {
    const stage = new Stage();
    stage.copy.write("k", "v", START_MS + 100, BY);
    for (const ms of [50, 100, 101, 5_000]) stage.copy.expire(stage.at(ms));
    assert.deepEqual(stage.told("expired"), ["k"]);
  });

  it("is woken for, wherever the wall clock jumps to", () => {
    const { copy } = new Stage();
    assert.equal(copy.wakeAtMs({ monoMs: 10, wallMs: START_MS }), Infinity);
    copy.write("late", "v", START_MS + 900, BY);
    copy.write("soon", "v", START_MS + 300, BY);
    assert.equal(copy.wakeAtMs({ monoMs: 10, wallMs: START_MS }), 310);
    assert.equal(copy.wakeAtMs({ monoMs: 20, wallMs: START_MS + 290 }), 30);
    copy.write("soon", "v", START_MS + 1_000, BY);
    assert.equal(copy.wakeAtMs({ monoMs: 10, wallMs: START_MS }), 910);
    copy.write("late", "v", undefined, BY);
    copy.write("soon", undefined, undefined, BY);
    assert.equal(copy.wakeAtMs({ monoMs: 10, wallMs: START_MS }), Infinity);
  });

  it("is not told when it was overwritten or deleted before", () => {
    const stage = new Stage();
    stage.copy.write("set", "v", START_MS + 100, BY);
    stage.copy.write("deleted", "v", START_MS + 100, BY);
    stage.copy.write("set", "w", undefined, BY);
    stage.copy.write("deleted", undefined, undefined, BY);
    stage.copy.expire(stage.at(1_000));
    assert.deepEqual(stage.told("expired"), []);
    assert.equal(stage.copy.map.get("set")?.value, "w");
  });

  it("is told before what overwrites it later, here or from elsewhere", () => {
    const stage = new Stage();
    stage.copy.write("k", "v", START_MS + 100, BY);
    stage.copy.write("k", "w", START_MS + 300, { writer: WRITER, wallMs: START_MS + 200 });
    assert.deepEqual(stage.told("expired"), ["k"]);
    stage.copy.apply([sent(Number.MAX_SAFE_INTEGER, undefined)], stage.at(400));
    const [expired, applied] = stage.effects.filter(({ type }) => type !== "conflict");
    assert.equal(expired?.type, "expired");
    assert.ok(applied?.type === "applied" && expired.type === "expired");
    assert.deepEqual(applied.replaced, expired.records);
    stage.effects.length = 0;
    stage.copy.expire(stage.at(500));
    assert.deepEqual(stage.effects, []);
  });
});

describe("a value whose time has run out already", () => {
  it("is kept as its remains when it comes, without a word of expiry", () => {
    const stage = new Stage();
    stage.copy.apply([sent(1, 100)], stage.at(100));
    assert.deepEqual(stage.copy.map.get("k"), remainsOf(sent(1, 100)));
    assert.equal(stage.copy.map.values, 0);
    assert.deepEqual(stage.told("expired"), []);
  });

  it("is kept as its remains when it is written", () => {
    const stage = new Stage();
    const record = stage.copy.write("k", "v", START_MS, BY);
    assert.equal(record?.kind, "tombstone");
    assert.equal(record.value, "");
    assert.deepEqual(stage.told("expired"), []);
  });

  it("makes the copy of a restart no larger", () => {
    const stage = new Stage();
    stage.copy.restore([sent(1, 100)], stage.at(100));
    assert.equal(stage.copy.map.bytes, 1);
  });

  it("says what it replaced", () => {
    const stage = new Stage();
    stage.copy.write("k", "v", undefined, { writer: WRITER, wallMs: 0 });
    stage.copy.apply([sent(Number.MAX_SAFE_INTEGER, 100)], stage.at(200));
    const applied = stage.effects.find(({ type }) => type === "applied");
    assert.ok(applied?.type === "applied");
    assert.deepEqual(applied.replaced, [{ kind: "value", expiresAtMs: undefined, value: "v" }]);
    assert.equal(applied.records[0]?.kind, "tombstone");
  });
});

describe("while the clock is in doubt", () => {
  it("every value is kept, and what is due expires when the doubt is over", () => {
    const stage = new Stage();
    stage.copy.write("held", "v", START_MS + 100, BY);
    stage.clock.doubt(200);
    stage.copy.expire(stage.at(200));
    stage.copy.write("late", "v", START_MS + 100, { writer: WRITER, wallMs: START_MS + 200 });
    stage.copy.apply([sent(1, 100, "sent")], stage.at(300));
    assert.equal(stage.copy.wakeAtMs(stage.at(300)), 200 + CLOCK_DOUBT_MS);
    stage.copy.expire(stage.at(199 + CLOCK_DOUBT_MS));
    assert.equal(stage.copy.map.values, 3);
    assert.deepEqual(stage.told("expired"), []);
    stage.copy.expire(stage.at(200 + CLOCK_DOUBT_MS));
    assert.deepEqual(stage.told("expired").sort(), ["held", "late", "sent"]);
    assert.equal(stage.copy.map.values, 0);
  });

  it("a restart takes over every value", () => {
    const copy = new Copy(new Clock(), () => assert.fail("nothing is told"));
    copy.restore([sent(1, 100)], { monoMs: 0, wallMs: START_MS + 100 });
    assert.deepEqual(copy.map.get("k"), sent(1, 100));
  });
});

describe("a record and its remains", () => {
  const full = sent(1, 100);
  const remains = remainsOf(full);

  it("are equal: neither replaces the other", () => {
    assert.equal(compareRecords(full, remains), 0);
    assert.equal(compareRecords(remains, full), 0);
    const map = new RecordMap(() => assert.fail("no conflict"));
    map.apply(remains);
    assert.equal(map.apply(full), false);
    assert.deepEqual(map.get("k"), remains);
  });

  it("read as missing wherever the remains came first, whatever the clock says", () => {
    assert.equal(isAlive(full, START_MS), true);
    assert.equal(isAlive(remains, START_MS), false);
  });

  it("are decided by the time, should one version have two", () => {
    const later = sent(1, 200, "k", "");
    assert.ok(compareRecords(later, full) > 0);
    assert.ok(compareRecords(later, remains) > 0);
    assert.ok(compareRecords(full, remainsOf(later)) < 0);
    assert.ok(compareRecords(sent(1, undefined), remains) < 0);
  });
});

describe("many values whose time runs out at once", () => {
  const COUNT = 3 * EXPIRED_PER_STEP + 5;

  it("expire in slices, and each asks for the next", () => {
    const stage = new Stage();
    for (let i = 0; i < COUNT; i += 1) stage.copy.write(`k${String(i)}`, "v", START_MS + 100, BY);
    let now = stage.at(1_000);
    const slices: number[] = [];
    while (stage.copy.map.values > 0) {
      stage.copy.expire(now);
      slices.push(stage.told("expired").length);
      stage.copy.expire(now);
      assert.equal(stage.effects.length, 0, "a second step at the same time does nothing");
      if (stage.copy.map.values === 0) break;
      const wakeAtMs = stage.copy.wakeAtMs(now);
      assert.equal(wakeAtMs, now.monoMs + EXPIRY_REST_MS);
      now = stage.at(wakeAtMs);
    }
    assert.deepEqual(slices, [EXPIRED_PER_STEP, EXPIRED_PER_STEP, EXPIRED_PER_STEP, 5]);
    assert.equal(stage.copy.wakeAtMs(now), Infinity);
  });
});
