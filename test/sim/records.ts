import { storedToRecord, type KvRecord, type Records } from "../../src/core/record.js";

/** The records as they are at this moment. */
export function recordsToArray(records: Records): KvRecord[] {
  return Array.from({ length: records.length }, (_, i) => records.at(i)).flatMap((record) =>
    record === undefined ? [] : [storedToRecord(record)],
  );
}
