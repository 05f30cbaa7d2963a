/** Simulated time: what happens next, and when. Events at the same time happen in the order they were planned. */

interface Planned {
  readonly atMs: number;
  readonly order: number;
  action: (() => void) | undefined;
}

/** Times are whole 1/1024 ms, so that adding and subtracting them is exact. */
const STEPS_PER_MS = 1024;

export class Schedule {
  readonly #heap: Planned[] = [];
  #planned = 0;
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** @returns a function that calls it off */
  at(timeMs: number, action: () => void): () => void {
    const atMs = Math.ceil(Math.max(timeMs, this.#nowMs) * STEPS_PER_MS) / STEPS_PER_MS;
    const planned: Planned = { atMs, order: (this.#planned += 1), action };
    this.#push(planned);
    return () => {
      planned.action = undefined;
    };
  }

  after(delayMs: number, action: () => void): () => void {
    return this.at(this.#nowMs + delayMs, action);
  }

  /** Runs all that is planned up to and including this time, and what that plans. */
  runUntil(timeMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= timeMs; next = this.#heap[0]) {
      this.#pop();
      this.#nowMs = next.atMs;
      next.action?.();
    }
    this.#nowMs = Math.max(this.#nowMs, Math.ceil(timeMs * STEPS_PER_MS) / STEPS_PER_MS);
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.push(planned) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || isBefore(parent, planned)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let child = heap[down];
      const right = heap[down + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        down += 1;
      }
      if (child === undefined || isBefore(moved, child)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = moved;
  }
}

function isBefore(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
