/** How records, and publications, are cut into messages. */
import type { KvRecord } from "./record.js";

/** Greatest size of a message's records or publications, unless one alone is larger. */
export const BATCH_BYTES_MAX = 64 * 1024;

/** About the bytes that a record takes in a message. */
export function recordBytes(record: KvRecord): number {
  return 24 + record.key.length + record.value.length + 12 * record.replaces.length;
}

/** Items in their order, cut as they come into batches of at most {@link BATCH_BYTES_MAX}; a larger one is a batch of its own. */
export class Batches<T> {
  readonly #bytesOf: (item: T) => number;
  #done: T[][] = [];
  #open: T[] = [];
  #openBytes = 0;
  #bytes = 0;

  /** @param bytesOf about the bytes that an item takes in a message */
  constructor(bytesOf: (item: T) => number) {
    this.#bytesOf = bytesOf;
  }

  /** About the bytes of all that is here. */
  get bytes(): number {
    return this.#bytes;
  }

  add(item: T): void {
    const bytes = this.#bytesOf(item);
    if (this.#open.length > 0 && this.#openBytes + bytes > BATCH_BYTES_MAX) this.#close();
    this.#open.push(item);
    this.#openBytes += bytes;
    this.#bytes += bytes;
  }

  /** Hands out the batches: none when nothing was added. */
  take(): readonly (readonly T[])[] {
    if (this.#open.length > 0) this.#close();
    const taken = this.#done;
    this.#done = [];
    this.#bytes = 0;
    return taken;
  }

  #close(): void {
    this.#done.push(this.#open);
    this.#open = [];
    this.#openBytes = 0;
  }
}
