/**
 * A receipt is true: whoever confirms N messages of a stream holds each record of them, or a newer one of its key, and
 * durably if it syncs always. Who
 * waits takes no more than was confirmed, asks no more often than it may, and gets its receipts once all is quiet.
 */
import { Violation, type Checker, type Published, type Scene, type Stepped } from "../checker.js";
import type { Process } from "../process.js";
import type { DurabilityChecker } from "./durability.js";
import { describe, isAfter } from "./history.js";
import type { Streams } from "./streams.js";

const CONFIRM_EVERY_MS = 100;

export class ReceiptsChecker implements Checker {
  readonly name = "receipts";
  /** By the peer and the writer of the stream, the greatest number that was confirmed. */
  readonly #confirmed = new Map<string, number>();
  readonly #asked = new Map<string, { readonly head: number; readonly atMs: number }>();
  /** Who was lied to about whom by somebody hostile: what it says of that stream means nothing. */
  readonly #deceived = new Set<string>();

  constructor(
    private readonly streams: Streams,
    private readonly durability: DurabilityChecker,
  ) {}

  published({ process, message, to, atMs }: Published): void {
    if (to === undefined) return;
    const pair = `${process.writer} ${to}`;
    if (message.type === "receipt") this.#check(process, to, message.seq);
    if (message.type !== "confirm") return;
    const { head, atMs: before } = this.#asked.get(pair) ?? { head: 0, atMs: -Infinity };
    if (head === message.head && atMs - before < CONFIRM_EVERY_MS * 0.99)
      throw new Violation(this.name, `${process.name} asked again after ${String(atMs - before)} ms`);
    this.#asked.set(pair, { head: message.head, atMs });
  }

  stepped({ process, input, effects, isForged }: Stepped): void {
    if (input.type === "message" && isForged) this.#deceived.add(`${process.writer} ${input.message.from}`);
    for (const effect of effects) {
      // Who comes back is asked afresh.
      if (effect.type === "peer" && effect.change === "gone")
        this.#asked.delete(`${process.writer} ${effect.peer.writer}`);
      if (effect.type !== "confirmed") continue;
      const { writer, confirmed } = effect.peer;
      if (this.#deceived.has(`${process.writer} ${writer}`)) continue;
      if (confirmed > (this.#confirmed.get(`${writer} ${process.writer}`) ?? 0))
        throw new Violation(this.name, `${process.name} took ${String(confirmed)}, which nobody confirmed`);
    }
  }

  /** Everybody was asked by everybody when all was quiet. */
  finished({ alive, tallies }: Scene): void {
    for (const { name, replica } of alive) {
      for (const peer of replica.presence.peers.values()) {
        tallies.add("messages confirmed in the end", peer.confirmed);
        if (peer.confirmed >= replica.head) continue;
        const what = `${String(peer.confirmed)} of ${String(replica.head)} messages of ${name}`;
        throw new Violation(this.name, `${peer.name} confirmed ${what}`);
      }
    }
  }

  #check(holder: Process, writer: string, seq: number): void {
    const pair = `${holder.writer} ${writer}`;
    const before = this.#confirmed.get(pair) ?? 0;
    this.#confirmed.set(pair, Math.max(before, seq));
    if (this.#deceived.has(pair)) return;
    const messages = this.streams.messagesOf(writer);
    if (seq > messages.length)
      throw new Violation(this.name, `${holder.name} confirmed ${String(seq)} of ${String(messages.length)}`);
    for (const record of messages.slice(before, seq).flat()) {
      const held = holder.replica.get(record.key);
      if (held === undefined || isAfter(record, held))
        throw new Violation(
          this.name,
          `${holder.name} confirmed ${String(seq)} and has ${describe(held)}, not ${describe(record)}`,
        );
      if (holder.replica.saving?.isStrict === true) this.durability.promise(holder, record);
    }
  }
}
