/**
 * Where the newest of each key is: for each slot (core/record-map.ts) its *home*, the segment that it was last appended to by
 * this process, and for each segment the slots that were appended to it.
 *
 * What is appended is what memory holds at that time, which is not less than anything that was appended or loaded before. So an
 * entry is needed only in the home of its slot, and a segment that is no home is free of anything that counts, without a
 * look into the file. When something may have happened to a home, it is *forgotten*: its slots count wherever they are, until
 * they are appended once more.
 *
 * It takes 4 bytes a key, and 4 a segment for each key in it.
 */
import type { Records } from "../core/record.js";

/** Records to append. */
export interface Batch {
  readonly records: Records;
  /** Of the first of them, the slots: these are what memory holds, or held when they were taken from it. Those of the others are not known. */
  readonly slots: readonly number[];
}

const SLOTS_MIN = 1_024;
/** No segment has this number. */
const NOT_KNOWN = 0;

/** The slots of a segment. */
interface Tenants {
  slots: Uint32Array;
  count: number;
  /** Whether nothing is in the segment but entries of these. */
  isAll: boolean;
}

export class Homes {
  #homes = new Uint32Array(SLOTS_MIN);
  readonly #tenants = new Map<number, Tenants>();

  /** These were appended to a segment of this process, whole. */
  note(segment: number, { records, slots }: Batch): void {
    const tenants = this.#tenantsOf(segment);
    if (slots.length < records.length) tenants.isAll = false;
    if (tenants.count + slots.length > tenants.slots.length)
      tenants.slots = longer(tenants.slots, tenants.count + slots.length);
    const greatest = slots.reduce((found, slot) => Math.max(found, slot), 0);
    if (greatest >= this.#homes.length) this.#homes = longer(this.#homes, greatest + 1);
    // What can fail is done.
    const { slots: noted } = tenants;
    const homes = this.#homes;
    let { count } = tenants;
    for (const slot of slots) {
      if (homes[slot] === segment) continue;
      homes[slot] = segment;
      noted[count] = slot;
      count += 1;
    }
    tenants.count = count;
  }

  /** Whether a slot has its home in another segment than this one, which needs to keep nothing of it then. */
  isElsewhere(slot: number, segment: number): boolean {
    const home = this.#homes[slot] ?? NOT_KNOWN;
    return home !== NOT_KNOWN && home !== segment;
  }

  /** The slots of all that was appended to a segment, some maybe twice; undefined = there may be more in it. */
  slotsOf(segment: number): Uint32Array | undefined {
    const tenants = this.#tenants.get(segment);
    return tenants?.isAll === true ? tenants.slots.subarray(0, tenants.count) : undefined;
  }

  /** Nothing more is appended to the segment. */
  close(segment: number): void {
    const tenants = this.#tenants.get(segment);
    if (tenants !== undefined) tenants.slots = tenants.slots.slice(0, tenants.count);
  }

  /** What was appended to the segment may not be there. */
  forget(segment: number): void {
    const { slots = [], count = 0 } = this.#tenants.get(segment) ?? {};
    for (let i = 0; i < count; i += 1) {
      const slot = slots[i] ?? 0;
      if (this.#homes[slot] === segment) this.#homes[slot] = NOT_KNOWN;
    }
  }

  /** What was appended to any segment may not be there. */
  forgetAll(): void {
    this.#homes.fill(NOT_KNOWN);
  }

  /** The segment is gone, and nobody's home. */
  remove(segment: number): void {
    this.forget(segment);
    this.#tenants.delete(segment);
  }

  #tenantsOf(segment: number): Tenants {
    let tenants = this.#tenants.get(segment);
    if (tenants === undefined) {
      tenants = { slots: new Uint32Array(SLOTS_MIN), count: 0, isAll: true };
      this.#tenants.set(segment, tenants);
    }
    return tenants;
  }
}

function longer(numbers: Uint32Array, lengthMin: number): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(Math.max(2 * numbers.length, lengthMin));
  all.set(numbers);
  return all;
}
