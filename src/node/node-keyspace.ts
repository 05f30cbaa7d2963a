/** A node as the Redis-protocol server sees it: values that are deleted or expired are not there. */
import type { Bytes } from "../core/bytes.js";
import type { Conflict } from "../core/conflicts.js";
import type { LankvError } from "../core/error.js";
import type { Snapshot } from "../core/record-map.js";
import { isAlive, type KvRecord, type RecordHead } from "../core/record.js";
import type { Durability, Keyspace, KeyspaceListener, ReadyDemand } from "../resp/keyspace.js";
import type { PeerStatus, Status } from "./lankv.js";
import type { Node } from "./node.js";
import { random } from "./ambient.js";
import { ready } from "./ready.js";
import { sought } from "./sought.js";
import { peersOf, statusOf } from "./status.js";
import { valueOf } from "./value.js";

/** How many records are tried by chance for one that lives, before all are walked. */
const RANDOM_TRIES_MAX = 64;

export class NodeKeyspace implements Keyspace {
  readonly stop: () => Promise<void>;
  readonly durability: Durability | undefined;
  readonly #node: Node;
  #writes = 0;

  constructor(node: Node, stop: () => Promise<void>) {
    this.#node = node;
    this.stop = stop;
    const { disk } = node;
    if (disk?.isStrict !== true) return;
    const writes = (): number => this.#writes;
    this.durability = {
      get writes() {
        return writes();
      },
      get ticket() {
        return disk.ticket;
      },
      get durable() {
        return disk.durableTicket;
      },
      onDurable: (ticket, end) => disk.saver.onDurable(ticket, end),
    };
  }

  get isLoading(): boolean {
    return this.#node.disk?.loading !== undefined;
  }

  get refusal(): LankvError | undefined {
    return this.#node.disk?.saver.refusal;
  }

  get isBehind(): boolean {
    return this.#node.disk?.saver.isBehind === true;
  }

  onCaughtUp(goOn: () => void): () => void {
    const { disk } = this.#node;
    if (disk !== undefined) return disk.saver.onCaughtUp(goOn);
    const next = setImmediate(goOn);
    return () => {
      clearImmediate(next);
    };
  }

  get size(): number {
    return this.#node.map.aliveAt(this.#node.nowMs());
  }

  get(key: Bytes): KvRecord | undefined {
    return this.#node.read(key);
  }

  value(key: Bytes): Bytes | undefined {
    return valueOf(this.#node, key);
  }

  expect(keys: readonly Bytes[]): void {
    this.#node.map.expect(keys);
  }

  checkSize(key: Bytes, value?: Bytes): void {
    this.#node.checkSize(key, value);
  }

  set(key: Bytes, value: Bytes, expiresAtMs?: number): KvRecord {
    const record = this.#node.write(key, value, expiresAtMs);
    this.#writes += 1;
    return record;
  }

  delete(key: Bytes): boolean {
    if (this.#node.read(key) === undefined) return false;
    this.#node.write(key, undefined);
    this.#writes += 1;
    return true;
  }

  bucket(index: number): Iterable<KvRecord> {
    return living(this.#node.map.bucket(index), this.#node.nowMs());
  }

  *bucketKeys(index: number): Generator<Bytes | undefined, void> {
    const nowMs = this.#node.nowMs();
    for (const number of this.#node.map.numbersIn(index)) {
      const head = this.#node.map.headAt(number);
      if (head !== undefined) yield isAlive(head, nowMs) ? head.key : undefined;
    }
  }

  *keys(): Generator<Bytes | undefined, void> {
    const nowMs = this.#node.nowMs();
    for (const head of this.#node.map.heads()) yield isAlive(head, nowMs) ? head.key : undefined;
  }

  snapshot(): Snapshot {
    return this.#node.map.snapshot();
  }

  nowMs(): number {
    return this.#node.nowMs();
  }

  async seek(key: Bytes, timeoutMs: number, signal: AbortSignal): Promise<KvRecord | undefined> {
    // Nobody waits for the reply to a client that has gone.
    await sought(this.#node, key, timeoutMs, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
    return this.#node.read(key);
  }

  ready(demand: ReadyDemand): Promise<void> {
    return ready(this.#node, demand);
  }

  status(): Status {
    return statusOf(this.#node);
  }

  peers(): readonly PeerStatus[] {
    return peersOf(this.#node);
  }

  conflicts(): readonly Conflict[] {
    return this.#node.replica.conflicts.list();
  }

  lastWrite(key: Bytes): RecordHead | undefined {
    return this.#node.map.head(key);
  }

  /** Tries records by chance. When nearly all are dead, some live one by its number among them: a walk over all. */
  random(): KvRecord | undefined {
    const { map } = this.#node;
    const nowMs = this.#node.nowMs();
    if (map.values === 0) return undefined;
    for (let tries = 0; tries < RANDOM_TRIES_MAX; tries += 1) {
      const number = Math.floor(random() * map.records);
      const head = map.headAt(number);
      if (head !== undefined && isAlive(head, nowMs)) return map.at(number);
    }
    let left = Math.floor(random() * map.values);
    let last = -1;
    for (let index = 0; index < map.records && left >= 0; index += 1) {
      const head = map.headAt(index);
      if (head === undefined || !isAlive(head, nowMs)) continue;
      last = index;
      left -= 1;
    }
    return map.at(last);
  }

  publish(channel: Bytes, payload: Bytes): void {
    this.#node.publish(channel, payload);
  }

  confirmed(peers: number, timeoutMs: number, signal: AbortSignal): Promise<number> {
    return this.#node.confirmed(peers, timeoutMs, signal);
  }

  async sync(): Promise<void> {
    await this.#node.disk?.saver.durable();
  }

  async backup(directory: string): Promise<void> {
    const { disk } = this.#node;
    if (disk === undefined)
      throw new RangeError("there is nothing on disk: the node was started with --memory");
    await disk.backup(directory);
  }

  listen(listener: KeyspaceListener): void {
    this.#node.on("applied", (records, replaced) => {
      listener.changed(records, replaced);
    });
    this.#node.on("expired", (records) => {
      listener.expired(records.map(({ key }) => key));
    });
    this.#node.on("published", (channel, payload) => {
      listener.published(channel, payload);
    });
  }
}

function* living(records: Iterable<KvRecord>, nowMs: number): Generator<KvRecord, void> {
  for (const record of records) if (isAlive(record, nowMs)) yield record;
}
