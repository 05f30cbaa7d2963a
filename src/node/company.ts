/**
 * Whom a sync waits for: the writers that the one before has released, who are about to write again.
 *
 * While a sync is under way others write, and wait for the next. If that began at once, there would be two groups that never
 * meet, and twice as many syncs as there need be. So it waits until as many changes are there as there were writers
 * in both, but no longer than a share of what a sync takes: who writes alone waits for nobody.
 *
 * Where a sync takes less time than answering the writers, they cannot be back by then, and two groups are the better way: while
 * one is on its way to the disk, the other is answered. So waiting that was in vain is not repeated at once. But groups come apart
 * more and more, and a sync for five takes as long as one for forty: so a half of them is waited for all the same.
 */

/** Waiting costs no more than so much of a sync, and no longer than this, from when the writers have been answered. */
const WAIT_SHARE = 0.5;
const WAIT_MS_MAX = 2;
/** Whoever writes so long after a sync was not released by it. */
const LATE_MS = 10;
/** After waiting in vain so many syncs wait for a half only: twice as many each time, up to this. */
const APART_MAX = 256;

export class Company {
  /** How many changes are waited for; 0 = none. */
  #expected = 0;
  #waitMs = 0;
  #syncedAtMs = -Infinity;
  /** Undefined = it is not waited yet. */
  #untilMs: number | undefined;
  /** How many syncs are to wait for a half only, and how many were after the last time in vain. */
  #apart = 0;
  #apartLast = 0;

  /** A sync has ended. @param waiting changes that came while it was under way */
  handleSynced({ changes, waiting, tookMs }: SyncEnd, nowMs: number): void {
    const writers = changes + waiting;
    this.#expected = this.#apart > 0 ? writers / 2 : writers;
    this.#waitMs = Math.min(tookMs * WAIT_SHARE, WAIT_MS_MAX);
    this.#syncedAtMs = nowMs;
    this.#untilMs = undefined;
  }

  /** Whether nobody is waited for any more, when so many changes wait for the next sync. */
  isComplete(waiting: number): boolean {
    if (waiting < this.#expected) return false;
    this.#endWait(true);
    return true;
  }

  /** Whether the next sync, for which so many changes wait, should wait for more. The writers have been answered. */
  isAwaited(waiting: number, nowMs: number): boolean {
    if (this.isComplete(waiting)) return false;
    if (this.#untilMs === undefined && nowMs > this.#syncedAtMs + LATE_MS) this.#expected = 0;
    if (this.#expected === 0) return false;
    this.#untilMs ??= nowMs + this.#waitMs;
    if (nowMs < this.#untilMs) return true;
    this.#endWait(false);
    return false;
  }

  #endWait(isComplete: boolean): void {
    if (this.#expected === 0) return;
    this.#expected = 0;
    if (this.#apart > 0) this.#apart -= 1;
    else {
      this.#apartLast = isComplete ? 0 : Math.min(2 * this.#apartLast + 1, APART_MAX);
      this.#apart = this.#apartLast;
    }
  }
}

interface SyncEnd {
  readonly changes: number;
  readonly waiting: number;
  readonly tookMs: number;
}
