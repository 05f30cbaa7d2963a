/** What the users of the nodes do: sets, deletes, values that expire, on few keys that all fight for and on many. */
import type { Network } from "./network.js";
import type { Process } from "./process.js";
import type { Random } from "./random.js";

export interface Workload {
  /** Mean time between turns of the event loop in which somebody writes. */
  readonly writeEveryMs: number;
  readonly hotKeys: number;
  readonly spreadKeys: number;
  /** Share of the writes that go to hot keys, 0..1. */
  readonly hotShare: number;
  readonly deleteShare: number;
  readonly expiringShare: number;
  /** The longest time that a value is given. */
  readonly expiresMsMax: number;
  readonly valueBytesMax: number;
  /** Share of the values that are larger than a message, 0..1. */
  readonly largeShare: number;
  readonly largeBytesMax: number;
  /** Share of the turns that write many keys at once, 0..1. */
  readonly burstShare: number;
  readonly burstKeysMax: number;
  /** Share of the turns that wait for a key instead of writing, 0..1. */
  readonly seekShare: number;
  /** Share of the turns that also publish to channels, 0..1. */
  readonly publishShare: number;
  /** Share of the turns after which somebody waits for receipts, 0..1. */
  readonly confirmShare: number;
  /** Share of the turns after which somebody wants everything to be durable, 0..1. */
  readonly demandShare: number;
}

/** Thousands of values whose time runs out together when the clocks are set on: more than a step lets expire. */
const CROWD: Partial<Workload> = {
  writeEveryMs: 100,
  spreadKeys: 6_000,
  hotShare: 0.1,
  deleteShare: 0.05,
  expiringShare: 0.9,
  expiresMsMax: 60_000,
  valueBytesMax: 8,
  burstShare: 0.3,
  burstKeysMax: 300,
};
const CROWD_SHARE = 0.1;

export function drawWorkload(random: Random): Workload {
  return {
    writeEveryMs: random.pick([5, 20, 100, 500]) ?? 100,
    hotKeys: random.wholeBetween(1, 12),
    spreadKeys: random.pick([50, 500, 5_000]) ?? 500,
    hotShare: random.unit(),
    deleteShare: random.between(0, 0.3),
    expiringShare: random.between(0, 0.5),
    expiresMsMax: random.pick([300, 3_000, 60_000]) ?? 3_000,
    valueBytesMax: random.pick([8, 100, 2_000]) ?? 100,
    largeShare: random.chance(0.3) ? 0.01 : 0,
    largeBytesMax: 300 * 1024,
    burstShare: random.chance(0.5) ? 0.03 : 0,
    burstKeysMax: random.pick([20, 300]) ?? 20,
    seekShare: random.chance(0.3) ? 0.05 : 0,
    publishShare: random.chance(0.4) ? 0.2 : 0,
    confirmShare: random.pick([0, 0.02, 0.3]) ?? 0,
    demandShare: random.pick([0, 0.1]) ?? 0,
    ...(random.chance(CROWD_SHARE) ? CROWD : {}),
  };
}

/**
 * Small records that are overwritten often, and many who wait until what they wrote is durable. Now and then one that is more
 * than a step of saving takes, so that others wait for the next.
 */
export function drawDiskWorkload(random: Random): Workload {
  return {
    writeEveryMs: random.pick([15, 40, 100]) ?? 40,
    hotKeys: random.wholeBetween(1, 6),
    spreadKeys: random.pick([10, 50, 300]) ?? 50,
    hotShare: random.unit(),
    deleteShare: random.between(0, 0.2),
    expiringShare: random.pick([0, 0.2]) ?? 0,
    expiresMsMax: random.pick([300, 3_000, 60_000]) ?? 3_000,
    valueBytesMax: 20,
    largeShare: random.pick([0, 0.02]) ?? 0,
    largeBytesMax: 300 * 1024,
    burstShare: random.pick([0, 0.05]) ?? 0,
    burstKeysMax: 20,
    seekShare: 0,
    publishShare: 0,
    confirmShare: random.pick([0.02, 0.2]) ?? 0.02,
    demandShare: random.pick([0.15, 0.4]) ?? 0.15,
  };
}

