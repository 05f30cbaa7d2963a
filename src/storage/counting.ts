/**
 * What of a segment still counts, and has to be appended once more before the file may go.
 *
 * Of a segment whose slots are known, those count that are at home in it, and it is memory that says what they are: not what
 * the segment holds, but that or something greater, which is as good. Of another one each record is looked up.
 */
import { storedToRecord, type KvRecord } from "../core/record.js";
import { recordsBytesMax } from "../wire/records.js";
import type { Batch, Homes } from "./homes.js";
import type { Contents, Slots } from "./storage.js";

/** From memory no more is taken at once than so many records, or the first that make up so many bytes: a millisecond of work. */
const TAKEN_RECORDS_MAX = 1_024;
const TAKEN_BYTES_MAX = 262_144;
/** In the place of what was read, together so many bytes more are taken at most. */
const EXCESS_BYTES_MAX = 262_144;

/**
 * @param slots some of those of the segment
 * @returns what counts of the first of them, and how many these are
 */
export function countingOfSlots(
  segment: number,
  slots: Uint32Array,
  homes: Homes,
  memory: Slots,
): Batch & { readonly walked: number } {
  const counting: number[] = [];
  let walked = 0;
  let bytes = 0;
  while (walked < slots.length && counting.length < TAKEN_RECORDS_MAX && bytes < TAKEN_BYTES_MAX) {
    const slot = slots[walked] ?? 0;
    walked += 1;
    if (homes.isElsewhere(slot, segment)) continue;
    counting.push(slot);
    bytes += memory.bytesAt(slot);
  }
  const at = (index: number) => memory.at(counting[index] ?? -1);
  return { records: { length: counting.length, at }, slots: counting, walked };
}

/**
 * Of a key that counts the record in memory is taken, which waits to be saved if it is not the one that was read.
 * @param read records of the segment
 * @param isTight whether nothing longer may take the place of what was read
 */
export function countingOfRead(
  segment: number,
  read: readonly KvRecord[],
  homes: Homes,
  contents: Contents,
  isTight: boolean,
): Batch {
  const current = new Map<number, KvRecord>();
  const others: KvRecord[] = [];
  let room = isTight ? 0 : EXCESS_BYTES_MAX;
  for (const record of read) {
    const slot = contents.slots?.of(record);
    if (slot !== undefined && homes.isElsewhere(slot, segment)) continue;
    if (contents.isSuperseded(record)) continue;
    const held = slot === undefined ? undefined : contents.slots?.at(slot);
    const excess = held === undefined ? Infinity : recordsBytesMax([held]) - recordsBytesMax([record]);
    if (slot === undefined || held === undefined || excess > room) {
      others.push(record);
      continue;
    }
    room -= Math.max(0, excess);
    current.set(slot, storedToRecord(held));
  }
  return { records: [...current.values(), ...others], slots: [...current.keys()] };
}
