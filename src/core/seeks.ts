/**
 * Keys that somebody here waits for while they are missing: every linked peer is asked once, until one has
 * the key, all have answered that they lack it, or the time is up. A peer that is still loading or pulling may lack what it
 * is about to have: it is asked at once, and again when it is settled.
 */
import type { Bytes } from "./bytes.js";
import type { Peer } from "./peer.js";
import type { Answered, Question, Questions } from "./questions.js";
import type { Asker } from "./reconcile.js";
import type { RecordMap } from "./record-map.js";
import type { Writer } from "./version.js";

/** How many keys may be waited for at once; the next is answered from what is held. */
export const SEEKS_MAX = 10_000;
const KEYS_PER_QUESTION = 256;

interface Seek {
  untilMs: number;
  /** Who was asked, and whether its answer counts. */
  readonly asked: Map<Writer, boolean>;
}

export class Seeks {
  readonly #seeks = new Map<Bytes, Seek>();

  constructor(
    private readonly map: RecordMap,
    private readonly questions: Questions,
    private readonly ask: Asker,
    private readonly onEnd: (key: Bytes) => void,
  ) {}

  add(key: Bytes, untilMs: number): void {
    const seek = this.#seeks.get(key);
    if (seek !== undefined) seek.untilMs = Math.max(seek.untilMs, untilMs);
    else if (this.#seeks.size < SEEKS_MAX) this.#seeks.set(key, { untilMs, asked: new Map() });
    else this.onEnd(key);
  }

  /** @param isLive whether the linked peers are all that there are to ask */
  pump(linked: readonly Peer[], isLive: boolean, nowMs: number): void {
    if (this.#seeks.size === 0) return;
    for (const [key, seek] of this.#seeks) {
      const isAnswered = isLive && linked.every((peer) => seek.asked.get(peer.writer) === true);
      if (this.map.head(key) === undefined && !isAnswered && nowMs < seek.untilMs) continue;
      this.#seeks.delete(key);
      this.onEnd(key);
    }
    for (const peer of linked) {
      if (!this.questions.isAsking(peer, "keys")) this.#askPeer(peer, nowMs);
    }
  }

  /** @param next index of the first key that the answer left out; undefined = none. Those are asked for again */
  handleAnswered({ ask, to, next }: Answered, { isSettled }: { readonly isSettled: boolean }): void {
    if (ask.of !== "keys") return;
    for (const [index, key] of ask.keys.entries()) {
      const asked = this.#seeks.get(key)?.asked;
      if (next === undefined || index < next) asked?.set(to, isSettled);
      else asked?.delete(to);
    }
  }

  handleLost(question: Question): void {
    this.handleAnswered({ ...question, next: 0 }, { isSettled: false });
  }

  get wakeAtMs(): number {
    let at = Infinity;
    for (const { untilMs } of this.#seeks.values()) at = Math.min(at, untilMs);
    return at;
  }

  #askPeer(peer: Peer, nowMs: number): void {
    const keys: Bytes[] = [];
    for (const [key, seek] of this.#seeks) {
      if (keys.length >= KEYS_PER_QUESTION) break;
      const isAnswered = seek.asked.get(peer.writer);
      if (isAnswered === true || (isAnswered === false && !peer.isSettled)) continue;
      seek.asked.set(peer.writer, false);
      keys.push(key);
    }
    if (keys.length > 0) this.ask(peer, { of: "keys", keys }, nowMs);
  }
}
