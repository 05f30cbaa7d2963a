/** Walks over the keys: those that are there from the start to the end of a walk are met. */
import { setImmediate } from "node:timers/promises";
import type { Bytes } from "../core/bytes.js";
import { BUCKETS } from "../core/hash.js";
import type { Context } from "./command.js";
import type { Keyspace } from "./keyspace.js";
import { remove } from "./write.js";

/** How many keys are walked before others get a turn. */
const KEYS_A_TURN = 16_384;
/** How many keys are deleted before others get a turn, and what was written leaves for the peers. */
const REMOVED_A_TURN = 1_024;

/** How many keys a step of SCAN looks at, and a bucket more, whatever it is asked for: nobody else has a turn meanwhile. */
export const SCAN_MAX = 16_384;

export interface Scanned {
  readonly keys: readonly Bytes[];
  /** The bucket to go on from; 0 when all were walked. */
  readonly cursor: number;
}

/**
 * One step of SCAN: whole buckets from `cursor` on until `count` keys were looked at, or {@link SCAN_MAX}.
 * @param accepts whether a record's key is wanted
 */
export function scan(
  keyspace: Keyspace,
  cursor: number,
  count: number,
  accepts: (key: Bytes) => boolean,
): Scanned {
  const keys: Bytes[] = [];
  const max = Math.min(count, SCAN_MAX);
  let [seen, looked] = [0, 0];
  let index = cursor;
  for (; index < BUCKETS && seen < max && looked < SCAN_MAX; index += 1) {
    for (const key of keyspace.bucketKeys(index)) {
      looked += 1;
      if (key === undefined) continue;
      seen += 1;
      if (accepts(key)) keys.push(key);
    }
  }
  return { keys, cursor: index < BUCKETS ? index : 0 };
}

/** All keys that are accepted, in no particular order. Others get their turn in between, except in a transaction. */
export function keysOf(
  { keyspace, isInTransaction }: Context,
  accepts: (key: Bytes) => boolean,
): Bytes[] | Promise<Bytes[]> {
  if (!isInTransaction) return keysInTurns(keyspace, accepts);
  const keys: Bytes[] = [];
  for (const key of keyspace.keys()) if (key !== undefined && accepts(key)) keys.push(key);
  return keys;
}

/**
 * Deletes the keys that are accepted and hold now what they hold when it is called: what is written meanwhile remains.
 * In turns as `keysOf`. The subscribers are told of each.
 * @returns how many held a value until then
 */
export function removeAll(context: Context, accepts: (key: Bytes) => boolean): number | Promise<number> {
  const { keyspace, isInTransaction } = context;
  const snapshot = keyspace.snapshot();
  const removeOne = (index: number): boolean => {
    const record = snapshot.at(index);
    return record?.kind === "value" && accepts(record.key) && remove(context, record.key);
  };
  if (!isInTransaction) return removeInTurns(snapshot.records, removeOne);
  let removed = 0;
  for (let index = 0; index < snapshot.records; index += 1) if (removeOne(index)) removed += 1;
  return removed;
}

async function keysInTurns(keyspace: Keyspace, accepts: (key: Bytes) => boolean): Promise<Bytes[]> {
  const keys: Bytes[] = [];
  let seen = 0;
  for (const key of keyspace.keys()) {
    seen += 1;
    if (seen % KEYS_A_TURN === 0) await setImmediate();
    if (key !== undefined && accepts(key)) keys.push(key);
  }
  return keys;
}

async function removeInTurns(records: number, removeOne: (index: number) => boolean): Promise<number> {
  let removed = 0;
  for (let index = 0; index < records; index += 1) {
    const isRemoved = removeOne(index);
    if (isRemoved) removed += 1;
    if ((index + 1) % KEYS_A_TURN === 0 || (isRemoved && removed % REMOVED_A_TURN === 0))
      await setImmediate();
  }
  return removed;
}
