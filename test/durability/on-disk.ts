import path from "node:path";
import { compareRecords, isAlive, storedToRecord, type KvRecord } from "../../src/core/record.js";
import { Log } from "../../src/storage/log.js";
import type { Damage } from "../../src/storage/storage.js";
import type { Found } from "./ledger.js";

/** What a data directory holds, as the storage reads it. */
export interface OnDisk {
  readonly found: ReadonlyMap<string, Found>;
  readonly damages: readonly Damage[];
}

/** Nothing is freed: the storage is only read. */
const KEEP_ALL = { records: 0, bytes: 0, isSuperseded: () => false };

/** Loads a data directory that no node uses. What the storage repairs when it loads is repaired then. */
export async function findOnDisk(dataDir: string): Promise<OnDisk> {
  const log = await Log.open(path.join(dataDir, "log"), KEEP_ALL);
  const greatest = new Map<string, KvRecord>();
  for await (const { records } of log.load()) {
    for (const record of records.map(storedToRecord)) {
      const held = greatest.get(record.key);
      if (held === undefined || compareRecords(record, held) > 0) greatest.set(record.key, record);
    }
  }
  const { damages } = log;
  await log.close();
  const now = Date.now();
  const found = [...greatest].map(([key, record]): [string, Found] => [toText(key), asFound(record, now)]);
  return { found: new Map(found), damages };
}

function asFound(record: KvRecord, now: number): Found {
  if (!isAlive(record, now)) return { value: undefined, ttlMs: -2 };
  const { value, expiresAtMs } = record;
  return { value: toText(value), ttlMs: expiresAtMs === undefined ? -1 : expiresAtMs - now };
}

function toText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}
