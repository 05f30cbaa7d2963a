/**
 * What was written and what was acknowledged, kept outside of the process that is killed; and so what may be found
 * afterwards.
 *
 * Sending and being acknowledged are events in one order, that of this process. Of two writes to a key, one that was
 * acknowledged before the other was sent is older for certain. So when a write has to be there, everything that was
 * acknowledged before it was sent may not be; whatever else was sent may, acknowledged or not.
 */

/** A key at one moment, as Redis commands show it. */
export interface Found {
  /** Undefined = there is no such key. */
  readonly value: string | undefined;
  /** As PTTL says it: -1 = never expires, -2 = no such key. */
  readonly ttlMs: number;
}

/** One SET or DEL. Times are those of `performance.now()`. */
export class Write {
  acknowledged = Infinity;
  acknowledgedAtMs = Infinity;

  constructor(
    /** Undefined = a delete. */
    readonly value: string | undefined,
    /** Undefined = it stays. */
    readonly lifetimeMs: number | undefined,
    readonly sent: number,
    readonly sentAtMs: number,
  ) {}
}

/** One INCR, by one. */
export class Increment {
  /** What the reply said. */
  result: number | undefined;
  acknowledgedAtMs = Infinity;
}

/** By how much clocks and expiries may be off before it counts: no subject of these tests. */
const CLOCK_SLACK_MS = 2_000;

export class Ledger {
  readonly #writes = new Map<string, Write[]>();
  readonly #counters = new Map<string, { base: number; increments: Increment[] }>();
  readonly #touched = new Set<string>();
  #events = 0;
  #acknowledged = 0;

  /** How many writes were acknowledged so far. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Every key that was ever written. */
  get keys(): readonly string[] {
    return [...this.#writes.keys(), ...this.#counters.keys()];
  }

  /** Those written since they were last settled. */
  get touched(): readonly string[] {
    return [...this.#touched];
  }

  write(key: string, value: string | undefined, lifetimeMs?: number): Write {
    const write = new Write(value, lifetimeMs, (this.#events += 1), performance.now());
    const writes = this.#writes.get(key);
    if (writes === undefined) this.#writes.set(key, [absentFromTheStart(), write]);
    else writes.push(write);
    this.#touched.add(key);
    return write;
  }

  increment(key: string): Increment {
    const increment = new Increment();
    const counter = this.#counters.get(key);
    if (counter === undefined) this.#counters.set(key, { base: 0, increments: [increment] });
    else counter.increments.push(increment);
    this.#touched.add(key);
    return increment;
  }

  acknowledgeWrite(write: Write): void {
    write.acknowledged = this.#events += 1;
    write.acknowledgedAtMs = performance.now();
    this.#acknowledged += 1;
  }

  acknowledgeIncrement(increment: Increment, result: number): void {
    increment.result = result;
    increment.acknowledgedAtMs = performance.now();
    this.#acknowledged += 1;
  }

  /**
   * What is wrong with what was found, in words.
   * @param requiredBeforeMs what was acknowledged before this moment has to be there
   */
  problem(key: string, found: Found, requiredBeforeMs: number): string | undefined {
    const counter = this.#counters.get(key);
    const isRight =
      counter === undefined
        ? this.#matching(key, found, requiredBeforeMs).length > 0
        : isBetween(Number(found.value ?? "0"), this.#bounds(counter, requiredBeforeMs));
    if (isRight) return undefined;
    const expected =
      counter === undefined
        ? this.#candidates(key, requiredBeforeMs).map(describe).join(" | ")
        : this.#bounds(counter, requiredBeforeMs).join("..");
    return `${key} is ${text(found.value)} with PTTL ${String(found.ttlMs)}, not ${expected}`;
  }

  /** How long before the kill the oldest acknowledged write was acknowledged that is missing; 0 = none is. */
  lossMs(key: string, found: Found, killedAtMs: number): number {
    const counter = this.#counters.get(key);
    const value = Number(found.value ?? "0");
    const lost =
      counter === undefined
        ? this.#lostWrites(key, found)
        : counter.increments.filter(({ result = 0 }) => result > value);
    return Math.max(0, ...lost.map(({ acknowledgedAtMs }) => killedAtMs - acknowledgedAtMs));
  }

  /** What was found after a restart is what the node has from now on. */
  settle(key: string, { value, ttlMs }: Found): void {
    this.#touched.delete(key);
    const counter = this.#counters.get(key);
    if (counter !== undefined) {
      this.#counters.set(key, { base: Number(value ?? "0"), increments: [] });
      return;
    }
    const write = new Write(value, ttlMs < 0 ? undefined : ttlMs, this.#events, performance.now());
    write.acknowledged = write.sent;
    write.acknowledgedAtMs = -Infinity;
    this.#writes.set(key, [write]);
  }

  #candidates(key: string, requiredBeforeMs: number): Write[] {
    const writes = this.#writes.get(key) ?? [];
    let newest = -1;
    for (const { acknowledgedAtMs, sent } of writes)
      if (acknowledgedAtMs < requiredBeforeMs) newest = Math.max(newest, sent);
    return writes.filter(({ acknowledged, sent }) => acknowledged > newest || sent === newest);
  }

  #matching(key: string, found: Found, requiredBeforeMs: number): Write[] {
    return this.#candidates(key, requiredBeforeMs).filter((write) => matches(write, found));
  }

  #lostWrites(key: string, found: Found): Write[] {
    if (this.#matching(key, found, Infinity).length > 0) return [];
    const newest = this.#matching(key, found, -Infinity).at(-1);
    const writes = this.#writes.get(key) ?? [];
    return writes.filter(
      (write) => write.acknowledged < Infinity && write.sent > (newest?.acknowledged ?? -1),
    );
  }

  #bounds(counter: { base: number; increments: Increment[] }, requiredBeforeMs: number): [number, number] {
    const required = counter.increments.filter(({ acknowledgedAtMs }) => acknowledgedAtMs < requiredBeforeMs);
    const least = Math.max(counter.base, ...required.map(({ result = 0 }) => result));
    return [least, counter.base + counter.increments.length];
  }
}

function absentFromTheStart(): Write {
  const write = new Write(undefined, undefined, 0, -Infinity);
  write.acknowledged = 0;
  write.acknowledgedAtMs = -Infinity;
  return write;
}

function matches(write: Write, found: Found): boolean {
  const { value, lifetimeMs } = write;
  if (lifetimeMs === undefined)
    return found.value === value && found.ttlMs === (value === undefined ? -2 : -1);
  const now = performance.now();
  if (found.value === undefined) return now > write.sentAtMs + lifetimeMs - CLOCK_SLACK_MS;
  const isAlive = now < write.acknowledgedAtMs + lifetimeMs + CLOCK_SLACK_MS || write.acknowledgedAtMs < 0;
  return found.value === value && found.ttlMs >= 0 && found.ttlMs <= lifetimeMs && isAlive;
}

function isBetween(value: number, [least, most]: [number, number]): boolean {
  return value >= least && value <= most;
}

function describe({ value, lifetimeMs, acknowledged }: Write): string {
  const lifetime = lifetimeMs === undefined ? "" : ` for ${String(lifetimeMs)} ms`;
  return `${text(value)}${lifetime}${acknowledged < Infinity ? "" : " (not acknowledged)"}`;
}

function text(value: string | undefined): string {
  if (value === undefined) return "absent";
  return value.length > 60 ? `"${value.slice(0, 60)}"... of ${String(value.length)} bytes` : `"${value}"`;
}
