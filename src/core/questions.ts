/**
 * What this node has asked and is waiting for.
 *
 * Answers may be lost, in part or whole, and the one who answers keeps nothing. So every question has a deadline
 * and is simply asked again; the records of any part count whenever they come. The deadline is a time without
 * progress, not a time in all: on a slow link the answer stands in a queue behind other things, and
 * asking again would only make the queue longer. Each peer's patience doubles when it is exceeded and
 * follows what its answers really take.
 *
 * A question is also asked again when its peer subscribes anew and has answered nothing since: PUB may have sent the question into a
 * connection that was dead without a sign, as after a cut. At most one subscription in the peer's patience has this effect, so
 * that nobody makes this node ask and ask by subscribing in the peer's name.
 *
 * Invariant: at most {@link OPEN_MAX} questions, {@link OPEN_PER_PEER_MAX} to one peer, each for at most
 * {@link BUDGET_BYTES} (or one record); and, once in a peer's patience, as many more that were asked again for its new subscription. What
 * can be on its way to this node is bounded, far below PUB's high-water mark.
 */
import type { AnswerMessage, Ask, ListAnswerMessage, ListMessage, QuestionMessage } from "./message.js";
import type { Peer } from "./peer.js";
import type { RecordMap } from "./record-map.js";
import type { Writer } from "./version.js";

/** How many bytes of records one answer may carry. */
export const BUDGET_BYTES = 256 * 1024;
export const OPEN_MAX = 8;
export const OPEN_PER_PEER_MAX = 2;
/** No answer has more parts: the budget in the least sizes that a part is closed at, or all sums. */
const PARTS_MAX = 64;
const PATIENCE_MIN_MS = 1_000;
/** Enough for a value of 1 MiB at a third of a Mbit/s. */
const PATIENCE_MAX_MS = 32_000;

/** A question under way; `list` asks for the sums. */
export interface Question {
  readonly id: number;
  readonly to: Writer;
  readonly ask: Ask | { readonly of: "list" };
  readonly askedAtMs: number;
}

/** How a question is put. */
export function questionToMessage(
  { id, ask }: Question,
  from: Writer,
  map: RecordMap,
): QuestionMessage | ListMessage {
  return ask.of === "list"
    ? { type: "list", from, id, sums: map.groupSums() }
    : { type: "question", from, id, budgetBytes: BUDGET_BYTES, ask };
}

/** One whose answer is complete; its parts may have come in any order. */
export interface Answered extends Question {
  /** Where the answer ended, as its last part says. */
  readonly next: number | undefined;
}

interface Open extends Question {
  readonly peer: Peer;
  /** Whether it is to be asked again: it was sent into a connection that may have been dead. */
  isInDoubt: boolean;
  readonly parts: Set<number>;
  partsInAll: number | undefined;
  next: number | undefined;
}

export class Questions {
  readonly #open = new Map<number, Open>();
  #lastId = 0;

  /** Whether the window has room for another question to this peer. Single keys are not counted: someone waits. */
  hasRoom(peer: Peer): boolean {
    let all = 0;
    let toPeer = 0;
    for (const open of this.#open.values()) {
      if (open.ask.of === "keys") continue;
      all += 1;
      if (open.peer === peer) toPeer += 1;
    }
    return all < OPEN_MAX && toPeer < OPEN_PER_PEER_MAX;
  }

  /** Whether something of this kind is being asked of the peer. */
  isAsking(peer: Peer, of: Question["ask"]["of"]): boolean {
    for (const open of this.#open.values()) if (open.peer === peer && open.ask.of === of) return true;
    return false;
  }

  get size(): number {
    return this.#open.size;
  }

  /** The id of the question that is opened next. */
  get nextId(): number {
    return (this.#lastId + 1) % 0x1_0000_0000;
  }

  open(peer: Peer, ask: Question["ask"], nowMs: number): Question {
    const id = this.nextId;
    this.#lastId = id;
    const question = { id, to: peer.writer, ask, askedAtMs: nowMs };
    this.#open.set(question.id, {
      ...question,
      peer,
      isInDoubt: false,
      parts: new Set(),
      partsInAll: undefined,
      next: undefined,
    });
    return question;
  }

  /** @returns the question when this part completes its answer, else undefined */
  handlePart(answer: AnswerMessage<unknown> | ListAnswerMessage, nowMs: number): Answered | undefined {
    const open = this.#open.get(answer.id);
    if (open?.to !== answer.from || (open.ask.of === "list") !== (answer.type === "list_answer"))
      return undefined;
    if (answer.part >= PARTS_MAX) return undefined;
    if (answer.last) {
      open.partsInAll = answer.part + 1;
      if (answer.type === "answer") open.next = answer.next;
    }
    open.parts.add(answer.part);
    open.peer.lost = 0;
    open.peer.rttMs = open.parts.size === 1 ? nowMs - open.askedAtMs : open.peer.rttMs;
    if (open.parts.size !== open.partsInAll) return undefined;
    this.#open.delete(open.id);
    const tookMs = nowMs - open.askedAtMs;
    open.peer.patienceMs = Math.min(
      Math.max(PATIENCE_MIN_MS, 4 * tookMs, open.peer.patienceMs / 2),
      PATIENCE_MAX_MS,
    );
    return open;
  }

  /** The peer subscribed, perhaps not for the first time: what it has answered nothing since it was asked may not have been heard. */
  handleSubscription(peer: Peer, nowMs: number): void {
    if (nowMs - peer.askedAgainAtMs < peer.patienceMs) return;
    for (const open of this.#open.values()) {
      if (open.peer !== peer || peer.answeredAtMs > open.askedAtMs) continue;
      open.isInDoubt = true;
      peer.askedAgainAtMs = nowMs;
    }
  }

  /**
   * Takes out the questions whose peer is gone, no longer linked, was silent for longer than its patience, and those in
   * doubt.
   */
  takeOverdue(peers: ReadonlyMap<Writer, Peer>, nowMs: number): readonly Question[] {
    const overdue: Question[] = [];
    const impatient = new Set<Peer>();
    for (const open of this.#open.values()) {
      const isGone = peers.get(open.to) !== open.peer || !open.peer.isLinked;
      const isOverdue = nowMs >= this.#deadlineMs(open);
      if (!isGone && !isOverdue && !open.isInDoubt) continue;
      this.#open.delete(open.id);
      overdue.push(open);
      if (!isGone && isOverdue) impatient.add(open.peer);
    }
    for (const peer of impatient) {
      peer.lost += 1;
      peer.lostAtMs = nowMs;
      peer.patienceMs = Math.min(peer.patienceMs * 2, PATIENCE_MAX_MS);
    }
    return overdue;
  }

  get wakeAtMs(): number {
    let at = Infinity;
    for (const open of this.#open.values()) at = Math.min(at, this.#deadlineMs(open));
    return at;
  }

  /** Progress is any part of this answer, or of one asked earlier of the same peer: answers come in order. */
  #deadlineMs(open: Open): number {
    return Math.max(open.askedAtMs, open.peer.answeredAtMs) + open.peer.patienceMs;
  }
}
