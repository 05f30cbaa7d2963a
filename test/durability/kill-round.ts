/** A round: writers write, the node is killed in the middle, and what it has afterwards is held against the ledger. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { RespClient } from "../lan/resp-client.js";
import type { Random } from "../sim/random.js";
import type { Daemon } from "./daemon.js";
import type { Found, Ledger } from "./ledger.js";
import { turns } from "./turns.js";
import { findAll, Writer } from "./writer.js";

/**
 * With `everysec`, what was acknowledged so long before the end is kept: on a machine that gives the node its turn. The
 * tests' own delays, which are as much the machine's, come on top so many times.
 */
const EVERYSEC_LOSS_MS_MAX = 1_000;
const DELAYS = 5;
const CLIENTS = 4;
/** A round in which so much is not acknowledged in this time has failed. */
const ROUND_MS_MAX = 60_000;
const PROBLEMS_SHOWN = 5;

export type Policy = "always" | "everysec";

interface BurstOptions {
  readonly ledger: Ledger;
  readonly random: Random;
  readonly pauseMsMax?: number;
}

/** Several clients that write to one node at once. */
export class Burst {
  readonly #ledger: Ledger;
  readonly #begin: number;
  readonly #writers: readonly Writer[];
  readonly #ended: Promise<unknown>;

  private constructor(ledger: Ledger, writers: readonly Writer[]) {
    this.#ledger = ledger;
    this.#begin = ledger.acknowledged;
    this.#writers = writers;
    this.#ended = Promise.all(writers.map((writer) => writer.run()));
    this.#ended.catch(() => undefined);
  }

  static async start(daemon: Daemon, { ledger, random, pauseMsMax = 0 }: BurstOptions): Promise<Burst> {
    turns.watch();
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => daemon.connect()));
    const { name } = daemon;
    const writers = clients.map(
      (client, at) =>
        new Writer(client, {
          name: `${name}:${String(at)}`,
          sharedName: `${name}:shared`,
          random,
          ledger,
          pauseMsMax,
        }),
    );
    return new Burst(ledger, writers);
  }

  /** Waits until so many writes of it were acknowledged. */
  async acknowledged(count: number): Promise<void> {
    await this.#until(this.#begin + count, () => {
      assert.deepEqual(this.refusals.slice(0, PROBLEMS_SHOWN), [], "nothing is refused");
    });
  }

  /** Waits until so many more were acknowledged, and does not mind refusals. */
  async acknowledgedMore(count: number): Promise<void> {
    await this.#until(this.#ledger.acknowledged + count, () => undefined);
  }

  get refusals(): string[] {
    return this.#writers.flatMap(({ refusals }) => refusals);
  }

  stop(): void {
    for (const writer of this.#writers) writer.stop();
  }

  /** Goes on for so long, and asserts that something is acknowledged in each half of it. */
  async acknowledgedFor(ms: number): Promise<void> {
    for (const half of [1, 2]) {
      const before = this.#ledger.acknowledged;
      await pause(ms / 2);
      assert(this.#ledger.acknowledged > before, `nothing is acknowledged in half ${String(half)}`);
    }
  }

  async #until(acknowledged: number, assertSo: () => void): Promise<void> {
    const deadline = performance.now() + ROUND_MS_MAX;
    while (this.#ledger.acknowledged < acknowledged) {
      assert(performance.now() < deadline, `${String(acknowledged)} writes are not acknowledged`);
      assertSo();
      await pause(1);
    }
  }

  /** Waits for the end of all writers: they were stopped, or their connections are gone. */
  async ended(): Promise<void> {
    await this.#ended;
  }
}

/** @returns when, by `performance.now()` */
export async function kill(...daemons: Daemon[]): Promise<number> {
  const killedAtMs = performance.now();
  await Promise.all(
    daemons.map(async (daemon) => {
      assert(!daemon.hasEnded, `${daemon.name} has ended by itself:\n${daemon.log}`);
      await daemon.end("SIGKILL");
    }),
  );
  return killedAtMs;
}

/** What was acknowledged before this moment has to be there after a kill. */
function requiredBefore(policy: Policy, killedAtMs: number): number {
  return policy === "always" ? Infinity : killedAtMs - EVERYSEC_LOSS_MS_MAX - DELAYS * turns.longestMs;
}

interface Checked {
  readonly keys: number;
  /** How long before the kill the oldest acknowledged write was acknowledged that is missing; 0 = none is. */
  readonly lossMs: number;
}

interface CheckOptions {
  readonly where: string;
  readonly ledger: Ledger;
  readonly keys: readonly string[];
  readonly found: readonly Found[];
  readonly policy: Policy;
  readonly killedAtMs: number;
}

/** Holds what was found against what was acknowledged. */
export function check({ where, ledger, keys, found, policy, killedAtMs }: CheckOptions): Checked {
  const problems: string[] = [];
  let lossMs = 0;
  for (const [at, key] of keys.entries()) {
    const one = found[at] ?? { value: undefined, ttlMs: -2 };
    const problem = ledger.problem(key, one, requiredBefore(policy, killedAtMs));
    if (problem !== undefined) problems.push(problem);
    lossMs = Math.max(lossMs, ledger.lossMs(key, one, killedAtMs));
  }
  const shown = problems.slice(0, PROBLEMS_SHOWN).join("\n");
  assert.equal(
    problems.length,
    0,
    `${where}: of ${String(keys.length)} keys, ${String(problems.length)} are not what was acknowledged:\n${shown}`,
  );
  return { keys: keys.length, lossMs };
}

/** Reads keys from a running node, holds them against the ledger, and goes on from there. */
export async function checkServed(daemon: Daemon, options: Omit<CheckOptions, "found">): Promise<Checked> {
  const client = await RespClient.connect(daemon.socket);
  const found = await findAll(client, options.keys);
  client.close();
  const checked = check({ ...options, found });
  for (const [at, key] of options.keys.entries()) {
    const one = found[at];
    if (one !== undefined) options.ledger.settle(key, one);
  }
  return checked;
}

/** Half of the kills come with an acknowledgement, the others a little later. */
export async function aLittle(random: Random): Promise<void> {
  if (random.chance(0.5)) await pause(random.between(0, 20));
}
