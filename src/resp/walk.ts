/** Walks over the keys: those that are there from the start to the end of a walk are met. */
import { setImmediate } from "node:timers/promises";
import type { Bytes } from "../core/bytes.js";
import { BUCKETS } from "../core/hash.js";
import type { Keyspace } from "./keyspace.js";

/** How many keys are walked before others get a turn. */
const KEYS_A_TURN = 16_384;

export interface Scanned {
  readonly keys: readonly Bytes[];
  /** The bucket to go on from; 0 when all were walked. */
  readonly cursor: number;
}

/**
 * One step of SCAN: whole buckets from `cursor` on until `count` keys were looked at.
 * @param accepts whether a record's key is wanted
 */
export function scan(
  keyspace: Keyspace,
  cursor: number,
  count: number,
  accepts: (key: Bytes) => boolean,
): Scanned {
  const keys: Bytes[] = [];
  let seen = 0;
  let index = cursor;
  for (; index < BUCKETS && seen < count; index += 1) {
    for (const { key } of keyspace.bucket(index)) {
      seen += 1;
      if (accepts(key)) keys.push(key);
    }
  }
  return { keys, cursor: index < BUCKETS ? index : 0 };
}

/** All keys that are accepted, in no particular order; others get their turn in between. */
export async function allKeys(keyspace: Keyspace, accepts: (key: Bytes) => boolean): Promise<Bytes[]> {
  const keys: Bytes[] = [];
  let seen = 0;
  for (const { key } of keyspace.all()) {
    seen += 1;
    if (seen % KEYS_A_TURN === 0) await setImmediate();
    if (accepts(key)) keys.push(key);
  }
  return keys;
}
