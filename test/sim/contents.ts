/** What a replica holds, read through its public face. */
import type { KvRecord } from "../../src/core/record.js";
import type { Replica } from "../../src/core/replica.js";

/** Every record held. */
export function contentsOf(replica: Replica): KvRecord[] {
  return [...replica.map.all()];
}

/** What is held of the keys of these records. */
export function heldOf(
  replica: Replica,
  records: readonly KvRecord[],
): ReadonlyMap<string, KvRecord | undefined> {
  return new Map(records.map(({ key }) => [key, replica.get(key)]));
}
