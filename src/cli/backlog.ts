/**
 * Changes of keys that wait to be shown: of each key the latest, so that who shows them slowly falls behind by no
 * more than there are keys.
 */
import type { Bytes } from "../core/bytes.js";

/** How many keys may wait; changes of others are missed, and counted. With the longest keys that is 64 MiB. */
export const KEYS_WAITING_MAX = 65_536;

/** These only limit the life of what the key holds; SET with a time is followed by one. */
const LIFE_EVENTS: ReadonlySet<string> = new Set(["expire", "persist"]);

export class Backlog {
  readonly #events = new Map<Bytes, string>();
  #missed = 0;
  #isClosed = false;
  #wake: () => void = () => undefined;

  /**
   * A key that waits already keeps its place: one that changes all the time would never be shown otherwise. It gets
   * the new event, unless that says less than the one it has.
   */
  add(key: Bytes, event: string): void {
    if (this.#isClosed) return;
    const waiting = this.#events.get(key);
    if (waiting === undefined && this.#events.size >= KEYS_WAITING_MAX) {
      this.#missed += 1;
      return;
    }
    const saysLess = waiting !== undefined && LIFE_EVENTS.has(event) && !LIFE_EVENTS.has(waiting);
    this.#events.set(key, saysLess ? waiting : event);
    this.#wake();
  }

  /** Counts changes as missed that never came to wait. */
  miss(changes: number): void {
    this.#missed += changes;
  }

  /** From now on nothing is waited for; what waits is missed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#missed += this.#events.size;
    this.#events.clear();
    this.#wake();
  }

  /**
   * Waits until there is something.
   * @param max at most so many are taken
   * @returns keys with their events, in the order in which they came to wait; none once it is closed
   */
  async take(max: number): Promise<readonly (readonly [key: Bytes, event: string])[]> {
    while (this.#events.size === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#isClosed) return [];
    const taken: [Bytes, string][] = [];
    for (const [key, event] of this.#events) {
      if (taken.length === max) break;
      taken.push([key, event]);
      this.#events.delete(key);
    }
    return taken;
  }

  /** How many changes were missed since this was last asked. */
  takeMissed(): number {
    const missed = this.#missed;
    this.#missed = 0;
    return missed;
  }
}
