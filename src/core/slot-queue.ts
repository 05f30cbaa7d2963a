/**
 * Slots (record-map.ts) that wait for their turn, each once, first in, first out. What was taken can be given back until it is
 * settled: it stays where it is, so that neither costs anything for each slot.
 *
 *     slots    settled, gone | taken | waiting
 *     sweep    the same, of all slots up to a number, which come before those
 */
import { SlotSet } from "./slot-set.js";

export class SlotQueue {
  #slots: number[] = [];
  readonly #waiting = new SlotSet();
  #settled = 0;
  #taken = 0;
  #sweepSettled = 0;
  #sweepTaken = 0;
  #sweepEnd = 0;

  /** How many wait. */
  get length(): number {
    return this.#slots.length - this.#taken + this.#sweepEnd - this.#sweepTaken;
  }

  /** How many were taken and not settled. */
  get unsettled(): number {
    return this.#taken - this.#settled + this.#sweepTaken - this.#sweepSettled;
  }

  /** Whether some wait since all were added. */
  get isSweeping(): boolean {
    return this.#sweepTaken < this.#sweepEnd;
  }

  /** Whether it waits. */
  has(slot: number): boolean {
    return (slot >= this.#sweepTaken && slot < this.#sweepEnd) || this.#waiting.has(slot);
  }

  /** @returns whether it is added; not when it waits already */
  add(slot: number): boolean {
    if (this.has(slot)) return false;
    this.#waiting.add(slot);
    this.#slots.push(slot);
    return true;
  }

  /** All slots below a number wait, and nothing else. Costs no time for each. */
  addAll(end: number): void {
    this.#slots = [];
    this.#settled = 0;
    this.#taken = 0;
    this.#waiting.clear();
    this.#sweepSettled = 0;
    this.#sweepTaken = 0;
    this.#sweepEnd = end;
  }

  /** The one that so many others come before; undefined = fewer wait. */
  peek(index: number): number | undefined {
    const swept = this.#sweepTaken + index;
    if (swept < this.#sweepEnd) return swept;
    return this.#slots[this.#taken + swept - this.#sweepEnd];
  }

  /** Takes the first ones. */
  take(count: number): number[] {
    const swept: number[] = [];
    for (; swept.length < count && this.isSweeping; this.#sweepTaken += 1) swept.push(this.#sweepTaken);
    const first = this.#taken;
    this.#taken = Math.min(first + count - swept.length, this.#slots.length);
    const slots = this.#slots.slice(first, this.#taken);
    for (const slot of slots) this.#waiting.delete(slot);
    return swept.length === 0 ? slots : [...swept, ...slots];
  }

  /** What was taken is settled. */
  settle(): void {
    this.#sweepSettled = this.#sweepTaken;
    this.#settled = this.#taken;
    if (2 * this.#settled < this.#slots.length) return;
    this.#slots = this.#slots.slice(this.#settled);
    this.#taken = 0;
    this.#settled = 0;
  }

  /** What was taken and is not settled waits again, each once, behind the others. @returns how many more wait than before */
  giveBack(): number {
    const before = this.length;
    const taken = this.#slots.slice(this.#settled, this.#taken);
    const waiting = this.#slots.slice(this.#taken);
    this.#slots = [];
    this.#settled = 0;
    this.#taken = 0;
    this.#waiting.clear();
    // Those that were swept and have been added since come with the sweep again.
    this.#sweepTaken = this.#sweepSettled;
    for (const slot of waiting) this.add(slot);
    for (const slot of taken) this.add(slot);
    return this.length - before;
  }
}
