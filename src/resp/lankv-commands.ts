/** What the command line needs and Redis has no command for. Everything structured is one JSON text. */
import { isAbsolute } from "node:path";
import type { Bytes } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import type { KvRecord } from "../core/record.js";
import { toInteger } from "./arguments.js";
import { CommandError, ONE_KEY, type Command, type Context, type Handler } from "./command.js";
import { conflictToEntry, recordToEntry, recordToMeta } from "./entry.js";
import { exportCommand } from "./export-command.js";
import { toJson } from "./json.js";
import { toLongReply } from "./long-reply.js";
import { OK, textToBytes } from "./reply.js";
import { lankvSetCommand } from "./set-command.js";
import { sortInTurns } from "./sort.js";
import { keysOf, removeAll } from "./walk.js";

/** Longest time that a command may wait: a day. */
const WAIT_MS_MAX = 86_400_000;

export const lankvCommands: readonly Command[] = [
  {
    name: "lankv.status",
    arity: 1,
    flags: ["readonly", "loading"],
    summary: "What this node is, holds and sees, as JSON",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    complexity: "O(1)",
    handler: (_, { keyspace }) => json(keyspace.status()),
  },
  {
    name: "lankv.peers",
    arity: 1,
    flags: ["readonly", "loading"],
    summary: "The other nodes, as JSON",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    complexity: "O(N) where N is the number of peers",
    handler: (_, { keyspace }) => json(keyspace.peers()),
  },
  {
    name: "lankv.conflicts",
    arity: 1,
    flags: ["readonly", "loading"],
    summary: "The latest concurrent writes that lost, oldest first, as JSON",
    syntax: "",
    group: "lankv",
    guarantee: "reads",
    complexity: "O(N) where N is the number of conflicts remembered, 1024 at most",
    handler: (_, { keyspace }) => json(keyspace.conflicts().map(conflictToEntry)),
  },
  {
    name: "lankv.get",
    arity: 3,
    flags: ["readonly", "blocking", "no_multi"],
    keys: ONE_KEY,
    summary: "The value of a key; a missing one is asked of the peers for so long",
    syntax: "key timeout-milliseconds",
    group: "lankv",
    guarantee: "reads",
    complexity: "O(1)",
    handler: async (args, context) => (await find(args, context))?.value ?? null,
  },
  {
    name: "lankv.entry",
    arity: -2,
    flags: ["readonly", "blocking", "no_multi"],
    keys: ONE_KEY,
    summary:
      "Value, version, origin and times of a key, as JSON; a missing one is asked of the peers for so long",
    syntax: "key [timeout-milliseconds]",
    group: "lankv",
    guarantee: "reads",
    complexity: "O(1)",
    handler: async (args, context) => {
      const record = await find(args, context);
      return record === undefined ? null : json(recordToEntry(record));
    },
  },
  {
    name: "lankv.meta",
    arity: -2,
    flags: ["readonly", "blocking", "no_multi"],
    keys: ONE_KEY,
    summary: "As LANKV.ENTRY, with the value's length in place of the value",
    syntax: "key [timeout-milliseconds]",
    group: "lankv",
    guarantee: "reads",
    complexity: "O(1)",
    handler: async (args, context) => {
      const record = await find(args, context);
      return record === undefined ? null : json(recordToMeta(record));
    },
  },
  lankvSetCommand,
  {
    name: "lankv.ls",
    arity: -1,
    flags: ["readonly"],
    summary: "Keys that start so, in the order of their bytes",
    syntax: "[prefix [limit]]",
    group: "lankv",
    guarantee: "reads",
    complexity: "O(N log(N)) where N is the number of all keys",
    note: "Other clients are served in between, as with KEYS.",
    handler: (args, context) => {
      const limit = args[1] === undefined ? Number.POSITIVE_INFINITY : toCount(args[1]);
      const prefix = args[0] ?? "";
      const keys = keysOf(context, (key) => key.startsWith(prefix));
      return keys instanceof Promise
        ? sortInTurns(keys, limit).then((first) => toLongReply(first))
        : keys.sort().slice(0, limit);
    },
  },
  exportCommand,
  {
    name: "lankv.clear",
    arity: 2,
    flags: ["write"],
    summary: "Deletes all keys that start so; returns how many",
    syntax: "prefix",
    group: "lankv",
    guarantee: "everywhere",
    complexity: "O(N) where N is the number of all keys",
    note: "Deletes what this node holds when it is given: what is written meanwhile, here or on other nodes, remains.",
    handler: (args, context) => {
      const prefix = args[0] ?? "";
      return removeAll(context, (key) => key.startsWith(prefix));
    },
  },
  {
    name: "lankv.wait",
    arity: 4,
    flags: ["readonly", "blocking", "no_multi", "loading"],
    summary:
      "Waits until this node is live, sees so many peers and, with synced = 1, holds the same as they do",
    syntax: "peers synced timeout-milliseconds",
    group: "lankv",
    guarantee: "connection",
    complexity: "O(1)",
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
  {
    name: "lankv.sync",
    arity: 1,
    flags: ["no_multi"],
    summary: "Waits until everything written on this node so far is on disk, durably",
    syntax: "",
    group: "lankv",
    guarantee: "connection",
    complexity: "O(N) where N is the number of writes that are not",
    note: "Whatever `--fsync` says. With `--memory` there is nothing to wait for.",
    handler: async (_, { keyspace }) => {
      await keyspace.sync();
      return OK;
    },
  },
  {
    name: "lankv.backup",
    arity: 2,
    flags: ["admin", "no_multi"],
    summary:
      "Copies everything that is on disk into a directory that is missing or empty; `serve` can start from it",
    syntax: "directory",
    group: "lankv",
    guarantee: "connection",
    complexity: "O(N) where N is the number of bytes on disk",
    note:
      "An absolute path on the server's machine. Only by the unix socket or with the password. Other clients are " +
      "served meanwhile; what they write may be in the copy or not.",
    handler: (args, context) => backup(args, context),
  },
];

const backup: Handler = async (args, { keyspace, client }) => {
  if (!client.isTrusted) {
    throw new CommandError(
      "ERR LANKV.BACKUP is for clients of the unix socket, or those that have given the password",
    );
  }
  const directory = Buffer.from(args[0] ?? "", "latin1").toString("utf8");
  if (!isAbsolute(directory)) throw new CommandError("ERR the directory must be an absolute path");
  try {
    await keyspace.backup(directory);
  } catch (error) {
    if (error instanceof LankvError || error instanceof RangeError || !(error instanceof Error)) throw error;
    throw new CommandError(textToBytes(`ERR the backup failed: ${error.message}`));
  }
  return OK;
};

async function find(args: readonly Bytes[], { keyspace, client }: Context): Promise<KvRecord | undefined> {
  const key = args[0] ?? "";
  keyspace.checkSize(key);
  const timeoutMs = args[1] === undefined ? 0 : toTimeoutMs(args[1]);
  const held = keyspace.get(key);
  if (held !== undefined || timeoutMs === 0) return held;
  return keyspace.seek(key, timeoutMs, client.signal);
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
