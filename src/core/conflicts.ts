/** The latest concurrent writes that lost: a ring, bounded in number and in bytes. */
import type { KvRecord } from "./record.js";

/** How many conflicts are remembered. */
export const CONFLICTS_MAX = 1_024;
/** How many bytes of losing values are remembered. */
export const CONFLICT_BYTES_MAX = 4 * 1024 * 1024;

/** `loser` was overwritten by `winner`, whose writer had not seen it. */
export interface Conflict {
  readonly winner: KvRecord;
  readonly loser: KvRecord;
  /** When this node found it, own wall clock, Unix milliseconds. */
  readonly foundAtMs: number;
}

export class Conflicts {
  readonly #ring: Conflict[] = [];
  #bytes = 0;
  #count = 0;

  /** How many were found since the start. */
  get count(): number {
    return this.#count;
  }

  add(conflict: Conflict): void {
    this.#count += 1;
    this.#bytes += bytesOf(conflict);
    this.#ring.push(conflict);
    while (this.#ring.length > CONFLICTS_MAX || (this.#bytes > CONFLICT_BYTES_MAX && this.#ring.length > 1)) {
      const oldest = this.#ring.shift();
      if (oldest !== undefined) this.#bytes -= bytesOf(oldest);
    }
  }

  /** The remembered ones, oldest first. */
  list(): readonly Conflict[] {
    return [...this.#ring];
  }
}

function bytesOf({ winner, loser }: Conflict): number {
  return winner.value.length + loser.value.length;
}
