/**
 * Repair: asking a writer for the part of its stream that did not arrive.
 *
 * A gap in the numbers is a loss for certain and asked for at once; a head beyond what arrived may be in flight, and
 * is given 100 ms. What has fallen off the writer's ring is given up here and left to the fingerprints.
 */
import type { AnswerMessage, SetMessage } from "./message.js";
import type { Peer } from "./peer.js";
import type { Answered, Questions } from "./questions.js";
import type { Asker, Reconcile } from "./reconcile.js";
import { InStream } from "./stream.js";

/** How long a head beyond what arrived is taken for being in flight. */
export const IN_FLIGHT_MS = 100;

export class Repair {
  constructor(
    private readonly questions: Questions,
    private readonly ask: Asker,
    private readonly reconcile: Reconcile,
  ) {}

  /** A message of the peer's stream came. */
  handleSet({ seq, records }: SetMessage<unknown>, peer: Peer): void {
    const stream = this.#streamOf(peer, seq - 1);
    if (records.length === 0) stream.announce(seq);
    else stream.receive(seq, seq);
  }

  /** The peer has published so much; when the roots are equal, whatever of it did not arrive is here all the same. */
  handleHead(head: number, isEqual: boolean, peer: Peer): InStream {
    // Messages come in order, so whoever told of a greater head before was not this peer; but a goodbye, which is no
    // message of the mesh, overtakes what was sent before it.
    if (peer.stream !== undefined && peer.stream.head > head && !peer.isLeaving) peer.stream = undefined;
    const stream = this.#streamOf(peer, head);
    stream.observeHead(head);
    if (isEqual) stream.verify(head);
    return stream;
  }

  /**
   * The peer's stream, from `head` on. What is older, of one that is new or was gone, comes by fingerprints: they know
   * what came by way of others, where a question for a range would bring it again.
   */
  #streamOf(peer: Peer, head: number): InStream {
    if (peer.stream === undefined) {
      peer.stream = new InStream(head);
      this.reconcile.hurry(peer);
    }
    return peer.stream;
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

  /** @param answer the part that completed it: all parts say the same of the ring and of what was left out */
  handleAnswered(question: Answered, peer: Peer, answer: AnswerMessage<unknown>): void {
    if (question.ask.of !== "stream" || peer.stream === undefined) return;
    const { from, to } = question.ask.range;
    if (answer.tail > from) {
      // The round finds all that lacks, so nothing more is asked of the stream: each gap would start a round of its own.
      peer.stream.presume(from, peer.stream.head);
      this.reconcile.hurry(peer);
      return;
    }
    const answeredTo = Math.min(question.next === undefined ? to : question.next - 1, to);
    if (answeredTo < from) return;
    if (answer.omits) peer.stream.presume(from, answeredTo);
    else peer.stream.receive(from, answeredTo);
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
