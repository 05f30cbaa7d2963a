/**
 * Anti-entropy: finding and pulling what differs, when nothing says what is missing.
 *
 * A round with one peer goes down the fingerprints: `list` (the own group sums), `list_answer` (the bucket sums of
 * the groups that differ), then questions for the buckets that differ. Its cost follows the difference, not
 * the number of keys. A node that has nothing skips the sums and asks for all buckets, several peers at once.
 *
 * When to start a round: the roots have differed for three ticks in a row while nothing was known to be missing; or
 * it is known that the difference is not in flight (a stream never seen before, or one that fell off its
 * writer's ring). Between nodes that are being written to, roots differ at almost every tick. So a tick counts for
 * less while this node writes, since its own writes are on their way to the peer, which alone can tell whether some
 * were lost; and each round doubles the time to the next, up to 30 s, until roots have been equal once.
 *
 * A peer that is loading or pulling will have more: roots that are equal then, or a round that began then, end no difference. It is
 * compared with once it says that it is live, at once: like any difference that is known not to be in flight, this does not wait for
 * the time of the next round. So nodes that start together, each with something that the others lack, hold the same in some round trips.
 *
 * Pull only: a round brings nothing to the peer, which sees the same difference and pulls for itself.
 */
import { differingBuckets } from "./answer.js";
import { BucketPull, type BucketRange } from "./bucket-pull.js";
import { BUCKETS } from "./hash.js";
import type { ListAnswerMessage } from "./message.js";
import type { Peer } from "./peer.js";
import type { Answered, Question, Questions } from "./questions.js";
import type { RecordMap } from "./record-map.js";
import type { InStream } from "./stream.js";

/** Ticks in a row with differing roots that start a round. */
export const DIFFERING_TICKS = 3;
/** The same while this node writes: such a tick counts for so much less, and exactly, for a quarter is a power of two. */
const WRITING_TICKS = 12;
/** As many as it takes where the difference is known not to be in flight: the next round does not wait either. */
const CERTAIN = Infinity;
const REST_MIN_MS = 1_000;
const REST_MAX_MS = 30_000;
/** About how many records a question for whole ranges should bring. */
const RECORDS_PER_QUESTION = 2_048;
const BUCKETS_PER_QUESTION_MIN = 64;
const BUCKETS_PER_QUESTION_MAX = 8_192;

/** Sends a question and keeps count of it. */
export type Asker = (peer: Peer, ask: Question["ask"], nowMs: number) => Question;

interface Round {
  /** With whom; undefined = with everybody who is linked. */
  readonly peer: Peer | undefined;
  /** Runs of buckets found to differ, while the sums are coming. */
  readonly ranges: BucketRange[];
  /** The question for the sums; undefined = to be asked, or asked again. */
  list: Question | undefined;
  /** What the peer had published of which stream when they were asked for: all of it is here when the round is done. */
  stream: InStream | undefined;
  head: number;
  /** Undefined while the sums are coming. */
  pull: BucketPull | undefined;
}

export class Reconcile {
  #round: Round | undefined;
  #notBeforeMs = 0;
  #restMs = REST_MIN_MS;
  #rounds = 0;

  constructor(
    private readonly map: RecordMap,
    private readonly questions: Questions,
    private readonly ask: Asker,
    private readonly random: () => number,
  ) {}

  /** Number of rounds that were carried to their end. */
  get rounds(): number {
    return this.#rounds;
  }

  get isIdle(): boolean {
    return this.#round === undefined;
  }

  /** When the next round may start; Infinity while one is under way, or none is due. */
  wakeAtMs(linked: readonly Peer[]): number {
    return this.#due(linked, Infinity).length > 0 ? this.#notBeforeMs : Infinity;
  }

