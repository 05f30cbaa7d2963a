/**
 * Keyspace events: what happens to keys, as messages on channels of this node.
 *
 * What a command of this node did, it tells itself, in the words of Redis. What other nodes wrote comes as records:
 * the words are found by comparing a record with what it replaced, so that a listener hears what it can see. Every
 * node tells its own listeners; no event goes over the LAN.
 */
import type { Bytes } from "../core/bytes.js";
import {
  isAlive,
  isRemains,
  storedToRecord,
  type KvRecord,
  type Replaced,
  type StoredRecord,
} from "../core/record.js";
import type { Keyspace } from "./keyspace.js";
import type { Hub } from "./subscriptions.js";

/** The class of an event, by which `notify-keyspace-events` chooses: generic, string, expired, new key. */
export type EventClass = "g" | "$" | "x" | "n";

/** All that there are in Redis; those of types that are not here never happen. */
const CLASSES = "g$lshzxetdnm";
/** What "A" stands for. */
const ALL = "g$lshzxetd";
const KEYSPACE = "K";
const KEYEVENT = "E";

export class Notifications {
  readonly #hub: Hub;
  readonly #keyspace: Keyspace;
  #flags: ReadonlySet<string> = new Set();

  /** @param flags as {@link Notifications.set} takes them */
  constructor(hub: Hub, keyspace: Keyspace, flags: Bytes) {
    this.#hub = hub;
    this.#keyspace = keyspace;
    this.set(flags);
  }

  /** The chosen classes and channels, as Redis writes them. */
  get flags(): Bytes {
    const chosen = (letters: string): string => [...letters].filter((each) => this.#flags.has(each)).join("");
    const classes = chosen(ALL) === ALL ? "A" : chosen(`${ALL}n`);
    return `${classes}${chosen(`${KEYSPACE}${KEYEVENT}m`)}`;
  }

  /**
   * Chooses classes of events: K and E the channels, A all classes but m and n; "" = none.
   * @throws {RangeError} a letter that Redis does not know either
   */
  set(flags: Bytes): void {
    this.#flags = readFlags(flags);
  }

  /** Whether somebody may be told of such events. */
  hears(eventClass: EventClass): boolean {
    return this.#hub.hasKeyListeners && this.#flags.has(eventClass);
  }

  notify(eventClass: EventClass, event: string, key: Bytes): void {
    if (!this.hears(eventClass)) return;
    if (this.#flags.has(KEYSPACE)) this.#hub.publish(`__keyspace@0__:${key}`, event);
    if (this.#flags.has(KEYEVENT)) this.#hub.publish(`__keyevent@0__:${event}`, key);
  }

  /** Tells what other nodes' writes did. */
  changed(records: readonly StoredRecord[], replaced: readonly (Replaced | undefined)[]): void {
    if (!this.#hub.hasKeyListeners) return;
    const nowMs = this.#keyspace.nowMs();
    records.forEach((record, at) => {
      const before = replaced[at];
      this.#tell(
        storedToRecord(record),
        before !== undefined && isAlive(before, nowMs) ? before : undefined,
        nowMs,
      );
    });
  }

  expired(keys: readonly Bytes[]): void {
    if (!this.#hub.hasKeyListeners) return;
    for (const key of keys) this.notify("x", "expired", key);
  }

  /** @param before what could be read until now */
  #tell(record: KvRecord, before: Replaced | undefined, nowMs: number): void {
    const { key, kind, value, expiresAtMs } = record;
    if (kind === "tombstone") {
      if (before === undefined) return;
      if (isRemains(record)) this.notify("x", "expired", key);
      else this.notify("g", "del", key);
      return;
    }
    // What arrives after its time is told of as expired, by whoever watches the clock.
    if (!isAlive(record, nowMs)) return;
    // The same value under another limit is the limit's change; under the same limit it was written again, as a heartbeat is.
    if (before?.value !== value || before.expiresAtMs === expiresAtMs) {
      if (before === undefined) this.notify("n", "new", key);
      this.notify("$", "set", key);
      if (expiresAtMs !== undefined) this.notify("g", "expire", key);
    } else {
      this.notify("g", expiresAtMs === undefined ? "persist" : "expire", key);
    }
  }
}

/** @throws {RangeError} a letter that Redis does not know either */
export function readFlags(flags: Bytes): ReadonlySet<string> {
  const letters = new Set(flags.replace(/A/g, () => ALL));
  for (const letter of letters) {
    if (!`${CLASSES}${KEYSPACE}${KEYEVENT}`.includes(letter)) {
      throw new RangeError("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
    }
  }
  return letters;
}
