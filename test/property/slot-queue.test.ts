import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { SlotQueue } from "../../src/core/slot-queue.js";

type Step = "add" | "take" | "settle" | "give back" | "add all";

/** The same, by lists: first those of all that were added at once, then the others; of each those that wait, and those taken. */
class Lists {
  sweep: number[] = [];
  others: number[] = [];
  takenOfSweep: number[] = [];
  takenOfOthers: number[] = [];

  get waiting(): number[] {
    return [...this.sweep, ...this.others];
  }

  add(slot: number): boolean {
    if (this.waiting.includes(slot)) return false;
    this.others.push(slot);
    return true;
  }

  take(count: number): number[] {
    const swept = this.sweep.splice(0, count);
    const others = this.others.splice(0, count - swept.length);
    this.takenOfSweep.push(...swept);
    this.takenOfOthers.push(...others);
    return [...swept, ...others];
  }

  settle(): void {
    this.takenOfSweep = [];
    this.takenOfOthers = [];
  }

  giveBack(): number {
    const before = this.waiting.length;
    this.sweep = [...this.takenOfSweep, ...this.sweep];
    const others = [...this.others, ...this.takenOfOthers];
    this.others = [...new Set(others)].filter((slot) => !this.sweep.includes(slot));
    this.settle();
    return this.waiting.length - before;
  }

  addAll(end: number): void {
    this.settle();
    this.others = [];
    this.sweep = Array.from({ length: end }, (_, slot) => slot);
  }
}

/** Few slots, so that they meet. */
const slots = fc.nat(12);
const steps = fc.array(
  fc.tuple(
    fc.constantFrom<Step>("add", "add", "add", "add", "take", "take", "settle", "give back", "add all"),
    slots,
  ),
  { maxLength: 60 },
);

it("each slot waits once, in its order, until what was taken is settled", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const queue = new SlotQueue();
      const lists = new Lists();
      for (const [step, number] of script) {
        run(queue, lists, step, number);
        check(queue, lists);
      }
    }),
    { numRuns: 5_000 },
  );
});

it("what waits is added once more only after it was taken", () => {
  const queue = new SlotQueue();
  assert.deepEqual([queue.add(5), queue.add(5), queue.take(1), queue.add(5)], [true, false, [5], true]);
});

function run(queue: SlotQueue, lists: Lists, step: Step, number: number): void {
  switch (step) {
    case "add":
      assert.equal(queue.add(number), lists.add(number));
      break;
    case "take":
      assert.deepEqual(queue.take(number), lists.take(number));
      break;
    case "settle":
      queue.settle();
      lists.settle();
      break;
    case "give back":
      assert.equal(queue.giveBack(), lists.giveBack());
      break;
    case "add all":
      queue.addAll(number);
      lists.addAll(number);
      break;
  }
}

function check(queue: SlotQueue, { waiting, sweep, takenOfSweep, takenOfOthers }: Lists): void {
  assert.equal(queue.length, waiting.length);
  const held = Array.from({ length: queue.length }, (_, index) => queue.peek(index));
  assert.deepEqual(held, waiting);
  assert.equal(queue.peek(queue.length), undefined);
  for (let slot = 0; slot <= 12; slot += 1) assert.equal(queue.has(slot), waiting.includes(slot));
  assert.equal(queue.unsettled, takenOfSweep.length + takenOfOthers.length);
  assert.equal(queue.isSweeping, sweep.length > 0);
}
