/**
 * Replies leave together, when everything that the sockets had to be read is carried out, or those of so many clients are there.
 *
 * A reply that is written at once wakes its client, which on a busy machine takes the processor from the server between
 * two requests. Redis keeps replies until the end of its loop's turn for the same reason. But while fifty clients are read none of
 * them could go on, though another processor had nothing else to do.
 */

/** So many clients wait for each other. */
const TOGETHER_MAX = 16;

interface Writer {
  /** Hands to the socket what is to be sent. */
  writePending(): void;
}

export class PendingWrites {
  #writers: Writer[] = [];
  #isPlanned = false;

  /** The writer writes by the end of this turn of the event loop, but not before this returns. It comes once until then. */
  add(writer: Writer): void {
    if (this.#writers.length >= TOGETHER_MAX) this.flush();
    if (!this.#isPlanned) {
      this.#isPlanned = true;
      setImmediate(() => {
        this.#isPlanned = false;
        this.flush();
      });
    }
    this.#writers.push(writer);
  }

  /** They write now. */
  flush(): void {
    const writers = this.#writers;
    this.#writers = [];
    for (const writer of writers) writer.writePending();
  }
}
