/** The latest concurrent writes that lost: a ring, bounded in number and in bytes. */
import type { KvRecord } from "./record.js";
import { versionToText } from "./version.js";

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
  /** Which are in the ring: a loser may be delivered many times. */
  readonly #known = new Set<string>();
  #bytes = 0;
  #count = 0;

  /** How many were found since the start. */
  get count(): number {
    return this.#count;
  }

  /** @returns whether the loss was not known before */
  add(conflict: Conflict): boolean {
    const name = nameOf(conflict);
    if (this.#known.has(name)) return false;
    this.#known.add(name);
    this.#count += 1;
    this.#bytes += bytesOf(conflict);
    this.#ring.push(conflict);
    while (this.#ring.length > CONFLICTS_MAX || (this.#bytes > CONFLICT_BYTES_MAX && this.#ring.length > 1)) {
      const oldest = this.#ring.shift();
      if (oldest === undefined) continue;
      this.#bytes -= bytesOf(oldest);
      this.#known.delete(nameOf(oldest));
    }
    return true;
  }

  /** The remembered ones, oldest first. */
  list(): readonly Conflict[] {
    return [...this.#ring];
  }
}

function bytesOf({ winner, loser }: Conflict): number {
  return winner.value.length + loser.value.length;
}

function nameOf({ winner, loser }: Conflict): string {
  return `${versionToText(winner)} ${versionToText(loser)}`;
}
