/** Everybody who waits in this process until peers have confirmed what was written here. */

/** The longest time that a timer can be set to, milliseconds: 24 days. */
const TIMER_MS_MAX = 2_147_483_647;

interface Wait {
  /** Number of the message of the own stream up to which everything is to be held. */
  readonly seq: number;
  readonly peers: number;
  readonly end: () => void;
}

export class ReceiptWaits {
  readonly #waits = new Set<Wait>();
  /** What each linked peer had confirmed at the last look; nothing when nobody waited then. */
  #seen: readonly number[] = [];
  #wanted = 0;
  #isEnded = false;

  /**
   * @param confirmations up to which message each linked peer has confirmed everything
   * @param want is told up to which message peers are to be asked; 0 = not any more
   */
  constructor(
    private readonly confirmations: () => readonly number[],
    private readonly want: (seq: number) => void,
  ) {}

  /**
   * Waits until so many peers have confirmed everything up to `seq`, the time is up, or the signal is aborted.
   * @param timeoutMs 0 = no limit but the signal
   * @returns how many have
   */
  async until(seq: number, peers: number, timeoutMs: number, signal: AbortSignal): Promise<number> {
    const isToWait = this.#countOf(seq) < peers && !signal.aborted && !this.#isEnded;
    if (isToWait) await this.#wait(seq, peers, timeoutMs, signal);
    return this.#countOf(seq);
  }

  /** Something may have changed: what a peer has confirmed, or which are linked. To be called whenever it may. */
  look(): void {
    if (this.#waits.size === 0) {
      this.#seen = [];
      return;
    }
    const now = [...this.confirmations()].sort((a, b) => b - a);
    if (now.length === this.#seen.length && now.every((seq, at) => seq === this.#seen[at])) return;
    this.#seen = now;
    for (const { seq, peers, end } of this.#waits) {
      const least = now[peers - 1];
      if (least !== undefined && least >= seq) end();
    }
  }

  /** Nobody waits any longer, now or later. */
  end(): void {
    this.#isEnded = true;
    for (const wait of this.#waits) wait.end();
  }

  async #wait(seq: number, peers: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        if (!this.#waits.delete(wait)) return;
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        // Asking for more than the rest wait for does no harm, and looking through them all would cost.
        if (this.#waits.size === 0) this.#tell(0);
        resolve();
      };
      const wait = { seq, peers, end };
      const timer = timeoutMs === 0 ? undefined : setTimeout(end, Math.min(timeoutMs, TIMER_MS_MAX));
      signal.addEventListener("abort", end);
      this.#waits.add(wait);
      this.#tell(Math.max(seq, this.#wanted));
    });
  }

  #tell(wanted: number): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.want(wanted);
  }

  #countOf(seq: number): number {
    return this.confirmations().filter((confirmed) => confirmed >= seq).length;
  }
}
