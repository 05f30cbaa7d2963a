/** What a node tells in its process. */
import type { Bytes } from "../core/bytes.js";
import type { Effect, PeerChange } from "../core/effect.js";
import type { State } from "../core/message.js";
import type { Peer } from "../core/peer.js";
import type { KvRecord } from "../core/record.js";

export interface NodeEvents {
  /** Records that changed, written here or elsewhere. */
  changed: [records: readonly KvRecord[]];
  /** Those written elsewhere, and what was held here before each, alive or not. */
  applied: [records: readonly KvRecord[], replaced: readonly (KvRecord | undefined)[]];
  /** The time of values has run out: what remains of them. */
  expired: [records: readonly KvRecord[]];
  /** A peer has given a message to whoever listens to the channel. */
  published: [channel: Bytes, payload: Bytes];
  conflict: [winner: KvRecord, loser: KvRecord];
  state: [state: State];
  peer: [change: PeerChange, peer: Peer];
  /** A key that `seek` asked for is here, or nobody has it. */
  sought: [key: Bytes];
  /** The turn of the event loop in which something was written is over. */
  turn: [];
  /** The node is closed: what somebody waits for will not come. */
  closed: [];
  error: [error: Error];
}

/** The effects that are told to listeners. */
export const NEWS: ReadonlySet<Effect["type"]> = new Set([
  "applied",
  "expired",
  "published",
  "conflict",
  "state",
  "peer",
  "sought",
] as const);
