import assert from "node:assert/strict";
import type { Entry } from "./agreement.js";
import type { Daemon } from "./daemon.js";
import type { Command } from "./resp-client.js";

/** So many entries whose keys begin with the prefix, with values of 100 bytes, all different. */
export function numbered(prefix: string, count: number): Entry[] {
  return Array.from({ length: count }, (_, index) => {
    const key = `${prefix}/${String(index).padStart(6, "0")}`;
    return [key, `${key} `.padEnd(100, String(index % 10))];
  });
}

/** Writes all entries as fast as the daemon takes them; all are acknowledged. */
export async function setAll(daemon: Daemon, entries: readonly Entry[]): Promise<void> {
  const burst = new Burst(daemon, entries);
  assert.equal(await burst.ended, undefined);
  assert.equal(burst.acknowledged, entries.length);
}

/** The same in the background, for scenarios where something happens meanwhile. */
export class Burst {
  /** How many of the entries, from the first, the daemon has acknowledged. */
  acknowledged = 0;
  /** Fulfilled at the end, however it came: with the error that cut the burst short, or else undefined. */
  readonly ended: Promise<Error | undefined>;

  constructor(
    daemon: Daemon,
    readonly entries: readonly Entry[],
  ) {
    this.ended = this.#run(daemon);
  }

  async #run(daemon: Daemon): Promise<Error | undefined> {
    const client = await daemon.connect();
    let refusal: Error | undefined;
    try {
      await client.stream(sets(this.entries), (reply) => {
        if (String(reply) === "OK") this.acknowledged += 1;
        else refusal ??= new Error(String(reply));
      });
      return refusal;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      client.close();
    }
  }
}

function* sets(entries: readonly Entry[]): Generator<Command> {
  for (const [key, value] of entries) yield ["SET", key, value];
}
