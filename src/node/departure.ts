/**
 * When what was written leaves for the peers: at the end of the turn of the event loop, or, when turns bring much and
 * follow each other closely, a few turns together.
 *
 * A message costs as much as many records, here and at each peer: a system call, a thread that is woken, and a turn of
 * the peer's event loop. Fifty clients that wait for their replies make thousands of turns a second of twenty writes each.
 * A client that writes alone makes as many turns, of one write, and is not to wait: so the turn's size decides.
 */
import { monoMs } from "./ambient.js";

/** What full turns bring is gathered for so long; the peers have it so much later. */
const GATHER_MS = 4;
/** A turn with fewer writes leaves at once. */
const FULL_TURN_WRITES = 8;

export class Departure {
  readonly #leave: () => void;
  #leftAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** @param leave sends what was written */
  constructor(leave: () => void) {
    this.#leave = leave;
  }

  /** A turn has ended that brought so many writes. @returns whether they have left */
  endTurn(writes: number): boolean {
    if (writes < FULL_TURN_WRITES || monoMs() >= this.#leftAtMs + GATHER_MS) {
      this.now();
      return true;
    }
    this.#timer ??= setTimeout(() => {
      this.now();
    }, GATHER_MS);
    return false;
  }

  /** Everything leaves now. */
  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#leftAtMs = monoMs();
    this.#leave();
  }
}
