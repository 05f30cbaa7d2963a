/** The keys of a daemon: the library's interface over a connection, where it makes sense at a prompt. */
import type { Data, Entry, KeyRange, ReadyOptions, SetOptions, Written } from "../node/lankv.js";
import { LankvError } from "../core/error.js";
import { askEach } from "./ask-each.js";
import { REPLY_MS, type Argument, type Client } from "./client.js";
import { toBufferOrNull, toBuffers, toNumber, toObject, toObjects } from "./replies.js";

/** Longest wait of `ready` unless told otherwise. */
const READY_MS = 30_000;

type Json = Readonly<Record<string, unknown>>;

export class Remote {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** @throws {LankvError} LANKV_CONDITION: `nx`, `xx` or `ifVersion` did not hold */
  async set(key: Data, value: Data, options: SetOptions = {}): Promise<Written> {
    const command: Argument[] = ["LANKV.SET", key, value];
    if (options.ttlMs !== undefined) command.push("PX", options.ttlMs);
    if (options.nx === true) command.push("NX");
    if (options.xx === true) command.push("XX");
    if (options.ifVersion !== undefined) command.push("IFVERSION", options.ifVersion);
    const version = toBufferOrNull(await this.#client.call(...command));
    if (version === null) throw new LankvError("LANKV_CONDITION", "Not written: a condition did not hold.");
    return { version: version.toString() };
  }

  /** With `timeoutMs`, a missing key is asked of the peers. */
  async get(key: Data, { timeoutMs = 0 }: { readonly timeoutMs?: number } = {}): Promise<string | undefined> {
    this.#client.allow(timeoutMs + REPLY_MS);
    return toBufferOrNull(await this.#client.call("LANKV.GET", key, timeoutMs))?.toString("utf8");
  }

  async getMany(keys: readonly Data[]): Promise<(string | undefined)[]> {
    if (keys.length === 0) return [];
    const reply = await this.#client.call("MGET", ...keys);
    return Array.isArray(reply) ? reply.map((value: unknown) => toBufferOrNull(value)?.toString("utf8")) : [];
  }

  async entry(key: Data): Promise<Entry | undefined> {
    const reply = toBufferOrNull(await this.#client.call("LANKV.ENTRY", key));
    return reply === null ? undefined : toEntry(toObject(reply));
  }

  /** @returns whether the key existed */
  async delete(key: Data): Promise<boolean> {
    return toNumber(await this.#client.call("DEL", key)) === 1;
  }

  async has(key: Data): Promise<boolean> {
    return toNumber(await this.#client.call("EXISTS", key)) === 1;
  }

  /** Keys in the order of their bytes. */
  async keys(range: KeyRange = {}): Promise<string[]> {
    return (await this.#keys(range)).map((key) => key.toString("utf8"));
  }

  async entries(range: KeyRange = {}): Promise<Entry[]> {
    const keys = await this.#keys(range);
    const entries: Entry[] = [];
    for await (const replies of askEach(this.#client, "LANKV.ENTRY", keys)) {
      entries.push(...replies.map((reply) => toEntry(toObject(reply))));
    }
    return entries;
  }

  async status(): Promise<Json> {
    return toObject(await this.#client.call("LANKV.STATUS"));
  }

  async peers(): Promise<readonly Json[]> {
    return toObjects(await this.#client.call("LANKV.PEERS"));
  }

  async conflicts(): Promise<readonly Json[]> {
    return toObjects(await this.#client.call("LANKV.CONFLICTS"));
  }

  /** @throws {LankvError} LANKV_TIMEOUT */
  async ready({ peers = 0, synced = false, timeoutMs = READY_MS }: ReadyOptions = {}): Promise<void> {
    this.#client.allow(timeoutMs + REPLY_MS);
    await this.#client.call("LANKV.WAIT", peers, synced ? 1 : 0, timeoutMs);
  }

  close(): void {
    this.#client.close();
  }

  async #keys({ prefix = "", limit }: KeyRange): Promise<readonly Buffer[]> {
    return toBuffers(await this.#client.call("LANKV.LS", prefix, ...(limit === undefined ? [] : [limit])));
  }
}

function toEntry({ key, keyBase64, value, valueBase64, version, origin, updatedAt, expiresAt }: Json): Entry {
  const bytes = typeof value === "string" ? Buffer.from(value) : Buffer.from(String(valueBase64), "base64");
  return {
    key: typeof key === "string" ? key : Buffer.from(String(keyBase64), "base64").toString("utf8"),
    value: bytes.toString("utf8"),
    bytes: new Uint8Array(bytes),
    version: String(version),
    origin: String(origin),
    updatedAt: Number(updatedAt),
    expiresAt: typeof expiresAt === "number" ? expiresAt : undefined,
  };
}
