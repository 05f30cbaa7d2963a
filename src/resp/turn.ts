/** How long one client may have its requests carried out, or a long one in parts, before it gives way to the others. */

/** Milliseconds after which a client gives way to the others. */
const TURN_MS = 8;
/** Requests of a turn after which the clock is looked at first: it costs a tenth of a request. */
const REQUESTS_FIRST = 8;
/** Requests after which it is looked at again; after each, when the turn before was too long. */
const REQUESTS_A_LOOK = 64;

export class Turn {
  #endsAtMs = 0;
  #requests = 0;
  #lookAt = 0;
  #requestsALook = REQUESTS_A_LOOK;
  #isOver = false;

  begin(): void {
    // The turn before was too long.
    const isSlow = this.#isOver;
    if (isSlow) this.#start();
    this.#requestsALook = isSlow ? 1 : REQUESTS_A_LOOK;
    this.#lookAt = isSlow ? 1 : REQUESTS_FIRST;
    this.#requests = 0;
    this.#isOver = false;
  }

  /** Carried out since it began. */
  get requests(): number {
    return this.#requests;
  }

  /** A request was carried out. @returns whether the client must give way now */
  count(): boolean {
    this.#requests += 1;
    // Most turns are of one request, and need no clock.
    if (this.#requests === 2 && this.#requestsALook > 1) this.#start();
    if (this.#requests < this.#lookAt) return false;
    this.#lookAt += this.#requestsALook;
    this.#isOver = performance.now() > this.#endsAtMs;
    return this.#isOver;
  }

  #start(): void {
    this.#endsAtMs = performance.now() + TURN_MS;
  }
}
