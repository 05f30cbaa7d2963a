/**
 * Receipts: how much of the own stream each peer holds, for as long as somebody here waits to know.
 *
 * Whoever waits makes this node ask: `confirm` tells the peer the own head, and the peer answers with one `receipt`,
 * the number up to which it holds everything. Both are small and stateless, and come behind the `set` messages that they speak
 * of, so one round trip is the rule. What is lost is asked again, {@link CONFIRM_EVERY_MS} later: neither counts as
 * a question, since a peer that is slow with a receipt is not to be asked less for records.
 *
 * Who saves with the policy `always` gives a receipt only when what it speaks of is durable: all that was unsaved when
 * it was asked, since of a message that it confirms it may hold newer records, which came from anybody. Of the receipts
 * that wait for that, the oldest and the newest of each peer are kept: the one is given in a bounded time, the other
 * speaks of most.
 *
 * A receipt must be true. What counts as arrived for repair is not always held (see stream.ts), so where there is
 * doubt the peer starts a round of fingerprints, which ends it, and confirms what came before the doubt.
 */
import type { Copy } from "./copy.js";
import type { ConfirmMessage, ReceiptMessage } from "./message.js";
import type { OwedReceipt, Peer } from "./peer.js";
import type { Reconcile } from "./reconcile.js";
import type { Repair } from "./repair.js";

/** How soon a peer that has not confirmed enough is asked again. */
export const CONFIRM_EVERY_MS = 100;

/** Sends one of the two messages to a peer. */
type Teller = (told: Omit<ConfirmMessage, "from"> | Omit<ReceiptMessage, "from">, peer: Peer) => void;

export class Receipts {
  /** Somebody waits for everything up to here; 0 = nobody waits. */
  #wanted = 0;

  constructor(
    private readonly copy: Copy,
    private readonly repair: Repair,
    private readonly reconcile: Reconcile,
    private readonly tell: Teller,
  ) {}

  /** Everything up to `seq` is waited for; 0 = nothing any more. */
  want(seq: number): void {
    this.#wanted = seq;
  }

  /** Asks the peers that are to be asked now. */
  pump(linked: readonly Peer[], head: number, nowMs: number): void {
    if (this.#wanted === 0) return;
    for (const peer of this.#lacking(linked)) {
      if (this.#dueAtMs(peer) > nowMs) continue;
      peer.confirmAskedAtMs = nowMs;
      peer.confirmAskedHead = head;
      this.tell({ type: "confirm", head }, peer);
    }
  }

  /** When a peer is asked next; Infinity when there is nothing to ask. */
  wakeAtMs(linked: readonly Peer[]): number {
    if (this.#wanted === 0) return Infinity;
    return Math.min(Infinity, ...this.#lacking(linked).map((peer) => this.#dueAtMs(peer)));
  }

  /** Answers now, or when it is durable, or not at all: then the peer asks again. */
  handleConfirm(message: ConfirmMessage, peer: Peer): void {
    const seq = this.#held(message, peer);
    if (seq === 0) return;
    const { saving } = this.copy;
    if (saving?.isStrict !== true || saving.ticket <= saving.durable)
      this.tell({ type: "receipt", seq }, peer);
    else {
      const { ticket, failures } = saving;
      peer.owed = [...peer.owed.filter(this.#isValid).slice(0, 1), { seq, ticket, failures }];
    }
  }

  /** More is durable, or a step of saving has failed. */
  handleSaved(peers: Iterable<Peer>): void {
    const durable = this.copy.saving?.durable ?? 0;
    for (const peer of peers) {
      if (peer.owed.length === 0) continue;
      const owed = peer.owed.filter(this.#isValid);
      peer.owed = owed.filter(({ ticket }) => ticket > durable);
      const given = owed.findLast(({ ticket }) => ticket <= durable);
      if (given !== undefined) this.tell({ type: "receipt", seq: given.seq }, peer);
    }
  }

  /** @returns whether the peer has confirmed more than before */
  handleReceipt({ seq }: ReceiptMessage, peer: Peer, head: number): boolean {
    // Nobody can hold what was not sent.
    if (seq > head || seq <= peer.confirmed) return false;
    peer.confirmed = seq;
    return true;
  }

  readonly #isValid = ({ failures }: OwedReceipt): boolean => failures === this.copy.saving?.failures;

  /** @returns up to where the peer's stream is held; 0 = nothing is known */
  #held({ head }: ConfirmMessage, peer: Peer): number {
    const stream = this.repair.handleHead(head, false, peer);
    if (stream.isDoubtful && !this.reconcile.isWith(peer)) this.reconcile.hurry(peer);
    // A map that is full refuses records.
    return this.copy.map.isFull ? 0 : stream.held;
  }

  #lacking(linked: readonly Peer[]): readonly Peer[] {
    return linked.filter((peer) => peer.confirmed < this.#wanted);
  }

  /** A peer that was last asked before all of it was sent could not confirm it, and is asked at once. */
  #dueAtMs(peer: Peer): number {
    return peer.confirmAskedHead < this.#wanted ? -Infinity : peer.confirmAskedAtMs + CONFIRM_EVERY_MS;
  }
}