  /**
   * The peer told its root.
   * @param head of the own stream
   */
  handleRoot(isEqual: boolean, peer: Peer, head: number): void {
    const hasWritten = peer.headAtTick !== undefined && peer.headAtTick !== head;
    peer.headAtTick = head;
    if (isEqual) {
      if (peer.isSettled) peer.differingTicks = 0;
      this.#restNoMore();
      // Its sums may be lost, and would be asked for again to find nothing.
      if (this.#round?.peer === peer) this.#round = undefined;
    } else if (peer.stream?.missing() === undefined && !this.isWith(peer))
      peer.differingTicks += hasWritten ? DIFFERING_TICKS / WRITING_TICKS : 1;
  }

  /** The difference is known not to be in flight. */
  hurry(peer: Peer): void {
    peer.differingTicks = CERTAIN;
    this.#restNoMore();
  }

  /** Starts a round with one of the peers with which one is due. */
  startDue(linked: readonly Peer[], nowMs: number): void {
    for (const peer of this.#due(linked, nowMs))
      if (peer.vitals.root === this.map.root) peer.differingTicks = 0;
    const due = this.#due(linked, nowMs);
    const peer = due[Math.floor(this.random() * due.length)];
    if (peer !== undefined) this.compareWith(peer, nowMs);
  }

  /** Starts a round with one peer. */
  compareWith(peer: Peer, nowMs: number): void {
    this.#round = { peer, ranges: [], list: undefined, stream: undefined, head: 0, pull: undefined };
    if (peer.differingTicks < CERTAIN) this.#rest(nowMs);
  }

  /** Starts a round that asks everybody for everything. */
  pullAll(nowMs: number): void {
    const pull = new BucketPull([{ from: 0, to: BUCKETS - 1 }]);
    this.#round = { peer: undefined, ranges: [], list: undefined, stream: undefined, head: 0, pull };
    this.#rest(nowMs);
  }

  /** Gives the round up, and is to have it later; what is still under way counts when it comes. */
  abandon(): void {
    const peer = this.#round?.peer;
    if (peer !== undefined) peer.differingTicks = CERTAIN;
    this.#round = undefined;
  }

  /** Sums came. @param completes the question, when this is its last part */
  handleSums(part: ListAnswerMessage, completes: Question | undefined): void {
    const round = this.#round;
    if (round?.pull !== undefined || round?.list?.id !== part.id || round.list.to !== part.from) return;
    for (const listed of part.groups) {
      // Naming all that is held to a peer that holds nothing would bring nothing.
      if (listed.records === 0) continue;
      for (const bucket of differingBuckets(listed, this.map))
        round.ranges.push({ from: bucket, to: bucket });
    }
    if (completes === undefined) return;
    round.pull = new BucketPull(round.ranges);
    this.#finishWhenDone();
  }

  handleAnswered({ ask, next }: Answered): void {
    const pull = this.#round?.pull;
    if (ask.of !== "buckets" || pull === undefined) return;
    pull.handleAnswered(ask.spans, next);
    this.#finishWhenDone();
  }

  /** A question got no answer: it is asked again. */
  handleLost(question: Question): void {
    const round = this.#round;
    if (question.ask.of === "buckets") round?.pull?.handleLost(question.ask.spans);
    else if (round?.list?.id === question.id) round.list = undefined;
  }

  /** A round ends with the link to its peer, and when that does not answer while others do. */
  handleLinks(linked: readonly Peer[]): void {
    const peer = this.#round?.peer;
    if (peer !== undefined && !responsive(linked).includes(peer)) this.abandon();
  }

  /** Asks for as much as the window allows. */
  pump(linked: readonly Peer[], nowMs: number): void {
    const round = this.#round;
    if (round?.pull === undefined) {
      const peer = round?.list === undefined ? round?.peer : undefined;
      if (round !== undefined && peer !== undefined && this.questions.hasRoom(peer)) {
        round.list = this.ask(peer, { of: "list" }, nowMs);
        round.stream = peer.stream;
        round.head = peer.stream?.head ?? 0;
        peer.differingTicks = peer.isSettled ? 0 : CERTAIN;
      }
      return;
    }
    const sources = round.peer === undefined ? fullest(linked) : [round.peer];
    const records = Math.max(1, ...sources.map((peer) => peer.vitals.keys));
    const buckets = clamp((BUCKETS * RECORDS_PER_QUESTION) / records);
    for (let isAsking = true; isAsking;) {
      isAsking = false;
      for (const peer of sources) {
        if (!round.pull.hasPending || !this.questions.hasRoom(peer)) continue;
        const spans = round.pull.take(this.map, buckets, this.questions.nextId);
        this.ask(peer, { of: "buckets", spans }, nowMs);
        isAsking = true;
      }
    }
  }

  /** The peers with which a round is due. One that is still pulling would be compared with in vain. */
  #due(linked: readonly Peer[], nowMs: number): readonly Peer[] {
    if (this.#round !== undefined) return [];
    const ticks = nowMs < this.#notBeforeMs ? CERTAIN : DIFFERING_TICKS;
    return responsive(linked).filter((peer) => peer.differingTicks >= ticks && peer.isSettled);
  }

  /** Whether a round with this peer (or with everybody) is under way. */
  isWith(peer: Peer): boolean {
    return this.#round !== undefined && (this.#round.peer ?? peer) === peer;
  }

  #rest(nowMs: number): void {
    this.#notBeforeMs = nowMs + this.#restMs;
    this.#restMs = Math.min(this.#restMs * 2, REST_MAX_MS);
  }

  /** Whatever differs next is worth an early look. */
  #restNoMore(): void {
    this.#restMs = REST_MIN_MS;
    this.#notBeforeMs = 0;
  }

  #finishWhenDone(): void {
    if (this.#round?.pull?.isDone !== true) return;
    const { stream, head } = this.#round;
    stream?.verify(head);
    this.#rounds += 1;
    this.#round = undefined;
  }
}

/** The peers that answer; everybody when nobody does. */
export function responsive(linked: readonly Peer[]): readonly Peer[] {
  const answering = linked.filter((peer) => peer.isResponsive);
  return answering.length > 0 ? answering : linked;
}

/** The peers that hold at least half as much as the one that holds most. */
function fullest(linked: readonly Peer[]): readonly Peer[] {
  const peers = responsive(linked);
  const most = Math.max(0, ...peers.map((peer) => peer.vitals.keys));
  return peers.filter((peer) => peer.vitals.keys >= most / 2);
}

function clamp(buckets: number): number {
  return Math.floor(Math.min(Math.max(buckets, BUCKETS_PER_QUESTION_MIN), BUCKETS_PER_QUESTION_MAX));
}
