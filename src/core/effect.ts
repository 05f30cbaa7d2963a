/**
 * What goes into the core and what comes out of it. The core does no I/O: whoever drives it (the node, or the
 * simulator) passes inputs with the time and carries out the effects, in order.
 */
import type { Beacon, Message, NodeId, Publication, ReceivedMessage, State } from "./message.js";
import type { Peer } from "./peer.js";
import type { KvRecord, Replaced, StoredRecord } from "./record.js";
import type { Bytes } from "./bytes.js";
import type { Writer } from "./version.js";

/** The time of an input. */
export interface Now {
  /** A clock that never jumps, and counts while the process is stopped; only differences mean anything. */
  readonly monoMs: number;
  /** The machine's wall clock, Unix milliseconds; may jump. */
  readonly wallMs: number;
}

export type Input =
  /**
   * The first input: the sockets are bound. With `loading`, records are yet to be restored: until `loaded` this node
   * is there and hears everything, but does not look for what it lacks, and the driver takes no writes.
   */
  | { readonly type: "start"; readonly online: boolean; readonly loading?: boolean }
  /** Everything was restored. */
  | { readonly type: "loaded" }
  /** A step of saving has ended: more may be durable now. */
  | { readonly type: "saved" }
  /** The machine's addresses changed, or all networks went away. */
  | { readonly type: "network"; readonly online: boolean }
  /** A beacon of this cluster; `from` is the address that it came from. */
  | { readonly type: "beacon"; readonly beacon: Beacon; readonly from: string }
  /** A message from the mesh. */
  | { readonly type: "message"; readonly message: ReceivedMessage }
  /** A peer subscribed to the messages that are for it, perhaps not for the first time, or the last of its subscriptions ended. */
  | { readonly type: "subscription"; readonly writer: Writer; readonly present: boolean }
  /** The turn of the event loop in which something was written is over. */
  | { readonly type: "flush" }
  /** Somebody waits for a key that is missing here: ask the others until `untilMs` (monotonic). */
  | { readonly type: "seek"; readonly key: Bytes; readonly untilMs: number }
  /** Somebody waits until peers hold every message up to `seq` of the own stream; 0 = nobody waits any more. */
  | { readonly type: "confirm"; readonly seq: number }
  /** The time that `wakeAtMs` named has come. */
  | { readonly type: "wake" }
  /** The node is about to stop. */
  | { readonly type: "stop" };

/** `up`: new here; `quiet`: not heard for a while; `back`: heard again after that; `gone`: given up. */
export type PeerChange = "up" | "quiet" | "back" | "gone";

export type Effect =
  /** Send the beacon to all interfaces, and to these addresses where no broadcast reaches them. */
  | { readonly type: "beacon"; readonly beacon: Beacon; readonly hosts: readonly string[] }
  /** Publish a message; `to` undefined = to all. */
  | { readonly type: "publish"; readonly message: Message; readonly to: Writer | undefined }
  | { readonly type: "connect"; readonly endpoint: string }
  | { readonly type: "disconnect"; readonly endpoint: string }
  /** Records of others that were applied; `replaced[i]` is what was held before `records[i]`. */
  | {
      readonly type: "applied";
      readonly records: readonly StoredRecord[];
      readonly replaced: readonly (Replaced | undefined)[];
    }
  /** The time of values that were here has run out: what remains of them. At most once for each write. */
  | { readonly type: "expired"; readonly records: readonly KvRecord[] }
  /** Messages to channels, of one peer. */
  | { readonly type: "published"; readonly publications: readonly Publication[] }
  /** A peer holds more of the own stream than it had confirmed: everything up to `peer.confirmed`. */
  | { readonly type: "confirmed"; readonly peer: Peer }
  /** `loser` was overwritten by a write that had not seen it. */
  | { readonly type: "conflict"; readonly winner: KvRecord; readonly loser: KvRecord }
  | { readonly type: "state"; readonly state: State }
  | { readonly type: "peer"; readonly change: PeerChange; readonly peer: Peer }
  /** Another process runs with this node's id (a copied data directory); this node now has a new one. */
  | { readonly type: "identity"; readonly nodeId: NodeId }
  /** Every peer was asked for the key, and nobody has it; or the time is up. */
  | { readonly type: "sought"; readonly key: Bytes };

/** Where the parts of the core put their effects. */
export type Emit = (effect: Effect) => void;
