/**
 * Replies leave together, when everything that the sockets had to be read is carried out, or those of so many clients are there.
 *
 * A reply that is written at once wakes its client, which on a busy machine takes the processor from the server between
 * two requests. Redis keeps replies until the end of its loop's turn for the same reason. But while fifty clients are read none of
 * them could go on, though another processor had nothing else to do. Not where clients send many requests at once: a turn is long then,
 * and those that are read last would wait for nearly two.
 */

/** So many clients wait for each other, unless they have sent more requests than this for each. */
const TOGETHER_MAX = 16;
const REQUESTS_EACH_MAX = 2;

interface Writer {
  /** Hands to the socket what is to be sent. */
  writePending(): void;
}

export class PendingWrites {
  #writers: Writer[] = [];
  #requests = 0;
  #isPlanned = false;

  /** The writer writes by the end of this turn of the event loop, but not before this returns. It comes once until then. */
  add(writer: Writer): void {
    const mayLeave = this.#requests <= REQUESTS_EACH_MAX * this.#writers.length;
    if (this.#writers.length >= TOGETHER_MAX && mayLeave) this.flush();
    if (!this.#isPlanned) {
      this.#isPlanned = true;
      setImmediate(() => {
        this.#isPlanned = false;
        this.flush();
      });
    }
    this.#writers.push(writer);
  }

  /** A writer has carried out so many requests. */
  count(requests: number): void {
    this.#requests += requests;
  }

  /** They write now. */
  flush(): void {
    const writers = this.#writers;
    this.#requests = 0;
    this.#writers = [];
    for (const writer of writers) writer.writePending();
  }
}
