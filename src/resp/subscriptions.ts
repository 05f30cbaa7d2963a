/**
 * Who listens to which channels and patterns, and how a message gets to them.
 *
 * A message is put into its form on the wire once for each version of the protocol, however many listen. One that
 * nobody listens to costs a look into a map, and a try of each pattern: of those that can match a keyspace channel, or
 * of those that can match another. Patterns are what a message costs, and so are bounded apart from channels, also in
 * all.
 */
import type { Bytes } from "../core/bytes.js";
import { checkPattern, globToPredicate } from "./glob.js";
import { encode, Push, type Protocol } from "./reply.js";

/** Most channels of one client. */
export const CHANNELS_MAX = 16_384;
/** Bytes of their names. */
export const CHANNEL_BYTES_MAX = 4 * 1_048_576;
/** Most patterns of one client. */
export const PATTERNS_MAX = 256;
/** Bytes of a client's patterns. */
export const PATTERN_BYTES_OF_CLIENT_MAX = 16_384;
/** Most different patterns of all clients. */
export const HUB_PATTERNS_MAX = 4_096;
/** Bytes of them: trying all of them on the longest channel takes a tenth of a second at worst. */
export const HUB_PATTERN_BYTES_MAX = 65_536;
/** What a subscription takes besides its name. */
const SUBSCRIPTION_BYTES = 600;

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
  /** Those of them that can match a keyspace channel, and those that can match another. */
  readonly #patternsOfKeys = new Map<Bytes, Pattern>();
  readonly #patternsOfOthers = new Map<Bytes, Pattern>();
  #patternBytes = 0;
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
    const patterns = channel.startsWith(KEY_CHANNELS) ? this.#patternsOfKeys : this.#patternsOfOthers;
    if (patterns.size > 0) {
      for (const [name, pattern] of patterns) {
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

  /** @throws {RangeError} there is no room for so many more patterns, or one of them is too long */
  checkPatterns(names: ReadonlySet<Bytes>): void {
    let count = this.#patterns.size;
    let bytes = this.#patternBytes;
    for (const name of names) {
      checkPattern(name);
      if (this.#patterns.has(name)) continue;
      count += 1;
      bytes += name.length;
    }
    if (count <= HUB_PATTERNS_MAX && bytes <= HUB_PATTERN_BYTES_MAX) return;
    throw new RangeError(
      `all clients have at most ${String(HUB_PATTERNS_MAX)} patterns of ${String(HUB_PATTERN_BYTES_MAX)} bytes`,
    );
  }

  addPattern(name: Bytes, subscriber: Subscriber): void {
    const literal = literalOf(name);
    let pattern = this.#patterns.get(name);
    if (pattern === undefined) {
      pattern = { matches: globToPredicate(name), subscribers: new Set() };
      this.#patterns.set(name, pattern);
      this.#patternBytes += name.length;
      if (mayHearKeys(literal)) this.#patternsOfKeys.set(name, pattern);
      if (!literal.startsWith(KEY_CHANNELS)) this.#patternsOfOthers.set(name, pattern);
    }
    pattern.subscribers.add(subscriber);
    if (mayHearKeys(literal)) this.#keyListeners += 1;
  }

  removePattern(name: Bytes, subscriber: Subscriber): void {
    const pattern = this.#patterns.get(name);
    if (pattern?.subscribers.delete(subscriber) !== true) return;
    if (mayHearKeys(literalOf(name))) this.#keyListeners -= 1;
    if (pattern.subscribers.size > 0) return;
    for (const map of [this.#patterns, this.#patternsOfKeys, this.#patternsOfOthers]) map.delete(name);
    this.#patternBytes -= name.length;
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
  #channelBytes = 0;
  #patternBytes = 0;

  constructor(hub: Hub, subscriber: Subscriber) {
    this.#hub = hub;
    this.#subscriber = subscriber;
    this.channels = this.#channels;
    this.patterns = this.#patterns;
  }

  get count(): number {
    return this.#channels.size + this.#patterns.size;
  }

  /** What they hold: their names, and what each takes besides. */
  get bytes(): number {
    return this.#channelBytes + this.#patternBytes + this.count * SUBSCRIPTION_BYTES;
  }

  /** @throws {RangeError} there is no room for all of these */
  checkChannels(names: readonly Bytes[]): void {
    const bound = { countMax: CHANNELS_MAX, bytesMax: CHANNEL_BYTES_MAX };
    checkRoom("channels", names, this.#channels, this.#channelBytes, bound);
  }

  /** To be called when there is room. */
  subscribe(channel: Bytes): void {
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    this.#channelBytes += channel.length;
    this.#hub.addChannel(channel, this.#subscriber);
  }

  unsubscribe(channel: Bytes): void {
    if (!this.#channels.delete(channel)) return;
    this.#channelBytes -= channel.length;
    this.#hub.removeChannel(channel, this.#subscriber);
  }

  /** @throws {RangeError} there is no room for all of these, or one of them is too long */
  checkPatterns(names: readonly Bytes[]): void {
    const bound = { countMax: PATTERNS_MAX, bytesMax: PATTERN_BYTES_OF_CLIENT_MAX };
    this.#hub.checkPatterns(checkRoom("patterns", names, this.#patterns, this.#patternBytes, bound));
  }

  /** To be called when there is room. */
  subscribePattern(pattern: Bytes): void {
    if (this.#patterns.has(pattern)) return;
    this.#patterns.add(pattern);
    this.#patternBytes += pattern.length;
    this.#hub.addPattern(pattern, this.#subscriber);
  }

  unsubscribePattern(pattern: Bytes): void {
    if (!this.#patterns.delete(pattern)) return;
    this.#patternBytes -= pattern.length;
    this.#hub.removePattern(pattern, this.#subscriber);
  }

  clear(): void {
    for (const channel of this.#channels) this.unsubscribe(channel);
    for (const pattern of this.#patterns) this.unsubscribePattern(pattern);
  }
}

/**
 * @returns those names that are not held
 * @throws {RangeError} there is no room for all of them
 */
function checkRoom(
  what: string,
  names: readonly Bytes[],
  held: ReadonlySet<Bytes>,
  heldBytes: number,
  { countMax, bytesMax }: { readonly countMax: number; readonly bytesMax: number },
): ReadonlySet<Bytes> {
  const added = new Set<Bytes>();
  let bytes = heldBytes;
  for (const name of names) {
    if (held.has(name) || added.has(name)) continue;
    added.add(name);
    bytes += name.length;
    if (held.size + added.size > countMax || bytes > bytesMax) {
      throw new RangeError(
        `a client has at most ${String(countMax)} ${what}, whose names have at most ${String(bytesMax)} bytes`,
      );
    }
  }
  return added;
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
