/**
 * Receipts: how much of the own stream each peer holds, for as long as somebody here waits to know.
 *
 * Whoever waits makes this node ask: `confirm` tells the peer the own head, and the peer answers with one `receipt`,
 * the number up to which it holds everything. Both are small and stateless, and come behind the `set` messages that they speak
 * of, so one round trip is the rule. What is lost is asked again, {@link CONFIRM_EVERY_MS} later: neither counts as
 * a question, since a peer that is slow with a receipt is not to be asked less for records.
 *
 * A receipt must be true. What counts as arrived for repair is not always held (see stream.ts), so where there is
 * doubt the peer starts a round of fingerprints, which ends it, and confirms what came before the doubt.
 */
import type { ConfirmMessage, ReceiptMessage } from "./message.js";
import type { Peer } from "./peer.js";
import type { Reconcile } from "./reconcile.js";
import { RECORDS_MAX, type RecordMap } from "./record-map.js";
import type { Repair } from "./repair.js";

/** How soon a peer that has not confirmed enough is asked again. */
export const CONFIRM_EVERY_MS = 100;

export class Receipts {
  /** Somebody waits for everything up to here; 0 = nobody waits. */
  #wanted = 0;

  constructor(
    private readonly map: RecordMap,
    private readonly repair: Repair,
    private readonly reconcile: Reconcile,
  ) {}

  /** Everything up to `seq` is waited for; 0 = nothing any more. */
  want(seq: number): void {
    this.#wanted = seq;
  }

  /** The peers that are to be asked now. */
  takeDue(linked: readonly Peer[], head: number, nowMs: number): readonly Peer[] {
    if (this.#wanted === 0) return [];
    const due = this.#lacking(linked).filter((peer) => this.#dueAtMs(peer) <= nowMs);
    for (const peer of due) {
      peer.confirmAskedAtMs = nowMs;
      peer.confirmAskedHead = head;
    }
    return due;
  }

  /** When a peer is asked next; Infinity when there is nothing to ask. */
  wakeAtMs(linked: readonly Peer[]): number {
    if (this.#wanted === 0) return Infinity;
    return Math.min(Infinity, ...this.#lacking(linked).map((peer) => this.#dueAtMs(peer)));
  }

  /** @returns up to where the peer's stream is held; 0 = nothing is known */
  held({ head }: ConfirmMessage, peer: Peer): number {
    const stream = this.repair.handleHead(head, false, peer);
    if (stream.isDoubtful && !this.reconcile.isWith(peer)) this.reconcile.hurry(peer);
    // A map that is full refuses records.
    return this.map.records < RECORDS_MAX ? stream.held : 0;
  }

  /** @returns whether the peer has confirmed more than before */
  handleReceipt({ seq }: ReceiptMessage, peer: Peer, head: number): boolean {
    // Nobody can hold what was not sent.
    if (seq > head || seq <= peer.confirmed) return false;
    peer.confirmed = seq;
    return true;
  }

  #lacking(linked: readonly Peer[]): readonly Peer[] {
    return linked.filter((peer) => peer.confirmed < this.#wanted);
  }

  /** A peer that was last asked before all of it was sent could not confirm it, and is asked at once. */
  #dueAtMs(peer: Peer): number {
    return peer.confirmAskedHead < this.#wanted ? -Infinity : peer.confirmAskedAtMs + CONFIRM_EVERY_MS;
  }
}
