/** What a client sent and in which order, so that a trace of the replies says what was acknowledged when. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Command, RespClient } from "../lan/resp-client.js";
import type { Random } from "../sim/random.js";
import type { Ledger } from "./ledger.js";
import { stringsOf, type TraceEvent } from "./trace.js";

interface Entry {
  readonly key: string;
  /** Undefined = a DEL. */
  readonly value: string | undefined;
  readonly lifetimeMs: number | undefined;
}

export interface RunOptions {
  readonly random: Random;
  readonly batches: number;
  /** Long values to few keys, so that most of what is written soon no longer counts. Default: no. */
  readonly isLarge?: boolean;
  /** The longest pause between two batches. Default: 0, none. */
  readonly pauseMsMax?: number;
}

/** Longer than any test. */
const LIFETIME_MS = 3_600_000;
const KEYS = 60;
const LARGE_KEYS = 5;
const LARGE_BYTES_MAX = 60_000;
const BATCH_MAX = 24;

/** A client's writes, to keys that nobody else writes. */
export class Transcript {
  readonly #entries: Entry[] = [];

  constructor(readonly name: string) {}

  /** Sends batches, and waits for each to be acknowledged. */
  async run(
    client: RespClient,
    { random, batches, isLarge = false, pauseMsMax = 0 }: RunOptions,
  ): Promise<void> {
    // The reply shows in the trace which connection this is.
    await client.call("ECHO", marker(this.name));
    for (let batch = 0; batch < batches; batch += 1) {
      const entries = Array.from({ length: random.wholeBetween(1, BATCH_MAX) }, () =>
        isLarge ? this.#largeEntry(random) : this.#entry(random),
      );
      this.#entries.push(...entries);
      const replies = await client.pipeline(entries.map(toCommand));
      assert.deepEqual(
        replies.filter((reply) => reply instanceof Error),
        [],
      );
      if (pauseMsMax > 0) await pause(random.between(0, pauseMsMax));
    }
  }

  /** Enters the writes, of which the first so many were acknowledged. */
  enter(ledger: Ledger, acknowledged: number): void {
    for (const [at, { key, value, lifetimeMs }] of this.#entries.entries()) {
      const write = ledger.write(key, value, lifetimeMs);
      if (at < acknowledged) ledger.acknowledgeWrite(write);
    }
  }

  get length(): number {
    return this.#entries.length;
  }

  #largeEntry(random: Random): Entry {
    const key = `${this.name}:large:${String(random.below(LARGE_KEYS))}`;
    const value = `${key}=${random.bytes(random.below(LARGE_BYTES_MAX / 2)).toString("hex")}`;
    return { key, value, lifetimeMs: undefined };
  }

  #entry(random: Random): Entry {
    const key = random.chance(0.8)
      ? `${this.name}:${String(random.below(KEYS))}`
      : `${this.name}:${random.id()}`;
    if (random.chance(0.12)) return { key, value: undefined, lifetimeMs: undefined };
    const size = random.unit();
    const bytes = size < 0.8 ? random.below(300) : size < 0.99 ? random.below(5_000) : random.below(80_000);
    const value = `${key}=${random.id()}${random.bytes(Math.ceil(bytes / 2)).toString("hex")}`;
    return { key, value, lifetimeMs: random.chance(0.1) ? LIFETIME_MS : undefined };
  }
}

function toCommand({ key, value, lifetimeMs }: Entry): Command {
  if (value === undefined) return ["DEL", key];
  return lifetimeMs === undefined ? ["SET", key, value] : ["SET", key, value, "PX", String(lifetimeMs)];
}

function marker(name: string): string {
  return `transcript ${name}.`;
}

/** How many writes of each transcript a process had acknowledged, event by event. */
export class Acknowledged {
  readonly #counts = new Map<string, number>();
  /** Which transcript a socket belongs to. */
  readonly #names = new Map<number, string>();

  apply({ is, call }: TraceEvent): void {
    if (is !== "begin") return;
    if (call.name === "close") this.#names.delete(call.fd);
    if (call.name !== "write" && call.name !== "writev") return;
    const name = this.#names.get(call.fd);
    if (name === undefined && !call.text.includes(MARKER_HEX)) return;
    const text = Buffer.concat(stringsOf(call)).toString("latin1");
    if (name !== undefined) {
      this.#counts.set(name, this.of(name) + text.split("\r\n").length - 1);
      return;
    }
    const found = /transcript ([^.]*)\.\r\n$/.exec(text)?.[1];
    if (found !== undefined) this.#names.set(call.fd, found);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }
}

const MARKER_HEX = [...Buffer.from("transcript ")]
  .map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`)
  .join("");
