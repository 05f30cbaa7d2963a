/**
 * Whom a sync waits for: the writers that the one before has released, who are about to write again.
 *
 * While a sync is under way others write, and wait for the next. If that began at once, there would be two groups that never
 * meet, and twice as many syncs as there need be. So it waits until as many changes are there as there were writers
 * in both, but no longer than a share of what a sync takes: who writes alone waits for nobody.
 *
 * Where a sync takes less time than answering the writers, they cannot be back by then, and two groups are the better way: while
 * one is on its way to the disk, the other is answered. So waiting that was in vain is not repeated at once.
 */

/** Waiting costs no more than so much of a sync, and no longer than this. */
const WAIT_SHARE = 0.5;
const WAIT_MS_MAX = 2;
/** After waiting in vain so many syncs wait for nobody: twice as many each time, up to this. */
const ALONE_MAX = 256;

export class Company {
  #expected = 0;
  #untilMs = -Infinity;
  /** How many syncs are to wait for nobody, and how many were after the last time in vain. */
  #alone = 0;
  #aloneLast = 0;

  /** A sync has ended. @param waiting changes that came while it was under way */
  handleSynced({ changes, waiting, tookMs }: SyncEnd, nowMs: number): void {
    this.#expected = this.#alone > 0 ? 0 : changes + waiting;
    this.#alone = Math.max(0, this.#alone - 1);
    this.#untilMs = nowMs + Math.min(tookMs * WAIT_SHARE, WAIT_MS_MAX);
  }

  /** Whether the next sync, for which so many changes wait, should wait for more. */
  isAwaited(waiting: number, nowMs: number): boolean {
    if (this.#expected === 0) return false;
    const isComplete = waiting >= this.#expected;
    if (!isComplete && nowMs < this.#untilMs) return true;
    this.#aloneLast = isComplete ? 0 : Math.min(2 * this.#aloneLast + 1, ALONE_MAX);
    this.#alone = this.#aloneLast;
    this.#expected = 0;
    return false;
  }
}

interface SyncEnd {
  readonly changes: number;
  readonly waiting: number;
  readonly tookMs: number;
}
