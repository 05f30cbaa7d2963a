/**
 * What a round of cleaning could not free, though by the reckoning it does not count: the reckoning leaves out the versions
 * that a record replaces, for one.
 *
 * Where it is not allowed for, the next round is due when one is over, and an idle node writes its log anew for ever. But
 * to allow for it is to let so much more gather, so on a disk that has little room it is done only after a round that was
 * nearly *vain*.
 */

/** A round that freed less than so much of what there is was nearly vain. */
const VAIN_SHARE = 0.125;

export class Surplus {
  /** What there was when the round began; undefined = there was none yet. */
  #before: number | undefined;
  #savedInRound = 0;
  #bytes = 0;
  #vainBytes = 0;

  /** Bytes that the last round left beyond what counts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The same, when that round was nearly vain; else 0. */
  get vainBytes(): number {
    return this.#vainBytes;
  }

  handleSaved(bytes: number): void {
    this.#savedInRound += bytes;
  }

  /** A round begins, and the one before is over: what is there and was not saved during it does count. */
  beginRound(bytes: number, live: number): void {
    const [before, saved] = [this.#before, this.#savedInRound];
    this.#before = bytes;
    this.#savedInRound = 0;
    if (before === undefined) return;
    this.#bytes = Math.max(0, bytes - live - saved);
    this.#vainBytes = before + saved - bytes < VAIN_SHARE * bytes ? this.#bytes : 0;
  }

  /** What could not be freed may be by now. */
  tryAgain(): void {
    this.#vainBytes = 0;
  }
}
