/** How records, and publications, are cut into messages. */
import type { KvRecord } from "./record.js";

/** Greatest size of a message's records or publications, unless one alone is larger. */
export const BATCH_BYTES_MAX = 64 * 1024;

/** About the bytes that a record takes in a message. */
export function recordBytes(record: KvRecord): number {
  return 24 + record.key.length + record.value.length + 12 * record.replaces.length;
}

/** The items in order, in batches of at most `bytesMax`; a larger one is a batch of its own. */
export function* batches<T>(
  items: readonly T[],
  bytesMax: number,
  bytesOf: (item: T) => number,
): Generator<readonly T[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, item] of items.entries()) {
    const size = bytesOf(item);
    if (at > from && bytes + size > bytesMax) {
      yield items.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < items.length) yield items.slice(from);
}
