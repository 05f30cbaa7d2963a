/**
 * What nodes say to each other: beacons (UDP) and messages (PUB/SUB). The wire formats are in src/wire.
 *
 * Peers are named by the writer, the id of their process, because a restarted node is a new stream and
 * must not be taken for its predecessor.
 */
import type { Bytes } from "./bytes.js";
import type { KvRecord, StoredRecord } from "./record.js";
import type { Sums } from "./fingerprints.js";
import type { SeqRange } from "./stream.js";
import type { Writer } from "./version.js";

/** 16 lower-case hexadecimal digits: random, minted once for a data directory. */
export type NodeId = string;

export const STATES = ["seeking", "pulling", "live", "offline"] as const;
/** Where a node is in its bootstrap. */
export type State = (typeof STATES)[number];

/** What changes from second to second about a node. */
export interface Vitals {
  readonly nodeId: NodeId;
  readonly writer: Writer;
  /** The sender's own, uncorrected wall clock, Unix milliseconds. */
  readonly wallMs: number;
  /** Number of its last `set` message. */
  readonly head: number;
  /** Fingerprint of its whole map, 16 hexadecimal digits. */
  readonly root: string;
  /** Number of its records that are values. */
  readonly keys: number;
  readonly state: State;
}

/** One UDP datagram: who is there, and where. */
export interface Beacon extends Vitals {
  /** MurmurHash3 of the cluster's name, seed 0. */
  readonly cluster: number;
  /** At most 64 bytes of UTF-8. */
  readonly name: string;
  /** The PUB port. */
  readonly port: number;
  /** Address to connect to instead of the one the datagram came from; "" = none. */
  readonly advertise: string;
  /** Version of the software, such as "0.1.0". */
  readonly software: string;
  /** The sender is new here and wants answers at once. */
  readonly hello: boolean;
  /** The sender is about to stop. */
  readonly goodbye: boolean;
}

/** Everything a process wrote since its last turn of the event loop. */
export interface SetMessage<R = KvRecord> {
  readonly type: "set";
  readonly from: Writer;
  readonly seq: number;
  /** Empty when the record was too large to be pushed: readers then ask for it, within their window. */
  readonly records: readonly R[];
}

/** What somebody publishes to a channel, for whoever is connected and listens. */
export interface Publication {
  /** 0 to 1 024 bytes. */
  readonly channel: Bytes;
  /** 0 bytes to 1 MiB. */
  readonly payload: Bytes;
}

/** Everything a process published to channels since its last turn of the event loop: said once, and never repaired. */
export interface PublishMessage {
  readonly type: "publish";
  readonly from: Writer;
  readonly publications: readonly Publication[];
}

export interface TickMessage {
  readonly type: "tick";
  readonly from: Writer;
  readonly vitals: Vitals;
}

/** A run of buckets, both ends included, and what the asker holds there: four words a record, see src/core/held.ts. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly held: Uint32Array;
}

export type Ask =
  | { readonly of: "stream"; readonly range: SeqRange }
  | { readonly of: "buckets"; readonly spans: readonly Span[] }
  | { readonly of: "keys"; readonly keys: readonly Bytes[] };

/** What the asker lacks. */
export interface QuestionMessage {
  readonly type: "question";
  readonly from: Writer;
  /** Chosen by the asker; comes back in every part of the answer. */
  readonly id: number;
  /** About how many bytes of records the answer may carry. */
  readonly budgetBytes: number;
  readonly ask: Ask;
}

/** One part of an answer. */
export interface AnswerMessage<R = KvRecord> {
  readonly type: "answer";
  readonly from: Writer;
  readonly id: number;
  /** Counts from 0. */
  readonly part: number;
  readonly last: boolean;
  /** Where the budget ended: the sequence number, bucket or index of a key to go on from; undefined when all was answered. */
  readonly next: number | undefined;
  /** For a stream: the oldest message still in the ring; anything older must be found by fingerprints. */
  readonly tail: number;
  /** For a stream: whether records of the answered messages were left out, because newer ones are on other ways. */
  readonly omits: boolean;
  readonly records: readonly R[];
}

/** The asker's group sums. */
export interface ListMessage {
  readonly type: "list";
  readonly from: Writer;
  readonly id: number;
  readonly sums: Sums;
}

/** A group that differs. */
export interface ListedGroup {
  readonly group: number;
  readonly records: number;
  readonly bytes: number;
  /** The sums of its buckets. */
  readonly sums: Sums;
}

/** The groups whose sums differ, one level down; in parts. */
export interface ListAnswerMessage {
  readonly type: "list_answer";
  readonly from: Writer;
  readonly id: number;
  readonly part: number;
  readonly last: boolean;
  readonly groups: readonly ListedGroup[];
}

/** The sender wants to know how much of its stream the receiver holds. */
export interface ConfirmMessage {
  readonly type: "confirm";
  readonly from: Writer;
  /** Number of the sender's last `set` message. */
  readonly head: number;
}

/** What the sender holds of the receiver's stream. */
export interface ReceiptMessage {
  readonly type: "receipt";
  readonly from: Writer;
  /** Of every message up to this one, the sender holds each record, or a newer one of its key. From 1. */
  readonly seq: number;
}

export type Message<R = KvRecord> =
  | SetMessage<R>
  | PublishMessage
  | TickMessage
  | QuestionMessage
  | AnswerMessage<R>
  | ListMessage
  | ListAnswerMessage
  | ConfirmMessage
  | ReceiptMessage;

/** A message as it came: keys and values lie where they were received, which nobody changes. */
export type ReceivedMessage = Message<StoredRecord>;

export type MessageType = Message["type"];
