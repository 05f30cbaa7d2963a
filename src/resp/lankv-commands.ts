/** What the command line needs and Redis has no command for. Everything structured is one JSON text. */
import type { Bytes } from "../core/bytes.js";
import type { KvRecord } from "../core/record.js";
import { toInteger } from "./arguments.js";
import { CommandError, ONE_KEY, type Command, type Context } from "./command.js";
import { conflictToEntry, recordToEntry, recordToMeta } from "./entry.js";
import { toJson } from "./json.js";
import { OK, textToBytes } from "./reply.js";
import { allKeys } from "./walk.js";

/** Longest time that a command may wait: a day. */
const WAIT_MS_MAX = 86_400_000;

export const lankvCommands: readonly Command[] = [
  {
    name: "lankv.status",
    arity: 1,
    flags: ["readonly"],
    summary: "What this node is, holds and sees, as JSON",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: (_, { keyspace }) => json(keyspace.status()),
  },
  {
    name: "lankv.peers",
    arity: 1,
    flags: ["readonly"],
    summary: "The other nodes, as JSON",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: (_, { keyspace }) => json(keyspace.peers()),
  },
  {
    name: "lankv.conflicts",
    arity: 1,
    flags: ["readonly"],
    summary: "The latest concurrent writes that lost, oldest first, as JSON",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: (_, { keyspace }) => json(keyspace.conflicts().map(conflictToEntry)),
  },
  {
    name: "lankv.get",
    arity: 3,
    flags: ["readonly", "blocking"],
    keys: ONE_KEY,
    summary: "The value of a key; a missing one is asked of the peers: LANKV.GET key timeout-ms",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: async (args, context) => (await find(args, context))?.value ?? null,
  },
  {
    name: "lankv.entry",
    arity: -2,
    flags: ["readonly", "blocking"],
    keys: ONE_KEY,
    summary: "Value, version, origin and times of a key, as JSON: LANKV.ENTRY key [timeout-ms]",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: async (args, context) => {
      const record = await find(args, context);
      return record === undefined ? null : json(recordToEntry(record));
    },
  },
  {
    name: "lankv.meta",
    arity: -2,
    flags: ["readonly", "blocking"],
    keys: ONE_KEY,
    summary: "As LANKV.ENTRY, with the value's length in place of the value: LANKV.META key [timeout-ms]",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: async (args, context) => {
      const record = await find(args, context);
      return record === undefined ? null : json(recordToMeta(record));
    },
  },
  {
    name: "lankv.ls",
    arity: -1,
    flags: ["readonly"],
    summary: "Keys in the order of their bytes: LANKV.LS [prefix [limit]]",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: async (args, context) => {
      const limit = args[1] === undefined ? Number.POSITIVE_INFINITY : toCount(args[1]);
      const keys = await keysWith(args[0] ?? "", context);
      keys.sort();
      return keys.length > limit ? keys.slice(0, limit) : keys;
    },
  },
  {
    name: "lankv.clear",
    arity: 2,
    flags: ["write"],
    summary: "Deletes all keys that start so; returns how many: LANKV.CLEAR prefix",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: async (args, context) => {
      let count = 0;
      for (const key of await keysWith(args[0] ?? "", context)) {
        if (context.keyspace.delete(key)) count += 1;
      }
      return count;
    },
  },
  {
    name: "lankv.wait",
    arity: 4,
    flags: ["readonly", "blocking"],
    summary:
      "Waits until this node is live, sees so many peers and, with synced = 1, holds the same: LANKV.WAIT peers synced timeout-ms",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    handler: async (args, { keyspace, client }) => {
      await keyspace.ready({
        peers: toCount(args[0]),
        synced: toCount(args[1]) !== 0,
        timeoutMs: toTimeoutMs(args[2]),
        signal: client.signal,
      });
      return OK;
    },
  },
];

async function find(args: readonly Bytes[], { keyspace, client }: Context): Promise<KvRecord | undefined> {
  const key = args[0] ?? "";
  keyspace.checkSize(key);
  const timeoutMs = args[1] === undefined ? 0 : toTimeoutMs(args[1]);
  const held = keyspace.get(key);
  if (held !== undefined || timeoutMs === 0) return held;
  return keyspace.seek(key, timeoutMs, client.signal);
}

function keysWith(prefix: Bytes, { keyspace }: Context): Promise<Bytes[]> {
  return allKeys(keyspace, (key) => key.startsWith(prefix));
}

function json(value: unknown): Bytes {
  return textToBytes(toJson(value));
}

function toCount(text: Bytes | undefined): number {
  const count = toInteger(text);
  if (count < 0) throw new CommandError("ERR value is out of range, must be positive");
  return count;
}

function toTimeoutMs(text: Bytes | undefined): number {
  const ms = toInteger(text);
  if (ms < 0) throw new CommandError("ERR timeout is negative");
  if (ms > WAIT_MS_MAX) throw new CommandError("ERR timeout is out of range: at most a day");
  return ms;
}
