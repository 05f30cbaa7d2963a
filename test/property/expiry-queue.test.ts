import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ExpiryQueue } from "../../src/core/expiry-queue.js";

/** The queue as a list: what is due, and when. */
class Model {
  readonly times = new Map<number, number>();

  get nextAtMs(): number {
    return Math.min(...this.times.values());
  }
}

type Step = (model: Model, queue: ExpiryQueue) => void;

/** Few slots and times, so that they meet; now and then a slot far away. */
const slot = fc.oneof({ weight: 9, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(100_000) });
const time = fc.oneof(fc.nat(20), fc.nat(2 ** 40));

const set: fc.Arbitrary<Step> = fc.tuple(slot, time).map(([which, atMs]) => (model, queue) => {
  model.times.set(which, atMs);
  queue.set(which, atMs);
});
const remove: fc.Arbitrary<Step> = slot.map((which) => (model, queue) => {
  model.times.delete(which);
  queue.remove(which);
});
const take: fc.Arbitrary<Step> = fc.constant((model, queue) => {
  const { nextAtMs } = model;
  const taken = queue.take();
  assert.equal(model.times.get(taken), taken === -1 ? undefined : nextAtMs);
  model.times.delete(taken);
});

const steps = fc.array(
  fc.oneof({ weight: 6, arbitrary: set }, { weight: 2, arbitrary: remove }, { weight: 3, arbitrary: take }),
  { maxLength: 400 },
);

describe("the queue of what expires", () => {
  it("always knows the earliest, whatever was added, changed and removed", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const model = new Model();
        const queue = new ExpiryQueue();
        for (const step of all) {
          step(model, queue);
          assert.equal(queue.size, model.times.size);
          assert.equal(queue.nextAtMs, model.nextAtMs);
          const due = [...model.times.values()].filter((atMs) => atMs <= model.nextAtMs + 10).length;
          assert.equal(queue.countDue(model.nextAtMs + 10), due);
        }
      }),
    );
  });

  it("gives everything back in the order of time", () => {
    fc.assert(
      fc.property(fc.array(time, { maxLength: 1_000 }), (times) => {
        const queue = new ExpiryQueue();
        for (const [which, atMs] of times.entries()) queue.set(which, atMs);
        const taken = times.map(() => times[queue.take()]);
        assert.deepEqual(
          taken,
          [...times].sort((a, b) => a - b),
        );
        assert.equal(queue.take(), -1);
        assert.equal(queue.nextAtMs, Infinity);
      }),
    );
  });
});
