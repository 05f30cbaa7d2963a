/**
 * Whom a sync waits for: the writers that the one before has released, who are about to write again.
 *
 * While a sync is under way others write, and wait for the next. If that began at once, there would be two groups that never
 * meet, and twice as many syncs as there need be. So it waits until as many changes are there as there were writers
 * in both, but no longer than a share of what a sync takes: who writes alone waits for nobody.
 */

/** Waiting costs no more than so much of a sync, and no longer than this. */
const WAIT_SHARE = 0.5;
const WAIT_MS_MAX = 2;

export class Company {
  #expected = 0;
  #untilMs = -Infinity;

  /** A sync has ended. @param waiting changes that came while it was under way */
  handleSynced({ changes, waiting, tookMs }: SyncEnd, nowMs: number): void {
    this.#expected = changes + waiting;
    this.#untilMs = nowMs + Math.min(tookMs * WAIT_SHARE, WAIT_MS_MAX);
  }

  /** Whether the next sync, for which so many changes wait, should wait for more. */
  isAwaited(waiting: number, nowMs: number): boolean {
    return waiting < this.#expected && nowMs < this.#untilMs;
  }
}

interface SyncEnd {
  readonly changes: number;
  readonly waiting: number;
  readonly tookMs: number;
}
