/** What both sides of every comparison store: 16-byte keys and 100-byte values. */
export const VALUE = "v".repeat(100);

/** How many writes are given at once: Redis's pipeline, lankv's batch. */
export const DEPTH = 64;

export function keyOf(index: number): string {
  return `key:${String(index).padStart(12, "0")}`;
}
