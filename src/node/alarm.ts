/** One timer that is moved. */
import { monoMs } from "./ambient.js";

export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  /** @param ring called at the time that was set, or later */
  constructor(ring: () => void) {
    this.#ring = ring;
  }

  /**
   * Rings at this time, unless it is to ring earlier anyway: then it may be set again, which costs less than moving it.
   * @param atMs monotonic; Infinity = never
   */
  set(atMs: number): void {
    if (this.#timer !== undefined && this.#atMs <= atMs) return;
    this.clear();
    if (atMs === Infinity) return;
    this.#atMs = atMs;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#ring();
      },
      Math.max(0, Math.ceil(atMs - monoMs())),
    );
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
