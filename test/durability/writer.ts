import { setTimeout as pause } from "node:timers/promises";
import type { Command, Reply, RespClient } from "../lan/resp-client.js";
import type { Random } from "../sim/random.js";
import type { Found, Ledger } from "./ledger.js";

interface WriterOptions {
  /** Its keys begin so. */
  readonly name: string;
  /** Keys that all writers of a node write begin so. */
  readonly sharedName: string;
  readonly random: Random;
  readonly ledger: Ledger;
  /** The longest pause between two batches. Default: 0, none. */
  readonly pauseMsMax?: number;
}

interface Step {
  readonly command: Command;
  readonly take: (reply: Reply) => void;
}

/** Enough for some to be written again and again, and others seldom. */
const KEYS = 400;
const SHARED_KEYS = 8;
const BATCH_MAX = 48;

/** A pipelining Redis client that writes what the ledger can check, until its connection ends. */
export class Writer {
  readonly #client: RespClient;
  readonly #options: WriterOptions;
  readonly #refusals: string[] = [];
  #isStopped = false;
  #count = 0;

  constructor(client: RespClient, options: WriterOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Error replies. */
  get refusals(): readonly string[] {
    return this.#refusals;
  }

  /** Writes until it is stopped, or the connection ends, which is no failure. */
  async run(): Promise<void> {
    const { random, pauseMsMax = 0 } = this.#options;
    while (!this.#isStopped) {
      const steps = Array.from({ length: random.wholeBetween(1, BATCH_MAX) }, () => this.#step());
      let taken = 0;
      try {
        await this.#client.stream(
          steps.map(({ command }) => command),
          (reply) => {
            steps[taken]?.take(reply);
            taken += 1;
          },
        );
      } catch {
        // The connection ended: whoever counts the acknowledgements sees whether it was too early.
        break;
      }
      if (pauseMsMax > 0) await pause(random.between(0, pauseMsMax));
    }
    this.#client.close();
  }

  /** No more batches after the one that is under way. */
  stop(): void {
    this.#isStopped = true;
  }

  #step(): Step {
    const { name, sharedName, random } = this.#options;
    const own = `${name}:${String(random.below(KEYS))}`;
    const kind = random.unit();
    this.#count += 1;
    if (kind < 0.5) return this.#set(own);
    if (kind < 0.53) return this.#setNew(`${name}:new:${String(this.#count)}:${random.id()}`);
    if (kind < 0.7) return this.#set(`${sharedName}:${String(random.below(SHARED_KEYS))}`);
    if (kind < 0.85) return this.#delete(own);
    if (kind < 0.9) return this.#increment(`${name}:count:${String(random.below(SHARED_KEYS))}`);
    if (kind < 0.95) return this.#increment(`${sharedName}:count`);
    return this.#set(own, kind < 0.97 ? random.wholeBetween(100, 1_000) : 3_600_000);
  }

  /** Keys that stay have short values, lest a round takes the longer the later it is. */
  #setNew(key: string): Step {
    return this.#set(key, undefined, key);
  }

  #set(key: string, lifetimeMs?: number, value = this.#value(key)): Step {
    const write = this.#options.ledger.write(key, value, lifetimeMs);
    const lifetime = lifetimeMs === undefined ? [] : ["PX", String(lifetimeMs)];
    return {
      command: ["SET", key, value, ...lifetime],
      take: this.#unlessRefused(() => {
        this.#options.ledger.acknowledgeWrite(write);
      }),
    };
  }

  #delete(key: string): Step {
    const write = this.#options.ledger.write(key, undefined);
    return {
      command: ["DEL", key],
      take: this.#unlessRefused(() => {
        this.#options.ledger.acknowledgeWrite(write);
      }),
    };
  }

  #increment(key: string): Step {
    const increment = this.#options.ledger.increment(key);
    return {
      command: ["INCR", key],
      take: this.#unlessRefused((reply) => {
        this.#options.ledger.acknowledgeIncrement(increment, Number(reply));
      }),
    };
  }

  /** What was refused may be there later or not, as what was never answered may. */
  #unlessRefused(take: (reply: Reply) => void): (reply: Reply) => void {
    return (reply) => {
      if (reply instanceof Error) this.#refusals.push(reply.message);
      else take(reply);
    };
  }

  /** No two values are alike, and each says which key it belongs to. Most are small. */
  #value(key: string): string {
    const { random } = this.#options;
    const size = random.unit();
    const bytes = size < 0.9 ? random.below(200) : size < 0.997 ? random.below(4_000) : random.below(60_000);
    return `${key}=${random.id()}${".".repeat(bytes)}`;
  }
}

/** How these keys look on a node, in the order in which they were asked for. */
export async function findAll(client: RespClient, keys: readonly string[]): Promise<Found[]> {
  const replies = await client.pipeline(
    keys.flatMap((key): Command[] => [
      ["GET", key],
      ["PTTL", key],
    ]),
  );
  return keys.map((_, at) => {
    const [value, ttl] = [replies[2 * at], replies[2 * at + 1]];
    if (value instanceof Error) throw value;
    // A value that expires between the two commands.
    if (Number(ttl) === -2) return { value: undefined, ttlMs: -2 };
    return { value: Buffer.isBuffer(value) ? value.toString() : undefined, ttlMs: Number(ttl) };
  });
}
