import type { Bytes } from "../../../src/core/bytes.js";
import type { Conflict } from "../../../src/core/conflicts.js";
import { LankvError } from "../../../src/core/error.js";
import { bucketOf } from "../../../src/core/hash.js";
import type { Snapshot } from "../../../src/core/record-map.js";
import type { KvRecord } from "../../../src/core/record.js";
import { wallToStamp } from "../../../src/core/version.js";
import type {
  Keyspace,
  KeyspaceListener,
  KeyspaceStatus,
  KeyspaceStorage,
  ReadyDemand,
} from "../../../src/resp/keyspace.js";
import type { FakeDisk } from "./fake-disk.js";

const writer = "00000000000000aa";

/** A keyspace of one process, whose clock the test turns. */
export class MemoryKeyspace implements Keyspace {
  wallMs = 1_700_000_000_000;
  stops = 0;
  /** Keys that only the peers have. */
  readonly elsewhere = new Map<Bytes, Bytes>();
  readonly lost: Conflict[] = [];
  /** Called by `ready`; default: it is ready. */
  onReady: (demand: ReadyDemand) => Promise<void> = async () => undefined;
  /** What was published on the LAN. */
  readonly published: (readonly [channel: Bytes, payload: Bytes])[] = [];
  /** How many peers `confirmed` finds. */
  confirmations = 0;
  listener: KeyspaceListener | undefined;
  durability: FakeDisk | undefined;
  isLoading = false;
  refusal: LankvError | undefined;
  isBehind = false;
  /** Who waits for saving to catch up. */
  readonly resting = new Set<() => void>();
  storage: KeyspaceStorage | null = null;
  readonly backups: string[] = [];
  syncs = 0;
  /** Of which keys it was told that they will be looked for. */
  readonly expected: Bytes[] = [];
  readonly #records = new Map<Bytes, KvRecord>();
  readonly #buckets = new Map<number, Set<Bytes>>();
  readonly #tombstones = new Map<Bytes, KvRecord>();
  #ticks = 0;

  onCaughtUp(goOn: () => void): () => void {
    this.resting.add(goOn);
    return () => {
      this.resting.delete(goOn);
    };
  }

  catchUp(): void {
    this.isBehind = false;
    const resting = [...this.resting];
    this.resting.clear();
    for (const goOn of resting) goOn();
  }

  get size(): number {
    return this.#records.size;
  }

  get(key: Bytes): KvRecord | undefined {
    const record = this.#records.get(key);
    if (record?.expiresAtMs !== undefined && record.expiresAtMs <= this.wallMs) return undefined;
    return record;
  }

  value(key: Bytes): Bytes | undefined {
    return this.get(key)?.value;
  }

  expect(keys: readonly Bytes[]): void {
    this.expected.push(...keys);
  }

  checkSize(key: Bytes, value: Bytes = ""): void {
    if (key.length < 1 || key.length > 1024) throw new RangeError("key must have 1 to 1024 bytes");
    if (value.length > 1_048_576) throw new RangeError("value must have at most 1048576 bytes");
  }

  set(key: Bytes, value: Bytes, expiresAtMs?: number): KvRecord {
    this.checkSize(key, value);
    this.durability?.add(key);
    this.#ticks += 1;
    const stamp = wallToStamp(this.wallMs) + this.#ticks;
    const record: KvRecord = { key, value, kind: "value", stamp, writer, expiresAtMs, replaces: [] };
    this.#records.set(key, record);
    this.#tombstones.delete(key);
    const bucket = this.#buckets.get(bucketOf(key)) ?? new Set();
    this.#buckets.set(bucketOf(key), bucket.add(key));
    return record;
  }

  delete(key: Bytes): boolean {
    const held = this.get(key);
    if (held === undefined) return false;
    this.durability?.add(key);
    this.#ticks += 1;
    const stamp = wallToStamp(this.wallMs) + this.#ticks;
    this.#tombstones.set(key, { ...held, kind: "tombstone", value: "", stamp, expiresAtMs: undefined });
    return this.#records.delete(key);
  }

  /** As a node does with a value whose time has run out: what is left has its version. */
  sweep(key: Bytes): void {
    const held = this.#records.get(key);
    if (held === undefined) return;
    this.#tombstones.set(key, { ...held, kind: "tombstone", value: "" });
    this.#records.delete(key);
  }

  bucket(index: number): Iterable<KvRecord> {
    return [...(this.#buckets.get(index) ?? [])].flatMap((key) => this.#records.get(key) ?? []);
  }

  bucketKeys(index: number): Iterable<Bytes> {
    return [...this.bucket(index)].map(({ key }) => key);
  }

  keys(): Iterable<Bytes> {
    return [...this.#records.keys()];
  }

  snapshot(): Snapshot {
    const records = [...this.#records.values()];
    const isCurrent = (record: KvRecord | undefined): boolean =>
      record !== undefined && this.#records.get(record.key) === record;
    return {
      records: records.length,
      at: (index) => (isCurrent(records[index]) ? records[index] : undefined),
    };
  }

  nowMs(): number {
    return this.wallMs;
  }

  async seek(key: Bytes): Promise<KvRecord | undefined> {
    const value = this.elsewhere.get(key);
    return value === undefined ? undefined : this.set(key, value);
  }

  async ready(demand: ReadyDemand): Promise<void> {
    if (demand.timeoutMs === 1) throw new LankvError("LANKV_TIMEOUT", "Not ready after 1 ms: alone.");
    await this.onReady(demand);
  }

  status(): KeyspaceStatus {
    return {
      nodeId: "00000000000000bb",
      name: "küche",
      cluster: "default",
      state: "live",
      peers: 0,
      keys: this.size,
      expiring: [...this.#records.values()].filter(({ expiresAtMs }) => expiresAtMs !== undefined).length,
      bytes: 0,
      root: "0000000000000000",
      uptimeMs: 12_345,
      version: "0.1.0",
      loading: this.isLoading ? { bytesDone: 250, bytesTotal: 1_000, share: 0.25 } : null,
      storage: this.storage,
    };
  }

  peers(): readonly object[] {
    return [{ name: "attic" }];
  }

  conflicts(): readonly Conflict[] {
    return this.lost;
  }

  lastWrite(key: Bytes): KvRecord | undefined {
    return this.#records.get(key) ?? this.#tombstones.get(key);
  }

  random(): KvRecord | undefined {
    return [...this.#records.values()].find((record) => this.get(record.key) !== undefined);
  }

  publish(channel: Bytes, payload: Bytes): void {
    this.published.push([channel, payload]);
  }

  async confirmed(): Promise<number> {
    return this.confirmations;
  }

  listen(listener: KeyspaceListener): void {
    this.listener = listener;
  }

  async sync(): Promise<void> {
    this.syncs += 1;
  }

  async backup(directory: string): Promise<void> {
    this.backups.push(directory);
  }

  stop(): Promise<void> {
    this.stops += 1;
    return Promise.resolve();
  }
}
