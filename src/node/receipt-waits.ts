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
  #told = 0;
  #isEnded = false;

  /**
   * @param countOf how many peers have confirmed everything up to a message
   * @param want is told up to which message peers are to be asked; 0 = not any more
   */
  constructor(
    private readonly countOf: (seq: number) => number,
    private readonly want: (seq: number) => void,
  ) {}

  /**
   * Waits until so many peers have confirmed everything up to `seq`, the time is up, or the signal is aborted.
   * @param timeoutMs 0 = no limit but the signal
   * @returns how many have
   */
  async until(seq: number, peers: number, timeoutMs: number, signal: AbortSignal): Promise<number> {
    const isToWait = this.countOf(seq) < peers && !signal.aborted && !this.#isEnded;
    if (isToWait) await this.#wait(seq, peers, timeoutMs, signal);
    return this.countOf(seq);
  }

  /** A peer has confirmed more. */
  look(): void {
    for (const wait of this.#waits) if (this.countOf(wait.seq) >= wait.peers) wait.end();
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
        this.#tell();
        resolve();
      };
      const wait = { seq, peers, end };
      const timer = timeoutMs === 0 ? undefined : setTimeout(end, Math.min(timeoutMs, TIMER_MS_MAX));
      signal.addEventListener("abort", end);
      this.#waits.add(wait);
      this.#tell();
    });
  }

  #tell(): void {
    let most = 0;
    for (const { seq } of this.#waits) most = Math.max(most, seq);
    if (most === this.#told) return;
    this.#told = most;
    this.want(most);
  }
}
