/** What the tests share that kill nodes of three which see each other. */
import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import path from "node:path";
import type { Daemon } from "./daemon.js";
import { check, type Policy } from "./kill-round.js";
import type { Ledger } from "./ledger.js";
import { findOnDisk } from "./on-disk.js";

export const ROUNDS = 100;
export const NAMES = ["n1", "n2", "n3"] as const;
/** In these rounds all keys are read, in others those that were written since. */
const ALL_KEYS_EVERY_ROUNDS = 25;
const ABSENT = { value: undefined, ttlMs: -2 };

/** Half of the rounds with each policy, on the same directories. */
export function policyOf(round: number): Policy {
  return round % 2 === 0 ? "everysec" : "always";
}

export function keysToRead(ledger: Ledger, round: number): readonly string[] {
  return round % ALL_KEYS_EVERY_ROUNDS === 0 ? ledger.keys : ledger.touched;
}

export interface Expected {
  readonly where: string;
  readonly ledger: Ledger;
  readonly policy: Policy;
  readonly killedAtMs: number;
}

/**
 * What a killed node has on its own disk, without the help of any other.
 * @returns how long before the kill the oldest write was acknowledged that is missing there
 */
export async function checkDisk(daemon: Daemon, ...expected: readonly Expected[]): Promise<number> {
  const copy = `${daemon.dataDir}.copy`;
  // The lock is a socket, which is not copied.
  cpSync(daemon.dataDir, copy, { recursive: true, filter: (from) => path.basename(from) !== "lock" });
  const { found, damages } = await findOnDisk(copy);
  rmSync(copy, { recursive: true });
  assert.deepEqual(damages, [], `nothing is damaged on the disk of ${daemon.name}`);
  const losses = expected.map(({ where, ledger, policy, killedAtMs }) => {
    const keys = ledger.touched;
    return check({
      where: `${where}, on the disk of ${daemon.name}`,
      ledger,
      keys,
      found: keys.map((key) => found.get(key) ?? ABSENT),
      policy,
      killedAtMs,
    }).lossMs;
  });
  return Math.max(...losses);
}
