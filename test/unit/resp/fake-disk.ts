import type { LankvError } from "../../../src/core/error.js";
import type { Durability } from "../../../src/resp/keyspace.js";

interface Wait {
  readonly ticket: number;
  readonly end: (failure: LankvError | undefined) => void;
}

/** A disk that syncs and fails when the test says so. As the real one, it counts a key once until it is saved. */
export class FakeDisk implements Durability {
  writes = 0;
  ticket = 0;
  durable = 0;
  syncs = 0;
  /** How often somebody asked to be called back. */
  asked = 0;
  readonly #unsaved = new Set<string>();
  #waits: Wait[] = [];

  add(key: string): void {
    this.writes += 1;
    if (!this.#unsaved.has(key)) this.ticket += 1;
    this.#unsaved.add(key);
  }

  /** How many wait to be called back. */
  get waiting(): number {
    return this.#waits.length;
  }

  onDurable(ticket: number, end: Wait["end"]): () => void {
    this.asked += 1;
    const wait = { ticket, end };
    this.#waits.push(wait);
    return () => {
      this.#waits = this.#waits.filter((each) => each !== wait);
    };
  }

  sync(): void {
    this.#unsaved.clear();
    this.syncUpTo(this.ticket);
  }

  syncUpTo(ticket: number): void {
    this.syncs += 1;
    this.durable = ticket;
    const over = this.#waits.filter((wait) => wait.ticket <= ticket);
    this.#waits = this.#waits.filter((wait) => wait.ticket > ticket);
    for (const { end } of over) end(undefined);
  }

  fail(failure: LankvError): void {
    for (const { end } of this.#waits.splice(0)) end(failure);
  }
}
