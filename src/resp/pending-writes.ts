/**
 * Replies leave together, when everything that the sockets had to be read is carried out.
 *
 * A reply that is written at once wakes its client, which on a busy machine takes the processor from the server between
 * two requests. Redis keeps replies until the end of its loop's turn for the same reason.
 */

interface Writer {
  /** Hands to the socket what is to be sent. */
  writePending(): void;
}

export class PendingWrites {
  #writers: Writer[] = [];

  /** The writer writes at the end of this turn of the event loop. It comes once until then. */
  add(writer: Writer): void {
    if (this.#writers.length === 0) setImmediate(() => this.flush());
    this.#writers.push(writer);
  }

  /** They write now. */
  flush(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const writer of writers) writer.writePending();
  }
}
