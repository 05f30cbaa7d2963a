/** Time and chance: the only place where a node reads a clock or draws a random number. */
import { randomInt } from "node:crypto";
import type { Now } from "../core/effect.js";

/** Both clocks, as the core wants them. */
export function now(): Now {
  return { monoMs: monoMs(), wallMs: wallMs() };
}

/** Milliseconds of a clock that never jumps. */
export function monoMs(): number {
  return performance.now();
}

/** The machine's wall clock, Unix milliseconds. */
export function wallMs(): number {
  return Date.now();
}

/** Uniform in 0 <= x < 1. */
export function random(): number {
  return randomInt(2 ** 47) / 2 ** 47;
}
