/**
 * The hybrid logical clock of one node.
 *
 * A new stamp is greater than every stamp this node issued, than every stamp it saw (up to a bound), and
 * than the record it replaces (without a bound). So a write made after seeing another wins over it,
 * whatever the wall clocks say, and one broken clock cannot drag the LAN into the future:
 *
 * - a remote stamp moves this clock only if it is at most 60 s ahead of the corrected wall clock;
 * - a record further ahead than that is still overwritten, with its stamp + 1. Such a stamp must not
 *   move the clock, yet it must not be issued twice (two keys may hold the same far stamp from two
 *   writers), so the span of far stamps in use is remembered and never entered again.
 *
 * Corrected wall clock: with three nodes or more, the own clock plus the median offset of the LAN if that
 * is over 2 s. A Raspberry Pi that woke up in 1970 then follows the others.
 *
 * That takes a while after the start, and after the wall clock was set, so until then nothing is done by this clock that
 * could not be undone.
 */
import { STAMP_MAX, TICKS_PER_MS, wallToStamp, type Version } from "./version.js";

/** How far ahead of the corrected wall clock a remote stamp may be and still move this clock. */
export const AHEAD_MAX_MS = 60_000;
/** Median offsets up to this are ordinary drift, and left alone. */
export const OFFSET_IGNORED_MS = 2_000;
/** How long after the start, after the wall clock was set, and after another correction the clock may still be wrong. */
export const CLOCK_DOUBT_MS = 5_000;

export class Clock {
  #last = 0;
  #farFrom = STAMP_MAX;
  #farTo = 0;
  #offsetMs = 0;
  #trustedFromMs = Infinity;

  /** Milliseconds added to the own wall clock; 0 unless the LAN's median says otherwise. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** Monotonic time from which on the clock is believed; Infinity before the start. */
  get trustedFromMs(): number {
    return this.#trustedFromMs;
  }

  /** Others may still find the clock wrong. */
  doubt(monoMs: number): void {
    this.#trustedFromMs = monoMs + CLOCK_DOUBT_MS;
  }

  /** Nobody is there who could. */
  trust(monoMs: number): void {
    this.#trustedFromMs = Math.min(this.#trustedFromMs, monoMs);
  }

  /** The wall clock after correction, in Unix milliseconds. */
  correctedMs(wallMs: number): number {
    return wallMs + this.#offsetMs;
  }

  /**
   * Sets the correction from the offsets (peer's clock - own clock, in milliseconds) of the peers heard.
   * Fewer than two peers cannot outvote this node, so they correct nothing.
   */
  correct(offsetsMs: readonly number[], monoMs: number): void {
    const sorted = [0, ...offsetsMs].sort((a, b) => a - b);
    const median = sorted[(sorted.length - 1) >> 1] ?? 0;
    const offsetMs = offsetsMs.length >= 2 && Math.abs(median) > OFFSET_IGNORED_MS ? median : 0;
    if (Math.abs(offsetMs - this.#offsetMs) > OFFSET_IGNORED_MS) this.doubt(monoMs);
    this.#offsetMs = offsetMs;
  }

  /** Takes note of remote stamps. */
  observe(versions: readonly Pick<Version, "stamp">[], wallMs: number): void {
    const max = this.#nearMax(wallMs);
    let last = this.#last;
    for (const { stamp } of versions) if (stamp > last && stamp <= max) last = stamp;
    this.#last = last;
  }

  /**
   * The stamp of a new write.
   * @param replaced stamp of the record it overwrites, or -1
   * @returns a stamp greater than `replaced` and never returned before, or undefined when the space of
   *   stamps above `replaced` is used up (only a forged record gets there)
   */
  next(wallMs: number, replaced: number): number | undefined {
    const wall = wallToStamp(this.correctedMs(wallMs));
    let stamp = Math.max(wall, this.#last + 1);
    if (replaced >= stamp && replaced > this.#nearMax(wallMs)) {
      stamp = Math.max(replaced, this.#farTo) + 1;
      if (stamp > STAMP_MAX) return undefined;
      this.#farFrom = Math.min(this.#farFrom, stamp);
      this.#farTo = stamp;
      return stamp;
    }
    stamp = Math.max(stamp, replaced + 1);
    if (stamp >= this.#farFrom && stamp <= this.#farTo) stamp = this.#farTo + 1;
    if (stamp > STAMP_MAX) return undefined;
    this.#last = stamp;
    return stamp;
  }

  #nearMax(wallMs: number): number {
    return wallToStamp(this.correctedMs(wallMs)) + AHEAD_MAX_MS * TICKS_PER_MS;
  }
}
