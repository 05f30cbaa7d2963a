import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { SlotQueue } from "../../src/core/slot-queue.js";

type Step = "add" | "take" | "settle" | "give back" | "add all";

/** The same, by lists: those that wait, and those that were taken. */
class Lists {
  waiting: number[] = [];
  taken: number[] = [];
  /** All were added once: some may wait twice then. */
  isSwept = false;

  add(slot: number): boolean {
    if (this.waiting.includes(slot)) return false;
    this.waiting.push(slot);
    return true;
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
      takeFrom(queue, lists, number);
      break;
    case "settle":
      queue.settle();
      lists.taken = [];
      break;
    case "give back": {
      const before = lists.waiting.length;
      for (const slot of lists.taken) lists.add(slot);
      lists.taken = [];
      // One that was swept, and has been added since, may wait twice.
      assert.ok(queue.giveBack() >= lists.waiting.length - before);
      break;
    }
    case "add all":
      queue.addAll(number);
      lists.isSwept = true;
      lists.waiting = Array.from({ length: number }, (_, slot) => slot);
      lists.taken = [];
      break;
  }
}

function takeFrom(queue: SlotQueue, lists: Lists, count: number): void {
  const expected = Array.from({ length: Math.min(count, queue.length) }, (_, index) => queue.peek(index));
  const taken = queue.take(count);
  assert.deepEqual(taken, expected);
  for (const slot of taken) {
    lists.waiting = lists.waiting.filter((other) => other !== slot || queue.has(slot));
    if (!lists.taken.includes(slot)) lists.taken.push(slot);
  }
}

function check(queue: SlotQueue, { waiting, taken, isSwept }: Lists): void {
  const held = Array.from({ length: queue.length }, (_, index) => queue.peek(index));
  assert.deepEqual(new Set(held), new Set(waiting));
  if (!isSwept) assert.deepEqual(held, waiting);
  assert.equal(queue.peek(queue.length), undefined);
  for (let slot = 0; slot <= 12; slot += 1) assert.equal(queue.has(slot), waiting.includes(slot));
  assert.ok(queue.unsettled >= taken.length);
}
