/**
 * When beacons and ticks go out.
 *
 * One beacon and one tick each second, but a tick every two seconds while there is nothing new to tell and everybody
 * holds the same: the beacons go on, and five idle nodes stay below a kilobyte a second each. A burst of three hellos when this node or its network is new, and an answer to
 * whoever is new, at once, or spread over a moment when there are many who answer. So joining takes milliseconds and
 * not a beacon's period, and twenty nodes that start together do not shout all at once.
 */
import type { Now } from "./effect.js";

/** Time between two beacons, and between two ticks. */
export const BEACON_EVERY_MS = 1_000;
/** Time between two ticks while nothing changes: below the silence at which a peer turns quiet. */
export const STILL_TICK_EVERY_MS = 2_000;
/** When the hellos of a burst go out, after it began. */
const HELLO_AT_MS = [0, 100, 300];
/** The moment over which answers are spread, for each node that may answer; and in all. */
const SPREAD_PER_PEER_MS = 4;
const SPREAD_MAX_MS = 250;
/** Least time between a beacon and one that answers, so that no flood of hellos becomes a flood of answers. */
const ANSWER_AFTER_MS = 20;
/** How often departed nodes are called. */
export const CALL_DEPARTED_EVERY_MS = 15_000;

/** What is to be sent now. */
export interface Announcement {
  readonly beacon: "hello" | "plain" | undefined;
  readonly tick: boolean;
  readonly callDeparted: boolean;
}

export class Announcer {
  #hellosAtMs: number[] = [];
  #beaconAtMs = Infinity;
  #lastBeaconAtMs = -Infinity;
  #tickAtMs = Infinity;
  #lastTickAtMs = -Infinity;
  /** Whether somebody waits for the next tick. */
  #isTickAwaited = false;
  #callAtMs = Infinity;

  /** @param isStill whether nothing has changed since the last tick, and every peer holds the same */
  constructor(
    private readonly random: () => number,
    private readonly isStill: () => boolean,
  ) {}

  /** This node, or its network, is new. */
  hello(now: Now): void {
    this.#hellosAtMs = HELLO_AT_MS.map((after) => now.monoMs + after);
    this.#beaconAtMs = now.monoMs + BEACON_EVERY_MS;
    this.#tickAtMs = Math.min(this.#tickAtMs, now.monoMs + BEACON_EVERY_MS * this.random());
    this.#callAtMs = now.monoMs;
  }

  /** Somebody new was heard: answer with a beacon. */
  answerBeacon(peers: number, now: Now): void {
    const atMs = Math.max(now.monoMs + this.#spread(peers), this.#lastBeaconAtMs + ANSWER_AFTER_MS);
    this.#beaconAtMs = Math.min(this.#beaconAtMs, atMs);
  }

  /** Somebody waits for a tick: who has just subscribed, to be shown that the connection works, or whoever is to compare itself. */
  tickSoon(peers: number, now: Now): void {
    this.#isTickAwaited = true;
    this.#tickAtMs = Math.min(this.#tickAtMs, now.monoMs + this.#spread(peers));
  }

  /** What is to be said now. */
  due(now: Now): Announcement {
    const isHello = (this.#hellosAtMs[0] ?? Infinity) <= now.monoMs;
    if (isHello) this.#hellosAtMs = this.#hellosAtMs.filter((at) => at > now.monoMs);
    const isBeacon = this.#beaconAtMs <= now.monoMs;
    if (isBeacon) {
      this.#beaconAtMs = now.monoMs + BEACON_EVERY_MS;
      this.#lastBeaconAtMs = now.monoMs;
    }
    const tick = this.#isTickDue(now.monoMs);
    const callDeparted = (isHello || isBeacon) && this.#callAtMs <= now.monoMs;
    if (callDeparted) this.#callAtMs = now.monoMs + CALL_DEPARTED_EVERY_MS;
    return { beacon: isHello ? "hello" : isBeacon ? "plain" : undefined, tick, callDeparted };
  }

  get wakeAtMs(): number {
    return Math.min(this.#hellosAtMs[0] ?? Infinity, this.#beaconAtMs, this.#tickAtMs);
  }

  #isTickDue(nowMs: number): boolean {
    if (this.#tickAtMs > nowMs) return false;
    this.#tickAtMs = nowMs + BEACON_EVERY_MS;
    const stillUntilMs = this.#lastTickAtMs + STILL_TICK_EVERY_MS;
    if (!this.#isTickAwaited && nowMs < stillUntilMs && this.isStill()) {
      this.#tickAtMs = stillUntilMs;
      return false;
    }
    this.#isTickAwaited = false;
    this.#lastTickAtMs = nowMs;
    return true;
  }

  #spread(peers: number): number {
    return peers <= 2 ? 0 : this.random() * Math.min(SPREAD_PER_PEER_MS * peers, SPREAD_MAX_MS);
  }
}
