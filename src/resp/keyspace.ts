/**
 * What the Redis-protocol server needs of a node: the keys, and what the LANKV commands show. Everything is bytes.
 */
import type { Bytes } from "../core/bytes.js";
import type { Conflict } from "../core/conflicts.js";
import type { LankvError } from "../core/error.js";
import type { Snapshot } from "../core/record-map.js";
import type { KvRecord, RecordHead, Replaced, StoredRecord } from "../core/record.js";

export interface Keyspace {
  /** Set when a write may be acknowledged only once it is durable. */
  readonly durability: Durability | undefined;
  /** Whether what is on disk is not all here yet: nothing can be read or written. */
  readonly isLoading: boolean;
  /** Why nothing can be written now, LANKV_DISK; undefined = it can. */
  readonly refusal: LankvError | undefined;
  /** Whether saving is behind, so that who writes should wait for {@link Keyspace.onCaughtUp}. */
  readonly isBehind: boolean;
  /**
   * Calls back once, when saving is not behind any more, or fails.
   * @returns withdraws it
   */
  onCaughtUp(goOn: () => void): () => void;
  /** How many keys hold a value. */
  readonly size: number;
  /** The record of a key that holds a value now; undefined when it is deleted, expired or was never written. */
  get(key: Bytes): KvRecord | undefined;
  /** These keys will be looked for next, in this order. Changes nothing but how fast they are found. */
  expect(keys: readonly Bytes[]): void;
  /** The value of that record alone, which takes less. */
  value(key: Bytes): Bytes | undefined;
  /** @throws {RangeError} the key or value is outside its bounds */
  checkSize(key: Bytes, value?: Bytes): void;
  /**
   * Writes a value.
   * @param expiresAtMs corrected Unix milliseconds; undefined = never
   * @throws {RangeError} the key or value is outside its bounds
   * @throws {LankvError} LANKV_STAMPS, LANKV_DISK, LANKV_CLOSED
   */
  set(key: Bytes, value: Bytes, expiresAtMs?: number): KvRecord;
  /** @returns whether the key held a value */
  delete(key: Bytes): boolean;
  /** The records of a bucket that hold a value now, in no particular order. */
  bucket(index: number): Iterable<KvRecord>;
  /** Their keys, and undefined for each record that holds none: where nearly all are dead, walking takes time, too. */
  bucketKeys(index: number): Iterable<Bytes | undefined>;
  /** As `bucketKeys`, of all buckets; what is written during a walk may be met or not. */
  keys(): Iterable<Bytes | undefined>;
  /** What is held of every key at this moment, values and tombstones: a copy of the versions, 16 bytes a key. */
  snapshot(): Snapshot;
  /** The corrected clock, by which keys expire: Unix milliseconds. */
  nowMs(): number;
  /** As `get`, but a missing key is asked of the peers for at most `timeoutMs`. */
  seek(key: Bytes, timeoutMs: number, signal: AbortSignal): Promise<KvRecord | undefined>;
  /**
   * Waits until the node is live, sees so many peers and, if `synced`, holds the same as they do.
   * @throws {LankvError} LANKV_TIMEOUT
   */
  ready(options: ReadyDemand): Promise<void>;
  status(): KeyspaceStatus;
  peers(): readonly object[];
  /** The latest concurrent writes that lost, oldest first. */
  conflicts(): readonly Conflict[];
  /** The last write to a key that this node knows of, whatever it was and however long it holds: a value, or a tombstone. */
  lastWrite(key: Bytes): RecordHead | undefined;
  /** The record of some key that holds a value now, by chance; undefined when there is none. */
  random(): KvRecord | undefined;
  /** Gives a message to whoever listens to the channel on the other nodes, who may miss it. */
  publish(channel: Bytes, payload: Bytes): void;
  /**
   * Waits until so many peers have confirmed that they hold everything written here so far, or the time is up.
   * @param timeoutMs 0 = no limit but the signal
   * @returns how many have
   */
  confirmed(peers: number, timeoutMs: number, signal: AbortSignal): Promise<number>;
  /**
   * Waits until everything written so far is durable; not at all when nothing is kept on disk.
   * @throws {LankvError} LANKV_DISK
   */
  sync(): Promise<void>;
  /**
   * Copies everything on disk into a directory that is missing or empty.
   * @throws {RangeError} it is neither, or nothing is kept on disk
   * @throws {LankvError} LANKV_DISK, or an error of the system
   */
  backup(directory: string): Promise<void>;
  /** From now on the listener is told; there is one listener. */
  listen(listener: KeyspaceListener): void;
  /**
   * Asks the program to end, and waits until all that it keeps is on disk.
   * @throws {LankvError} LANKV_DISK: not all of it is; the program ends nevertheless
   */
  stop(): Promise<void>;
}

/** What is on disk, and what will be. */
export interface Durability {
  /** Counts the writes of commands. */
  readonly writes: number;
  /** Everything written so far is durable once {@link Durability.durable} is not less than this. */
  readonly ticket: number;
  readonly durable: number;
  /**
   * Calls back later: when everything before the ticket is durable, or with LANKV_DISK when nobody knows whether it will be.
   * @returns withdraws it
   */
  onDurable(ticket: number, end: (failure: LankvError | undefined) => void): () => void;
}

/** Is told what no command of this node did. */
export interface KeyspaceListener {
  /** Other nodes wrote these; `replaced[i]` is what was held here before `records[i]`, alive or not. */
  changed(records: readonly StoredRecord[], replaced: readonly (Replaced | undefined)[]): void;
  /** The time of these keys has run out. */
  expired(keys: readonly Bytes[]): void;
  /** A message of another node. */
  published(channel: Bytes, payload: Bytes): void;
}

export interface ReadyDemand {
  readonly peers: number;
  readonly synced: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What INFO shows; LANKV.STATUS shows all that the object has. */
export interface KeyspaceStatus {
  readonly nodeId: string;
  readonly name: string;
  readonly cluster: string;
  readonly state: string;
  readonly peers: number;
  readonly keys: number;
  /** How many of them have a time to live. */
  readonly expiring: number;
  readonly bytes: number;
  readonly root: string;
  readonly uptimeMs: number;
  readonly version: string;
  /** Null = all that is on disk is here. */
  readonly loading: {
    readonly bytesDone: number;
    readonly bytesTotal: number;
    readonly share: number;
  } | null;
  /** Null = nothing is kept on disk. */
  readonly storage: KeyspaceStorage | null;
}

export interface KeyspaceStorage {
  readonly fsync: "always" | "everysec" | "never";
  readonly bytes: number;
  readonly unsaved: number;
  readonly failing: string | null;
}
