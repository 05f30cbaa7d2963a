import { setTimeout as pause } from "node:timers/promises";

/** Thrown by a condition that can never come true any more: `until` gives up at once. */
export class Hopeless extends Error {}

export interface Patience {
  /** How long to go on trying. Default: 30 000, ample on a busy machine: a test that passes never waits for it. */
  deadlineMs?: number;
}

const pollMs = 50;

/**
 * Tries a condition until it holds, that is, until it no longer throws, and returns its result. At the deadline
 * it fails with the condition's last complaint.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { deadlineMs = 30_000 }: Patience = {},
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await condition();
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      if (performance.now() > deadline) {
        const complaint = error instanceof Error ? error.message : String(error);
        throw new Error(`not within ${String(deadlineMs)} ms: ${what}\n${complaint}`, { cause: error });
      }
    }
    await pause(pollMs);
  }
}
