/** Sorting many keys, with a turn for others in between: half a million at once would take nearly half a second. */
import { setImmediate } from "node:timers/promises";
import type { Bytes } from "../core/bytes.js";

/** How many keys are sorted, or merged, before others get a turn. */
const KEYS_A_TURN = 16_384;

/**
 * A merge sort whose first runs are sorted at once.
 * @param limit how many are wanted, or Infinity: no run is longer
 * @returns the first keys in the order of their bytes
 */
export async function sortInTurns(
  keys: Promise<readonly Bytes[]>,
  limit: number,
  keysATurn = KEYS_A_TURN,
): Promise<Bytes[]> {
  const all = await keys;
  let runs: Bytes[][] = [];
  for (let from = 0; from < all.length; from += keysATurn) {
    if (from > 0) await setImmediate();
    runs.push(
      all
        .slice(from, from + keysATurn)
        .sort()
        .slice(0, limit),
    );
  }
  while (runs.length > 1) {
    const merged: Bytes[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(await mergeInTurns(runs[at] ?? [], runs[at + 1] ?? [], limit, keysATurn));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergeInTurns(
  left: Bytes[],
  right: readonly Bytes[],
  limit: number,
  keysATurn: number,
): Promise<Bytes[]> {
  if (right.length === 0) return left;
  const merged: Bytes[] = [];
  let [i, j] = [0, 0];
  while (merged.length < limit) {
    if (merged.length % keysATurn === 0) await setImmediate();
    const [a, b] = [left[i], right[j]];
    if (a !== undefined && (b === undefined || a <= b)) {
      merged.push(a);
      i += 1;
    } else if (b !== undefined) {
      merged.push(b);
      j += 1;
    } else break;
  }
  return merged;
}
