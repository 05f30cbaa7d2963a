/** What both sides of every comparison store: 16-byte keys and 100-byte values. */
export const VALUE = "v".repeat(100);

export function keyOf(index: number): string {
  return `key:${String(index).padStart(12, "0")}`;
}
