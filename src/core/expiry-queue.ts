/**
 * Which value runs out next: slots of the map, ordered by the time at which their values do.
 *
 * A heap of four children a node, in typed arrays: 12 bytes a value that expires, and 4 for each slot up to the greatest
 * that ever did. Every slot's place in the heap is known, so that overwriting a value, or giving it another time, moves or
 * removes its entry at once. The usual heap without places leaves stale entries behind, as many as there
 * are writes: a key that is written again and again with a limit of a day would fill it. A wheel of timers
 * has places too, but walks its empty slots, or moves entries from wheel to wheel.
 *
 * Invariant: no entry is due before its parent, and `#places[slot]` is 1 + the entry of the slot, or 0.
 */

const ENTRIES_MIN = 64;
/** Children of an entry: half as many levels as with two, and they lie in one cache line. */
const CHILDREN = 4;

export class ExpiryQueue {
  #slots = new Int32Array(ENTRIES_MIN);
  #times = new Float64Array(ENTRIES_MIN);
  #places = new Int32Array(ENTRIES_MIN);
  #size = 0;

  /** Number of slots that are here. */
  get size(): number {
    return this.#size;
  }

  /** The earliest time; Infinity when nothing is here. */
  get nextAtMs(): number {
    return this.#size === 0 ? Infinity : (this.#times[0] ?? Infinity);
  }

  /** How many slots are due by then: looks at those and their children alone. */
  countDue(nowMs: number): number {
    let due = 0;
    const entries = [0];
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      if (entry >= this.#size || (this.#times[entry] ?? Infinity) > nowMs) continue;
      due += 1;
      for (let child = 1; child <= CHILDREN; child += 1) entries.push(CHILDREN * entry + child);
    }
    return due;
  }

  /** Adds a slot, or gives it another time. */
  set(slot: number, atMs: number): void {
    const place = this.#places[slot] ?? 0;
    if (place === 0) {
      this.#makeRoom(slot);
      this.#size += 1;
      this.#rise(this.#size - 1, slot, atMs);
    } else this.#move(place - 1, slot, atMs);
  }

  /** Removes a slot, if it is here. */
  remove(slot: number): void {
    const place = this.#places[slot] ?? 0;
    if (place === 0) return;
    this.#places[slot] = 0;
    this.#size -= 1;
    const last = this.#slots[this.#size] ?? 0;
    if (last !== slot) this.#move(place - 1, last, this.#times[this.#size] ?? 0);
    this.#giveBack();
  }

  /** Removes the slot with the earliest time; -1 when nothing is here. */
  take(): number {
    if (this.#size === 0) return -1;
    const slot = this.#slots[0] ?? -1;
    this.remove(slot);
    return slot;
  }

  /** Puts a slot at the entry or wherever from there it belongs. */
  #move(entry: number, slot: number, atMs: number): void {
    const parent = (entry - 1) >> 2;
    if (entry > 0 && atMs < (this.#times[parent] ?? 0)) this.#rise(entry, slot, atMs);
    else this.#sink(entry, slot, atMs);
  }

  #rise(from: number, slot: number, atMs: number): void {
    let entry = from;
    while (entry > 0) {
      const parent = (entry - 1) >> 2;
      const itsTime = this.#times[parent] ?? 0;
      if (itsTime <= atMs) break;
      this.#put(entry, this.#slots[parent] ?? 0, itsTime);
      entry = parent;
    }
    this.#put(entry, slot, atMs);
  }

  #sink(from: number, slot: number, atMs: number): void {
    let entry = from;
    for (;;) {
      const first = CHILDREN * entry + 1;
      const end = Math.min(first + CHILDREN, this.#size);
      let earliest = -1;
      let itsTime = atMs;
      for (let child = first; child < end; child += 1) {
        const time = this.#times[child] ?? 0;
        if (time >= itsTime) continue;
        earliest = child;
        itsTime = time;
      }
      if (earliest === -1) break;
      this.#put(entry, this.#slots[earliest] ?? 0, itsTime);
      entry = earliest;
    }
    this.#put(entry, slot, atMs);
  }

  #put(entry: number, slot: number, atMs: number): void {
    this.#slots[entry] = slot;
    this.#times[entry] = atMs;
    this.#places[slot] = entry + 1;
  }

  /** For one more entry, and for the place of this slot. */
  #makeRoom(slot: number): void {
    if (this.#size === this.#slots.length) this.#resize(2 * this.#size);
    if (slot < this.#places.length) return;
    const places = new Int32Array(Math.max(slot + 1, 2 * this.#places.length));
    places.set(this.#places);
    this.#places = places;
  }

  /** A queue that was long once does not keep the memory of it. */
  #giveBack(): void {
    const half = this.#slots.length / 2;
    if (half >= ENTRIES_MIN && this.#size < half / 2) this.#resize(half);
  }

  #resize(entries: number): void {
    const slots = new Int32Array(entries);
    const times = new Float64Array(entries);
    slots.set(this.#slots.subarray(0, this.#size));
    times.set(this.#times.subarray(0, this.#size));
    this.#slots = slots;
    this.#times = times;
  }
}
