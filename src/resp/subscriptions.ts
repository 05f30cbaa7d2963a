/**
 * Who listens to which channels and patterns, and how a message gets to them.
 *
 * A message is put into its form on the wire once for each version of the protocol, however many listen. One that
 * nobody listens to costs a look into a map, and a try of each pattern.
 */
import type { Bytes } from "../core/bytes.js";
import { checkPattern, globToPredicate } from "./glob.js";
import { encode, Push, type Protocol } from "./reply.js";

/** Most channels and patterns of one client. */
export const SUBSCRIPTIONS_MAX = 16_384;
/** Bytes of their names. */
export const SUBSCRIPTION_BYTES_MAX = 4 * 1_048_576;

/** What all channels of keyspace events begin with. */
export const KEY_CHANNELS = "__key";

/** Somebody that messages are given to. */
export interface Subscriber {
  readonly protocol: Protocol;
  /** @param frame what goes onto the wire */
  push(frame: Bytes): void;
}

interface Pattern {
  readonly matches: (channel: Bytes) => boolean;
  readonly subscribers: Set<Subscriber>;
}

export class Hub {
  readonly #channels = new Map<Bytes, Set<Subscriber>>();
  readonly #patterns = new Map<Bytes, Pattern>();
  #keyListeners = 0;

  /** Whether somebody may listen to keyspace events. */
  get hasKeyListeners(): boolean {
    return this.#keyListeners > 0;
  }

  /** How many patterns somebody listens to. */
  get patterns(): number {
    return this.#patterns.size;
  }

  /** The channels that somebody listens to, other than by a pattern. */
  channels(accepts: (channel: Bytes) => boolean): Bytes[] {
    return [...this.#channels.keys()].filter(accepts);
  }

  /** How many listen to a channel, other than by a pattern. */
  listeners(channel: Bytes): number {
    return this.#channels.get(channel)?.size ?? 0;
  }

  /** @returns how many subscriptions it met */
  publish(channel: Bytes, payload: Bytes): number {
    let receivers = 0;
    const subscribers = this.#channels.get(channel);
    if (subscribers !== undefined) {
      receivers += deliver(subscribers, ["message", channel, payload]);
    }
    if (this.#patterns.size > 0) {
      for (const [name, pattern] of this.#patterns) {
        if (pattern.matches(channel)) {
          receivers += deliver(pattern.subscribers, ["pmessage", name, channel, payload]);
        }
      }
    }
    return receivers;
  }

  addChannel(channel: Bytes, subscriber: Subscriber): void {
    const subscribers = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, subscribers.add(subscriber));
    if (mayHearKeys(channel)) this.#keyListeners += 1;
  }

  removeChannel(channel: Bytes, subscriber: Subscriber): void {
    const subscribers = this.#channels.get(channel);
    if (subscribers?.delete(subscriber) !== true) return;
    if (subscribers.size === 0) this.#channels.delete(channel);
    if (mayHearKeys(channel)) this.#keyListeners -= 1;
  }

  addPattern(name: Bytes, subscriber: Subscriber): void {
    const pattern = this.#patterns.get(name) ?? { matches: globToPredicate(name), subscribers: new Set() };
    this.#patterns.set(name, pattern);
    pattern.subscribers.add(subscriber);
    if (mayHearKeys(literalOf(name))) this.#keyListeners += 1;
  }

  removePattern(name: Bytes, subscriber: Subscriber): void {
    const pattern = this.#patterns.get(name);
    if (pattern?.subscribers.delete(subscriber) !== true) return;
    if (pattern.subscribers.size === 0) this.#patterns.delete(name);
    if (mayHearKeys(literalOf(name))) this.#keyListeners -= 1;
  }
}

/** The channels and patterns of one client. */
export class Subscriptions {
  readonly channels: ReadonlySet<Bytes>;
  readonly patterns: ReadonlySet<Bytes>;
  readonly #channels = new Set<Bytes>();
  readonly #patterns = new Set<Bytes>();
  readonly #hub: Hub;
  readonly #subscriber: Subscriber;
  #bytes = 0;

  constructor(hub: Hub, subscriber: Subscriber) {
    this.#hub = hub;
    this.#subscriber = subscriber;
    this.channels = this.#channels;
    this.patterns = this.#patterns;
  }

  get count(): number {
    return this.#channels.size + this.#patterns.size;
  }

  /** Bytes of their names. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @throws {RangeError} no more may be added */
  subscribe(channel: Bytes): void {
    if (this.#channels.has(channel)) return;
    this.#reserve(channel);
    this.#channels.add(channel);
    this.#hub.addChannel(channel, this.#subscriber);
  }

  unsubscribe(channel: Bytes): void {
    if (!this.#channels.delete(channel)) return;
    this.#bytes -= channel.length;
    this.#hub.removeChannel(channel, this.#subscriber);
  }

  /** @throws {RangeError} no more may be added */
  subscribePattern(pattern: Bytes): void {
    if (this.#patterns.has(pattern)) return;
    checkPattern(pattern);
    this.#reserve(pattern);
    this.#patterns.add(pattern);
    this.#hub.addPattern(pattern, this.#subscriber);
  }

  unsubscribePattern(pattern: Bytes): void {
    if (!this.#patterns.delete(pattern)) return;
    this.#bytes -= pattern.length;
    this.#hub.removePattern(pattern, this.#subscriber);
  }

  clear(): void {
    for (const channel of this.#channels) this.unsubscribe(channel);
    for (const pattern of this.#patterns) this.unsubscribePattern(pattern);
  }

  #reserve(name: Bytes): void {
    if (this.count >= SUBSCRIPTIONS_MAX || this.#bytes + name.length > SUBSCRIPTION_BYTES_MAX) {
      throw new RangeError(
        `a client has at most ${String(SUBSCRIPTIONS_MAX)} subscriptions, whose names have at most ` +
          `${String(SUBSCRIPTION_BYTES_MAX)} bytes`,
      );
    }
    this.#bytes += name.length;
  }
}

function deliver(subscribers: ReadonlySet<Subscriber>, message: readonly Bytes[]): number {
  const push = new Push(message);
  let resp2: Bytes | undefined;
  let resp3: Bytes | undefined;
  for (const subscriber of subscribers) {
    subscriber.push(subscriber.protocol === 3 ? (resp3 ??= encode(push, 3)) : (resp2 ??= encode(push, 2)));
  }
  return subscribers.size;
}

/** What a pattern's channels begin with, as far as it is plain. */
function literalOf(pattern: Bytes): Bytes {
  const end = pattern.search(/[*?[\\]/);
  return end < 0 ? pattern : pattern.slice(0, end);
}

function mayHearKeys(beginning: Bytes): boolean {
  return KEY_CHANNELS.startsWith(beginning.slice(0, KEY_CHANNELS.length));
}
