/**
 * The library's interface: what `open` returns.
 *
 * Keys and values are bytes. This interface shows them as UTF-8 text, so that redis-cli and JavaScript agree; wherever text
 * is taken, a Uint8Array is too, and `entry` gives the value's bytes.
 */
import type { NodeId, State } from "../core/message.js";
import type { FsyncPolicy } from "../core/saving.js";
import type { Writer } from "../core/version.js";

/** UTF-8 text, or any bytes. Keys: 1 to 1 024 bytes. Values: 0 bytes to 1 MiB. */
export type Data = string | Uint8Array;

export interface OpenOptions {
  /** Name of this node as others see it: 1 to 64 bytes. Default: the host's name. */
  readonly name?: string;
  /** Only nodes of the same cluster see each other: 1 to 64 bytes. Default: "default". */
  readonly cluster?: string;
  /** Directory that holds the node's identity and its keys. Default: the platform's place for state, see `defaultDataDir`. */
  readonly dataDir?: string;
  /** Keep nothing on disk: a new identity at every start, and no keys but those of the peers. Default: false. */
  readonly memory?: boolean;
  /**
   * When writes become durable. `always`: each resolves only when it is. `everysec`: about each second. `never`: when the
   * system likes. In all of them what was written over 50 ms ago survives the end of the process. Default: everysec; not together
   * with `memory`.
   */
  readonly fsync?: FsyncPolicy;
  /** Use only these network interfaces, such as "eth0" or "lo". Default: all that can broadcast. */
  readonly interfaces?: readonly string[];
  /** UDP port of the beacons, 1 to 65 535; the same on all nodes. Default: 5005. */
  readonly beaconPort?: number;
  /** Hosts to beacon to besides the local networks: HOST or HOST:PORT. Default: none. */
  readonly peers?: readonly string[];
  /** Whether to beacon to the local networks; false leaves only `peers`. Default: true. */
  readonly discovery?: boolean;
  /** TCP port of the PUB socket, 1 to 65 535. Default: a free one. */
  readonly port?: number;
  /** Address that peers connect to instead of the one that the beacons come from. Default: none. */
  readonly advertise?: string;
  /** Longest value, 0 to 1 048 576 bytes. Default: 1 048 576. */
  readonly valueBytesMax?: number;
}

/** What a write waits for. It stays when the wait fails. */
export interface WriteOptions {
  /** Until it is on this node's disk and survives a loss of power. Default: only with `fsync: "always"`. */
  readonly durable?: boolean;
  /**
   * Until so many peers have confirmed that they hold it, those with `fsync: "always"` durably: 0 to 256. Without a
   * signal that may be for ever. Default: 0.
   */
  readonly replicas?: number;
  /** Ends the wait for `replicas` with LANKV_REPLICAS. */
  readonly signal?: AbortSignal;
}

export interface SetOptions extends WriteOptions {
  /** The value reads as missing after so many milliseconds, 1 or more. Default: never; an earlier limit is dropped. */
  readonly ttlMs?: number;
  /** Only if the key is missing on this node. */
  readonly nx?: boolean;
  /** Only if the key exists on this node. */
  readonly xx?: boolean;
  /** Only if the key has this version on this node. */
  readonly ifVersion?: string;
}

export interface Written {
  /** The version of the write: text that sorts in the order of versions. */
  readonly version: string;
}

export interface Entry {
  readonly key: string;
  /** The value as UTF-8 text; what is not UTF-8 shows as U+FFFD. */
  readonly value: string;
  readonly bytes: Uint8Array;
  readonly version: string;
  /** The process that wrote it. */
  readonly origin: Writer;
  /** When it was written by the writer's clock, Unix milliseconds. */
  readonly updatedAt: number;
  /** When it expires or expired, Unix milliseconds; undefined = never. */
  readonly expiresAt: number | undefined;
}

export interface KeyRange {
  /** Only keys that start so. Default: all. */
  readonly prefix?: string;
  /** At most so many. Default: all. */
  readonly limit?: number;
}

