/**
 * `open`: a node in this process, seen as text.
 */
import { EventEmitter } from "node:events";
import { inspect } from "node:util";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Bytes } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import { isRemains, storedToRecord, type KvRecord, type StoredRecord } from "../core/record.js";
import { versionToText } from "../core/version.js";
import { callListener } from "../net/listener.js";
import { wallMs } from "./ambient.js";
import type {
  BatchOperation,
  Change,
  ConflictStatus,
  Data,
  Entry,
  KeyRange,
  Lankv,
  LankvEvents,
  OpenOptions,
  PeerStatus,
  ReadyOptions,
  SetOptions,
  Status,
  WriteOptions,
  Written,
} from "./lankv.js";
import { Node } from "./node.js";
import { checkAmount, checkNames, OPTION_NAMES, resolveOptions } from "./options.js";
import { ready } from "./ready.js";
import { conflictsOf, conflictStatus, peersOf, peerStatus, statusOf, toEntry } from "./status.js";
import { sought } from "./sought.js";
import { toBytes, toText } from "./text.js";
import { valueOf } from "./value.js";
import { checkWaits, waited } from "./write-waits.js";

/** Records that are looked through in one turn of the event loop. */
const RECORDS_PER_TURN = 20_000;

/**
 * Opens a node in this process, with all that it has on disk. It starts to look for peers at once; `ready()` waits for
 * them.
 * @throws {TypeError} an option of the wrong type
 * @throws {RangeError} an option outside its bounds
 * @throws {LankvError} LANKV_PORT, LANKV_INTERFACE, LANKV_DATA_DIR, LANKV_DATA_FORMAT, LANKV_DATA_CLUSTER, LANKV_IN_USE;
 * nothing is left open
 */
export async function open(options: OpenOptions = {}): Promise<Lankv> {
  checkNames(options, OPTION_NAMES);
  const node = await Node.open(resolveOptions(options));
  try {
    await node.loaded;
  } catch (error) {
    await node.close();
    throw error;
  }
  return new OpenNode(node);
}

class OpenNode extends EventEmitter<LankvEvents> implements Lankv {
  readonly #node: Node;

