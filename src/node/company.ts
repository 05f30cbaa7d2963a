/**
 * Whom a sync waits for: the writers that the one before has released, who are about to write again.
 *
 * While a sync is under way others write, and wait for the next. If that began at once, there would be two groups that never
 * meet, and twice as many syncs as there need be. So it waits until as many changes are there as there were writers
 * in both, but no longer than a share of what a sync takes: who writes alone waits for nobody.
 *
 * Where a sync takes less time than answering the writers, they cannot be back by then, and two groups are the better way: while
 * one is on its way to the disk, the other is answered. So waiting that was in vain is not repeated at once. But groups come apart
 * more and more, and a sync for five takes as long as one for forty: so a half of them is waited for instead, unless that was in vain, too.
 */

/** Waiting costs no more than so much of a sync, and no longer than this, from when the writers have been answered. */
const WAIT_SHARE = 0.5;
const WAIT_MS_MAX = 2;
/** Whoever writes so long after a sync was not released by it. */
const LATE_MS = 10;
/** After waiting in vain it is not done for so many syncs: twice as many each time, up to this. */
const APART_MAX = 256;

/** A share of the writers that may be waited for, and for how many syncs it is not, since that was in vain. */
class Trial {
  readonly share: number;
  #left = 0;
  #last = 0;

  constructor(share: number) {
    this.share = share;
  }

  /** Whether it may be tried after this sync; to be asked once for each. */
  isDue(): boolean {
    if (this.#left === 0) return true;
    this.#left -= 1;
    return false;
  }

  note(wasInVain: boolean): void {
    this.#last = wasInVain ? Math.min(2 * this.#last + 1, APART_MAX) : 0;
    this.#left = this.#last;
  }
}

export class Company {
  /** The first that is due is tried. */
  readonly #trials = [new Trial(1), new Trial(0.5)];
  #trial: Trial | undefined;
  /** How many changes are waited for; 0 = none. */
  #expected = 0;
  #waitMs = 0;
  #syncedAtMs = -Infinity;
  /** Undefined = it is not waited yet. */
  #untilMs: number | undefined;

  /** A sync has ended. @param waiting changes that came while it was under way */
  handleSynced({ changes, waiting, tookMs }: SyncEnd, nowMs: number): void {
    this.#trial = this.#trials.find((trial) => trial.isDue());
    this.#expected = (changes + waiting) * (this.#trial?.share ?? 0);
    this.#waitMs = Math.min(tookMs * WAIT_SHARE, WAIT_MS_MAX);
    this.#syncedAtMs = nowMs;
    this.#untilMs = undefined;
  }

  /** Ends the wait when so many changes wait for the next sync that nobody is waited for any more. @returns whether nobody is */
  endIfComplete(waiting: number): boolean {
    if (waiting < this.#expected) return false;
    this.#endWait(false);
    return true;
  }

  /** Whether the next sync, for which so many changes wait, should wait for more. The writers have been answered. */
  isAwaited(waiting: number, nowMs: number): boolean {
    if (this.endIfComplete(waiting)) return false;
    if (this.#untilMs === undefined && nowMs > this.#syncedAtMs + LATE_MS) {
      this.#expected = 0;
      return false;
    }
    this.#untilMs ??= nowMs + this.#waitMs;
    if (nowMs < this.#untilMs) return true;
    this.#endWait(true);
    return false;
  }

  #endWait(wasInVain: boolean): void {
    if (this.#expected === 0) return;
    this.#expected = 0;
    this.#trial?.note(wasInVain);
  }
}

interface SyncEnd {
  readonly changes: number;
  readonly waiting: number;
  readonly tookMs: number;
}