export type BatchOperation =
  | { readonly type: "set"; readonly key: Data; readonly value: Data; readonly ttlMs?: number }
  | { readonly type: "delete"; readonly key: Data };

export interface PeerStatus {
  readonly nodeId: NodeId;
  readonly name: string;
  /** HOST:PORT of its PUB socket. */
  readonly address: string;
  readonly state: "up" | "quiet" | "gone";
  /** Where it is in its own bootstrap. */
  readonly phase: State;
  /** Whether messages flow both ways. */
  readonly linked: boolean;
  /** Messages of its stream that have not arrived here. */
  readonly behind: number;
  /** Time of a question and the first part of its answer; null before the first. */
  readonly rttMs: number | null;
  readonly keys: number;
  readonly root: string;
  /** Its clock less this node's, milliseconds. */
  readonly clockOffsetMs: number;
  /** Version of its software. */
  readonly version: string;
}

/** How far the keys on disk are loaded. */
export interface LoadingStatus {
  readonly records: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** 0 to 1. */
  readonly share: number;
}

/** What is kept on disk. */
export interface StorageStatus {
  readonly fsync: FsyncPolicy;
  /** Bytes that the keys take on disk. */
  readonly bytes: number;
  /** Keys whose latest write is not saved yet. */
  readonly unsaved: number;
  /** How old the oldest of these is, in milliseconds; 0 = there is none. */
  readonly unsavedMs: number;
  /** Why nothing can be saved now, and writes are refused; null = saving works. */
  readonly failing: string | null;
  /** Milliseconds since all that had been saved was last made durable; null = not since the start. */
  readonly syncedMs: number | null;
  /** What could not be read, and where it was put. */
  readonly damages: readonly DamageStatus[];
  /** Files that cannot be freed of what is superseded, so that more stays on disk than counts; each is tried again. */
  readonly stuck: readonly StuckStatus[];
}

export interface DamageStatus {
  /** The damaged file, as it is named now. */
  readonly path: string;
  readonly bytesLost: number;
  /** Records of it that could be read, and were saved again if it was set aside. */
  readonly recordsSaved: number;
  /** Whether it was set aside; it stays where it is when the disk is full or read-only. */
  readonly isSetAside: boolean;
  /** Whether somebody has removed it while the node ran. */
  readonly isMissing: boolean;
  /**
   * There when it is about.json, which says whose keys a data directory holds: what said so instead, its `copy` or the `option`
   * that the node was opened with.
   */
  readonly clusterFrom?: "copy" | "option";
}

export interface StuckStatus {
  readonly path: string;
  readonly reason: string;
}

export interface Status {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly cluster: string;
  readonly writer: Writer;
  readonly state: State;
  /** Whether everybody who is up had the same root when last heard; with nobody up, it is true. */
  readonly synced: boolean;
  readonly keys: number;
  /** How many of them have a time to live. */
  readonly expiring: number;
  /** Bytes of all keys and values. */
  readonly bytes: number;
  /** Fingerprint of everything held; equal on nodes that hold the same. */
  readonly root: string;
  /** Number of peers that are up. */
  readonly peers: number;
  readonly head: number;
  readonly conflicts: number;
  readonly uptimeMs: number;
  /** Version of the software. */
  readonly version: string;
  /** The machine's addresses that beacons go out from. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly beaconPort: number;
  /** Names of the interfaces that it uses; null = all. */
  readonly interfaces: readonly string[] | null;
  /** Whether it broadcasts. */
  readonly discovery: boolean;
  /** HOST or HOST:PORT that it beacons to whatever the networks are. */
  readonly peerHosts: readonly string[];
  readonly dataDir: string | null;
  /** Null = all keys are loaded. */
  readonly loading: LoadingStatus | null;
  /** Null = nothing is kept on disk. */
  readonly storage: StorageStatus | null;
  /** Milliseconds by which this node corrects its clock to follow the LAN. */
  readonly clockCorrectionMs: number;
  /** Datagrams and messages that were not for this node, by reason. */
  readonly ignored: Readonly<Record<string, number>>;
}

