/** What a node tells in its process. */
import type { Bytes } from "../core/bytes.js";
import type { Effect, PeerChange } from "../core/effect.js";
import type { State } from "../core/message.js";
import type { Peer } from "../core/peer.js";
import type { KvRecord, Replaced, StoredRecord } from "../core/record.js";
import type { LoadReport } from "./disk.js";
import type { DamageStatus, LoadingStatus } from "./lankv.js";

export interface NodeEvents {
  /** Records that changed, written here or elsewhere. */
  changed: [records: readonly StoredRecord[]];
  /** Those written elsewhere, and what was held here before each, alive or not. */
  applied: [records: readonly StoredRecord[], replaced: readonly (Replaced | undefined)[]];
  /** The time of values has run out: what remains of them. */
  expired: [records: readonly KvRecord[]];
  /** A peer has given a message to whoever listens to the channel. */
  published: [channel: Bytes, payload: Bytes];
  conflict: [winner: KvRecord, loser: KvRecord];
  state: [state: State];
  peer: [change: PeerChange, peer: Peer];
  /** A key that `seek` asked for is here, or nobody has it. */
  sought: [key: Bytes];
  /** A part of what is on disk was loaded. */
  loading: [loading: LoadingStatus];
  /** Everything on disk was loaded. */
  loaded: [report: LoadReport];
  /** Parts of what is on disk were found damaged. */
  damage: [damages: readonly DamageStatus[]];
  /** Saving has begun to fail, or works again: undefined. */
  storage: [failure: Error | undefined];
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
