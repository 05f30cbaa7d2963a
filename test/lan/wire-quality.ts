/** What is wrong with a wire, in each direction. */
export interface WireQuality {
  /** Of each hundred frames, how many get lost. Default: 0. */
  lossPercent?: number;
  /** How long a frame is on its way. Default: 0. */
  delayMs?: number;
  /** How much the wire carries. Default: no limit. */
  rateMbit?: number;
}

/** What waits for its turn on a slow wire at most, as time: what comes on top of it is dropped. */
const queueMsMax = 200;

/**
 * One direction of a poor wire: it takes frames in, drops some, and says which are due. Time and chance are
 * given from outside, and frames never overtake each other.
 */
export class WireDirection<Frame> {
  readonly #quality: Required<WireQuality>;
  readonly #random: () => number;
  readonly #onTheWay: { frame: Frame; dueMs: number }[] = [];
  #freeAtMs = 0;

  constructor({ lossPercent = 0, delayMs = 0, rateMbit = Infinity }: WireQuality, random: () => number) {
    this.#quality = { lossPercent, delayMs, rateMbit };
    this.#random = random;
  }

  handleFrame(frame: Frame, bytes: number, nowMs: number): void {
    const { lossPercent, delayMs, rateMbit } = this.#quality;
    const startMs = Math.max(nowMs, this.#freeAtMs);
    if (startMs - nowMs > queueMsMax || this.#random() * 100 < lossPercent) return;
    this.#freeAtMs = startMs + (bytes * 8) / (rateMbit * 1000);
    this.#onTheWay.push({ frame, dueMs: this.#freeAtMs + delayMs });
  }

  /** Takes out the frames that have arrived by now. */
  due(nowMs: number): Frame[] {
    const waiting = this.#onTheWay.findIndex(({ dueMs }) => dueMs > nowMs);
    const arrived = this.#onTheWay.splice(0, waiting < 0 ? this.#onTheWay.length : waiting);
    return arrived.map(({ frame }) => frame);
  }

  /** When the next frame arrives; undefined when none is on its way. */
  get nextDueMs(): number | undefined {
    return this.#onTheWay[0]?.dueMs;
  }
}