export interface ConflictStatus {
  readonly key: string;
  readonly foundAt: number;
  readonly winner: Entry;
  readonly loser: Entry;
}

export interface ReadyOptions {
  /** Wait for so many peers that are up and linked. Default: 0. */
  readonly peers?: number;
  /** Wait until everybody who is up holds the same. Default: false. */
  readonly synced?: boolean;
  /** Give up after so long with LANKV_TIMEOUT. Default: never. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Change {
  /** `expire`: the time of a value has run out, by this node's clock; or had, when the record came. */
  readonly type: "set" | "delete" | "expire";
  readonly key: string;
  /** The value as UTF-8 text; undefined unless it was set. */
  readonly value: string | undefined;
  readonly version: string;
  readonly origin: Writer;
}

export interface LankvEvents {
  change: [change: Change];
  /** A peer that was not here; one that was only quiet is not told. */
  "peer:up": [peer: PeerStatus];
  "peer:gone": [peer: PeerStatus];
  conflict: [conflict: ConflictStatus];
  state: [state: State];
  /** Saving has begun to fail, and writes are refused; or it works again. */
  storage: [storage: StorageStatus];
  error: [error: Error];
}

export interface Lankv extends AsyncDisposable {
  /**
   * Writes a value here; the peers follow.
   * @throws {RangeError} the key or value is outside its bounds
   * @throws {LankvError} LANKV_CONDITION: `nx`, `xx` or `ifVersion` did not hold; LANKV_DISK: it cannot be saved, and
   * `stateChanged` says whether it was written nevertheless; LANKV_REPLICAS: too few peers have confirmed it; LANKV_CLOSED
   */
  set(key: Data, value: Data, options?: SetOptions): Promise<Written>;
  /**
   * Reads from this node's memory. With `timeoutMs`, a missing key is asked of the peers first.
   * @returns undefined when the key is missing
   */
  get(
    key: Data,
    options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<string | undefined>;
  /** Reads from this node's memory, now. */
  peek(key: Data): string | undefined;
  entry(key: Data): Promise<Entry | undefined>;
  /**
   * @returns whether the key existed here
   * @throws {LankvError} as `set`
   */
  delete(key: Data, options?: WriteOptions): Promise<boolean>;
  has(key: Data): Promise<boolean>;
  getMany(keys: readonly Data[]): Promise<(string | undefined)[]>;
  /**
   * Applies all operations at once on this node, or none when one is invalid. Peers may see them one by one, and so may
   * whoever reads them from disk after a loss of power, unless the batch had become durable.
   * @throws {LankvError} as `set`
   */
  batch(operations: readonly BatchOperation[], options?: WriteOptions): Promise<readonly Written[]>;
  /** Keys in the order of their bytes. */
  keys(range?: KeyRange): AsyncIterable<string>;
  entries(range?: KeyRange): AsyncIterable<Entry>;
  peers(): readonly PeerStatus[];
  status(): Status;
  conflicts(): readonly ConflictStatus[];
  /**
   * Waits until the node is live, or `offline` because the machine has no network, and for what the options say.
   * @throws {LankvError} LANKV_TIMEOUT, LANKV_CLOSED
   */
  ready(options?: ReadyOptions): Promise<void>;
  on<E extends keyof LankvEvents>(event: E, listener: (...args: LankvEvents[E]) => void): this;
  off<E extends keyof LankvEvents>(event: E, listener: (...args: LankvEvents[E]) => void): this;
  once<E extends keyof LankvEvents>(event: E, listener: (...args: LankvEvents[E]) => void): this;
  /**
   * Lets the peers take what was written here in the last seconds, says goodbye to them and frees everything. It waits
   * for two seconds since a peer last took something, and for eight in all; then for the disk, at most ten. Idempotent.
   * @throws {LankvError} LANKV_DISK: what was written last is not on disk; everything is closed nevertheless
   */
  close(): Promise<void>;
}
