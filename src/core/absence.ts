/** Noticing that this process did not run for a while, or that the wall clock was set. */
import type { Now } from "./effect.js";
import { GONE_AFTER_MS } from "./presence.js";

/** A blocked process: no step for so long, though a beacon is due each second. */
const BLOCKED_MS = 2_000;
/** A wall clock that moved this much against the monotonic one: it was set, or the machine slept. */
const JUMP_MS = 5_000;

export interface Absence {
  /** For how long others could not be heard, milliseconds; 0 = not worth mentioning. */
  readonly blockedMs: number;
  /** Whether it was so long that the others have given this node up. */
  readonly isReturn: boolean;
  readonly hasJumped: boolean;
}

/** @param before the time of the step before */
export function absenceOf(before: Now, now: Now): Absence {
  const blockedMs = now.monoMs - before.monoMs;
  return {
    blockedMs: blockedMs >= BLOCKED_MS ? blockedMs : 0,
    isReturn: blockedMs >= GONE_AFTER_MS,
    hasJumped: Math.abs(now.wallMs - before.wallMs - blockedMs) >= JUMP_MS,
  };
}