const SEEK_MS_MAX = 2_000;
/** One value in so many has a time that has passed when it is written. */
const LATE_SHARE = 1 / 20;
const CONFIRM_MS_MAX = 3_000;
const PUBLICATIONS_MAX = 3;
const CHANNELS = ["", "news", "c".repeat(1024)];
const LARGE_BYTES_MIN = 60 * 1024;
/** How often a process crashes between writing and sending, when crashes happen at all. */
const CRASH_BEFORE_FLUSH = 0.2;

export class Users {
  #isOver = false;
  #writes = 0;
  #publications = 0;

  constructor(
    private readonly network: Network,
    private readonly workload: Workload,
  ) {
    this.#next();
  }

  /** No more writes. */
  end(): void {
    this.#isOver = true;
  }

  /** All is quiet: everybody publishes something, and waits for its receipts. */
  lookBack(forMs: number): void {
    for (const process of this.network.alive) {
      this.#publish(process);
      process.flush();
      process.confirm(forMs);
    }
  }

  /** One turn in which this process writes what it is about to take to its grave. */
  writeAndCrash(process: Process): void {
    if (!process.isBlocked && this.network.random.chance(CRASH_BEFORE_FLUSH)) this.#write(process);
    process.crash();
  }

  #next(): void {
    const { random, schedule } = this.network;
    schedule.after(random.waitMs(this.workload.writeEveryMs), () => {
      if (this.#isOver) return;
      const process = random.pick(this.network.alive);
      if (process !== undefined && !process.isBlocked) this.#turn(process);
      this.#next();
    });
  }

  #turn(process: Process): void {
    const { random } = this.network;
    if (random.chance(this.workload.seekShare)) {
      process.seek(
        random.chance(0.5) ? this.#key() : `never-${String(random.below(9))}`,
        random.between(0, SEEK_MS_MAX),
      );
      return;
    }
    const isPublishing = random.chance(this.workload.publishShare);
    if (isPublishing && random.chance(0.5)) this.#publish(process);
    this.#write(process);
    if (isPublishing) this.#publish(process);
    process.flush();
    if (random.chance(this.workload.confirmShare)) process.confirm(random.between(0, CONFIRM_MS_MAX));
    if (random.chance(this.workload.demandShare)) process.demand();
  }

  #publish(process: Process): void {
    const { random, tallies } = this.network;
    for (let count = random.wholeBetween(1, PUBLICATIONS_MAX); count > 0; count -= 1) {
      this.#publications += 1;
      tallies.add("publications");
      const isLarge = random.chance(this.workload.largeShare);
      const length = isLarge ? random.below(this.workload.largeBytesMax) : random.below(100);
      process.publish(random.pick(CHANNELS) ?? "", `${String(this.#publications)}-`.padEnd(length, "."));
    }
  }

  #write(process: Process): void {
    const { random, tallies } = this.network;
    const isBurst = random.chance(this.workload.burstShare);
    const count = isBurst ? random.wholeBetween(1, this.workload.burstKeysMax) : random.wholeBetween(1, 3);
    const writes = [];
    for (let i = 0; i < count; i += 1) {
      const isDelete = random.chance(this.workload.deleteShare);
      const expires = !isDelete && random.chance(this.workload.expiringShare);
      const { expiresMsMax } = this.workload;
      const inMs = random.wholeBetween(-expiresMsMax * LATE_SHARE, expiresMsMax);
      const clockMs = Math.floor(process.replica.correctedMs(process.host.wallMs));
      const expiresAtMs = expires ? Math.max(0, clockMs + inMs) : undefined;
      writes.push({ key: this.#key(), value: isDelete ? undefined : this.#value(), expiresAtMs });
    }
    tallies.add("writes", count);
    process.write(writes);
  }

  #key(): string {
    const { random } = this.network;
    if (random.chance(this.workload.hotShare)) return `hot-${String(random.below(this.workload.hotKeys))}`;
    return `key-${String(random.below(this.workload.spreadKeys))}`;
  }

  #value(): string {
    const { random } = this.network;
    this.#writes += 1;
    const isLarge = random.chance(this.workload.largeShare);
    const length = isLarge
      ? random.wholeBetween(LARGE_BYTES_MIN, this.workload.largeBytesMax)
      : random.wholeBetween(0, this.workload.valueBytesMax);
    return `${String(this.#writes)}-`.padEnd(length, String.fromCharCode(random.below(256)));
  }
}
