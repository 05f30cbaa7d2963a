/** Commands on keys. */
import type { Bytes } from "../core/bytes.js";
import { BUCKETS } from "../core/hash.js";
import { readOptions, syntaxError, toInteger } from "./arguments.js";
import { ALL_KEYS, CommandError, ONE_KEY, type Command, type Handler } from "./command.js";
import { globToPredicate } from "./glob.js";
import type { Keyspace } from "./keyspace.js";
import { Simple } from "./reply.js";
import { allKeys, scan } from "./walk.js";

const SCAN_COUNT = 10;

const remove: Handler = (args, { keyspace }) => countOf(args, (key) => keyspace.delete(key));

const scanKeys: Handler = (args, { keyspace }) => {
  const cursor = Number(args[0]);
  if (!/^\d{1,20}$/.test(args[0] ?? "")) throw new CommandError("ERR invalid cursor");
  let accepts: (key: Bytes) => boolean = () => true;
  let count = SCAN_COUNT;
  let isEmpty = false;
  for (const [name, value] of readOptions(args, 1, [])) {
    if (name === "MATCH") accepts = globToPredicate(value);
    else if (name === "COUNT") count = toInteger(value);
    else if (name === "TYPE") isEmpty = value.toLowerCase() !== "string";
    else throw syntaxError();
  }
  if (count < 1) throw syntaxError();
  if (isEmpty || cursor >= BUCKETS) return ["0", []];
  const scanned = scan(keyspace, cursor, count, accepts);
  return [String(scanned.cursor), scanned.keys];
};

export const keyCommands: readonly Command[] = [
  {
    name: "del",
    arity: -2,
    flags: ["write"],
    keys: ALL_KEYS,
    summary: "Deletes keys; returns how many held a value",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    handler: remove,
  },
  {
    name: "unlink",
    arity: -2,
    flags: ["write", "fast"],
    keys: ALL_KEYS,
    summary: "Deletes keys; returns how many held a value",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    handler: remove,
  },
  {
    name: "exists",
    arity: -2,
    flags: ["readonly", "fast"],
    keys: ALL_KEYS,
    summary: "How many of the keys hold a value",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    handler: (args, { keyspace }) => countOf(args, (key) => keyspace.get(key) !== undefined),
  },
  {
    name: "type",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "What a key holds: string or none",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    handler: (args, { keyspace }) =>
      new Simple(keyspace.get(args[0] ?? "") === undefined ? "none" : "string"),
  },
  {
    name: "ttl",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "Seconds until a key expires; -1 = never, -2 = it is missing",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    handler: (args, { keyspace }) => {
      const ms = lifeMs(keyspace, args[0] ?? "");
      return ms < 0 ? ms : Math.round(ms / 1000);
    },
  },
  {
    name: "pttl",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "Milliseconds until a key expires; -1 = never, -2 = it is missing",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    handler: (args, { keyspace }) => lifeMs(keyspace, args[0] ?? ""),
  },
  {
    name: "scan",
    arity: -2,
    flags: ["readonly"],
    summary: "Some keys and a cursor to go on from: SCAN cursor [MATCH pattern] [COUNT n] [TYPE type]",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    handler: scanKeys,
  },
  {
    name: "keys",
    arity: 2,
    flags: ["readonly"],
    summary: "All keys that match a pattern",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    handler: (args, { keyspace }) => allKeys(keyspace, globToPredicate(args[0] ?? "")),
  },
];

function countOf(keys: readonly Bytes[], isCounted: (key: Bytes) => boolean): number {
  let count = 0;
  for (const key of keys) if (isCounted(key)) count += 1;
  return count;
}

function lifeMs(keyspace: Keyspace, key: Bytes): number {
  const record = keyspace.get(key);
  if (record === undefined) return -2;
  return record.expiresAtMs === undefined ? -1 : Math.max(0, record.expiresAtMs - keyspace.nowMs());
}
