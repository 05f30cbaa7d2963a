/** How records are cut into messages. */
import type { KvRecord } from "./record.js";

/** Greatest size of a message's records, unless one record alone is larger. */
export const BATCH_BYTES_MAX = 64 * 1024;

/** About the bytes that a record takes in a message. */
export function recordBytes(record: KvRecord): number {
  return 24 + record.key.length + record.value.length + 12 * record.replaces.length;
}

/** The records in order, in batches of at most `bytesMax`; a larger record is a batch of its own. */
export function* batches(records: readonly KvRecord[], bytesMax: number): Generator<readonly KvRecord[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, record] of records.entries()) {
    const size = recordBytes(record);
    if (at > from && bytes + size > bytesMax) {
      yield records.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  if (from < records.length) yield records.slice(from);
}