  constructor(node: Node) {
    super();
    this.#node = node;
    node.on("conflict", (winner, loser) => {
      if (this.listenerCount("conflict") === 0) return;
      this.emit("conflict", conflictStatus({ winner, loser, foundAtMs: wallMs() }));
    });
    node.on("state", (state) => this.emit("state", state));
    node.on("peer", (change, peer) => {
      if (change === "up") this.emit("peer:up", peerStatus(peer));
      else if (change === "gone") this.emit("peer:gone", peerStatus(peer));
    });
    node.on("error", (error) => {
      if (this.listenerCount("error") > 0) this.emit("error", error);
    });
    node.on("storage", () => {
      const storage = node.disk?.status();
      if (storage !== undefined) this.emit("storage", storage);
    });
    node.on("changed", (records) => this.#tell(records));
    node.on("expired", (records) => this.#tell(records));
  }

  async set(key: Data, value: Data, options: SetOptions = NO_OPTIONS): Promise<Written> {
    const keyBytes = toBytes("key", key);
    this.#checkWaits(options, SET_NAMES);
    this.#checkCondition(keyBytes, options);
    const record = this.#node.write(keyBytes, toBytes("value", value), this.#expiry(options.ttlMs));
    if (this.#mustWait(options)) await waited(this.#node, options);
    return new WrittenRecord(record);
  }

  get(key: Data, options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<string | undefined> {
    // Reading what is here is the hot path: no more than one promise.
    if (options !== undefined) return this.#getOrSeek(key, options);
    try {
      return Promise.resolve(this.peek(key));
    } catch (error) {
      return Promise.reject(toError(error));
    }
  }

  peek(key: Data): string | undefined {
    const value = valueOf(this.#node, toBytes("key", key));
    return value === undefined ? undefined : toText(value);
  }

  entry(key: Data): Promise<Entry | undefined> {
    return promised(() => {
      const record = this.#node.read(toBytes("key", key));
      return record === undefined ? undefined : toEntry(record);
    });
  }

  async delete(key: Data, options: WriteOptions = NO_OPTIONS): Promise<boolean> {
    const keyBytes = toBytes("key", key);
    this.#checkWaits(options, WAIT_NAMES);
    if (this.#node.read(keyBytes) === undefined) return false;
    this.#node.write(keyBytes, undefined);
    if (this.#mustWait(options)) await waited(this.#node, options);
    return true;
  }

  has(key: Data): Promise<boolean> {
    return promised(() => this.#node.read(toBytes("key", key)) !== undefined);
  }

  getMany(keys: readonly Data[]): Promise<(string | undefined)[]> {
    return promised(() => keys.map((key) => this.peek(key)));
  }

  async batch(
    operations: readonly BatchOperation[],
    options: WriteOptions = NO_OPTIONS,
  ): Promise<readonly Written[]> {
    this.#checkWaits(options, WAIT_NAMES);
    const writes = operations.map((operation) => {
      checkType(operation.type);
      const key = toBytes("key", operation.key);
      const value = operation.type === "set" ? toBytes("value", operation.value) : undefined;
      this.#node.checkSize(key, value);
      return {
        key,
        value,
        expiresAtMs: operation.type === "set" ? this.#expiry(operation.ttlMs) : undefined,
      };
    });
    const records = writes.map(({ key, value, expiresAtMs }) => this.#node.write(key, value, expiresAtMs));
    if (this.#mustWait(options)) await waited(this.#node, options);
    return records.map((record) => new WrittenRecord(record));
  }

  async *keys(range: KeyRange = {}): AsyncGenerator<string> {
    for (const key of await this.#keysIn(range)) yield toText(key);
  }

  async *entries(range: KeyRange = {}): AsyncGenerator<Entry> {
    for (const key of await this.#keysIn(range)) {
      const record = this.#node.read(key);
      if (record !== undefined) yield toEntry(record);
    }
  }

  peers(): readonly PeerStatus[] {
    return peersOf(this.#node);
  }

  status(): Status {
    return statusOf(this.#node);
  }

  conflicts(): readonly ConflictStatus[] {
    return conflictsOf(this.#node);
  }

  async ready(options: ReadyOptions = {}): Promise<void> {
    checkNames(options, READY_NAMES);
    checkAmount("peers", options.peers);
    checkAmount("timeoutMs", options.timeoutMs);
    await ready(this.#node, options);
  }

  close(): Promise<void> {
    return this.#node.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkWaits(options: WriteOptions, names: readonly string[]): void {
    if (options === NO_OPTIONS) return;
    checkNames(options, names);
    checkWaits(this.#node, options);
  }

  #mustWait(options: WriteOptions): boolean {
    return options !== NO_OPTIONS || this.#node.isTurnFull || this.#node.disk?.isStrict === true;
  }

  #tell(records: readonly StoredRecord[]): void {
    if (this.listenerCount("change") === 0) return;
    for (const record of records) callListener(() => this.emit("change", toChange(storedToRecord(record))));
  }

  #expiry(ttlMs: number | undefined): number | undefined {
    if (ttlMs === undefined) return undefined;
    if (Number.isSafeInteger(ttlMs) && ttlMs >= 1 && ttlMs < 2 ** 47) return this.#node.nowMs() + ttlMs;
    throw new RangeError(`ttlMs must be a whole number of milliseconds, 1 or more, not ${String(ttlMs)}`);
  }

  #checkCondition(key: Bytes, { nx, xx, ifVersion }: SetOptions): void {
    if (nx !== true && xx !== true && ifVersion === undefined) return;
    const held = this.#node.read(key);
    const version = held === undefined ? undefined : versionToText(held);
    const failed =
      nx === true && held !== undefined
        ? `nx: the key exists with version ${String(version)}`
        : xx === true && held === undefined
          ? "xx: the key is missing"
          : ifVersion !== undefined && version !== ifVersion
            ? `ifVersion: the key ${version === undefined ? "is missing" : `has version ${version}`}`
            : undefined;
    if (failed !== undefined) throw new LankvError("LANKV_CONDITION", `Not written, ${failed}.`);
  }

  async #getOrSeek(
    key: Data,
    options: { timeoutMs?: number; signal?: AbortSignal },
  ): Promise<string | undefined> {
    checkNames(options, GET_NAMES);
    checkAmount("timeoutMs", options.timeoutMs);
    const held = this.peek(key);
    if (held !== undefined || options.timeoutMs === undefined) return held;
    await sought(this.#node, toBytes("key", key), options.timeoutMs, options.signal);
    return this.peek(key);
  }

  async #keysIn(range: KeyRange): Promise<readonly Bytes[]> {
    checkNames(range, RANGE_NAMES);
    const { prefix = "", limit = Infinity } = range;
    checkAmount("limit", limit);
    const prefixBytes = toBytes("prefix", prefix);
    const keys: Bytes[] = [];
    let seen = 0;
    for (const { key } of this.#node.map.heads()) {
      if (key.startsWith(prefixBytes) && this.#node.read(key) !== undefined) keys.push(key);
      seen += 1;
      if (seen % RECORDS_PER_TURN === 0) await nextTurn();
    }
    keys.sort();
    return keys.slice(0, limit);
  }
}

const NO_OPTIONS: SetOptions = {};
const WAIT_NAMES = ["durable", "replicas", "signal"];
const SET_NAMES = ["ttlMs", "nx", "xx", "ifVersion", ...WAIT_NAMES];
const GET_NAMES = ["timeoutMs", "signal"];
const READY_NAMES = ["peers", "synced", "timeoutMs", "signal"];
const RANGE_NAMES = ["prefix", "limit"];

/** What a call returns or throws, as a promise: no caller has to expect both. */
function promised<T>(call: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(call());
  });
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

/** JavaScript callers may pass anything; what is not a set must not be taken for a delete. */
function checkType(type: unknown): void {
  if (type !== "set" && type !== "delete")
    throw new TypeError(`an operation's type must be "set" or "delete", not ${String(type)}`);
}

/** What a write returns. The text of the version is made when it is read: most writers never look. */
class WrittenRecord implements Written {
  readonly #record: KvRecord;

  constructor(record: KvRecord) {
    this.#record = record;
  }

  get version(): string {
    return versionToText(this.#record);
  }

  toJSON(): Written {
    return { version: this.version };
  }

  [inspect.custom](): Written {
    return this.toJSON();
  }
}

function toChange(record: KvRecord): Change {
  const isSet = record.kind === "value";
  return {
    type: isSet ? "set" : isRemains(record) ? "expire" : "delete",
    key: toText(record.key),
    value: isSet ? toText(record.value) : undefined,
    version: versionToText(record),
    origin: record.writer,
  };
}
