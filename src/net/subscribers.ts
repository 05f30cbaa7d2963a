/** Who listens to this node's PUB socket, as far as their subscriptions tell. */
import type { Writer } from "../core/version.js";
import { SET_TOPIC, subscriberOf } from "../wire/message.js";

/** Subscriptions that are counted: many times as many as there can be peers. */
const SUBSCRIPTIONS_MAX = 4_096;
/** Longer than any topic. */
const TOPIC_BYTES_MAX = 64;

export interface SubscriptionChange {
  readonly writer: Writer;
  /** It subscribed, perhaps not for the first time; else the last of its subscriptions ended. */
  readonly present: boolean;
}

export class Subscribers {
  readonly #nodes = new Map<Writer, number>();
  /** Subscriptions to a topic that a `set` message has, of whoever it is. */
  #toSets = 0;

  /**
   * Whether somebody may hear a `set` message, by what was subscribed and taken back. Anybody may take back what others have; what they
   * miss then they find by the number of the last message, and ask for.
   */
  get hearSets(): boolean {
    return this.#toSets > 0 || this.#nodes.size > 0;
  }

  /**
   * A frame came in at PUB, which may be anything.
   * @returns what it changes for a node; undefined = nothing
   */
  handle(frame: Buffer): SubscriptionChange | undefined {
    const change = CHANGES.get(frame[0]);
    if (change === undefined) return undefined;
    const topic = frame.toString("latin1", 1, TOPIC_BYTES_MAX);
    if (SET_TOPIC.startsWith(topic)) this.#toSets = Math.max(0, this.#toSets + change);
    const writer = subscriberOf(topic);
    if (writer === undefined) return undefined;
    const count = Math.max(0, (this.#nodes.get(writer) ?? 0) + change);
    this.#count(writer, count);
    // One of a node's connections ended, and it listens by another: nothing changes for it.
    return change < 0 && count > 0 ? undefined : { writer, present: count > 0 };
  }

  #count(writer: Writer, subscriptions: number): void {
    this.#nodes.delete(writer);
    if (subscriptions > 0) this.#nodes.set(writer, subscriptions);
    const oldest = this.#nodes.keys().next();
    if (this.#nodes.size > SUBSCRIPTIONS_MAX && oldest.done !== true) this.#nodes.delete(oldest.value);
  }
}

/** The first byte of what a subscriber sends, and by how much that changes the number of its subscriptions. */
const CHANGES: ReadonlyMap<number | undefined, number> = new Map([
  [0, -1],
  [1, 1],
]);
