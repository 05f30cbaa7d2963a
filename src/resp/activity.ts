/** Since when a connection is there, and since when it is silent. The clock is read once a second, not for each chunk. */
import { seconds } from "./clock.js";

export class Activity {
  readonly #beganAt = seconds();
  #activeAt = this.#beganAt;
  /** Something came or went since `#activeAt`. */
  #wasActive = false;

  /** Something came or went. */
  note(): void {
    this.#wasActive = true;
  }

  /** To be called each second. @returns the seconds of silence */
  look(): number {
    if (this.#wasActive) this.#activeAt = seconds();
    this.#wasActive = false;
    return this.idleSeconds;
  }

  get ageSeconds(): number {
    return seconds() - this.#beganAt;
  }

  get idleSeconds(): number {
    return this.#wasActive ? 0 : seconds() - this.#activeAt;
  }
}
