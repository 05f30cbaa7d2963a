/**
 * Repair: asking a writer for the part of its stream that did not arrive.
 *
 * A gap in the numbers is a loss for certain and asked for at once; a head beyond what arrived may be in flight, and
 * is given 100 ms. What has fallen off the writer's ring is given up here and left to the fingerprints.
 */
import type { AnswerMessage } from "./message.js";
import type { Peer } from "./peer.js";
import type { Question, Questions } from "./questions.js";
import type { Asker, Reconcile } from "./reconcile.js";
import { InStream } from "./stream.js";
import type { Writer } from "./version.js";

/** How long a head beyond what arrived is taken for being in flight. */
export const IN_FLIGHT_MS = 100;
/** How many streams are remembered, also of processes that are gone. */
export const STREAMS_MAX = 1_024;

export class Repair {
  /** Streams of all processes heard, the latest last; a peer that returns goes on where it was. */
  readonly #streams = new Map<Writer, InStream>();

  constructor(
    private readonly questions: Questions,
    private readonly ask: Asker,
    private readonly reconcile: Reconcile,
  ) {}

  /**
   * The peer's stream, as far as it arrived. One never seen before starts at `head`: what is older comes by
   * fingerprints.
   */
  streamOf(peer: Peer, head: number): InStream {
    if (peer.stream !== undefined) return peer.stream;
    const stream = this.#streams.get(peer.writer) ?? new InStream(head);
    this.#streams.delete(peer.writer);
    this.#streams.set(peer.writer, stream);
    const oldest = this.#streams.keys().next();
    if (this.#streams.size > STREAMS_MAX && oldest.done !== true) this.#streams.delete(oldest.value);
    peer.stream = stream;
    return stream;
  }

  /** Asks for what has been lacking for long enough. */
  pump(linked: readonly Peer[], nowMs: number): void {
    for (const peer of linked) {
      const range = peer.stream?.missing();
      if (peer.stream === undefined || range === undefined) {
        peer.lackingSinceMs = undefined;
        continue;
      }
      peer.lackingSinceMs ??= nowMs;
      const isRipe = peer.stream.isUrgent || nowMs >= peer.lackingSinceMs + IN_FLIGHT_MS;
      if (!isRipe || this.questions.isAsking(peer, "stream") || !this.questions.hasRoom(peer)) continue;
      this.ask(peer, { of: "stream", range }, nowMs);
    }
  }

  handleAnswered(question: Question, peer: Peer, answer: AnswerMessage): void {
    if (question.ask.of !== "stream" || peer.stream === undefined) return;
    const { from, to } = question.ask.range;
    if (answer.tail > from) {
      // The round finds all that lacks, so nothing more is asked of the stream: each gap would start a round of its own.
      peer.stream.receive(from, peer.stream.head);
      this.reconcile.hurry(peer);
      return;
    }
    const answeredTo = Math.min(answer.next === undefined ? to : answer.next - 1, to);
    if (answeredTo >= from) peer.stream.receive(from, answeredTo);
  }

  /** When something that lacks becomes ripe; Infinity when nothing lacks, it is being asked for, or has no room. */
  wakeAtMs(linked: readonly Peer[]): number {
    let at = Infinity;
    for (const peer of linked) {
      if (peer.lackingSinceMs === undefined || this.questions.isAsking(peer, "stream")) continue;
      if (!this.questions.hasRoom(peer)) continue;
      at = Math.min(at, peer.lackingSinceMs + IN_FLIGHT_MS);
    }
    return at;
  }
}
