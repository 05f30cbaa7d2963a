/** Commands on keys, whatever they hold. */
import type { Bytes } from "../core/bytes.js";
import { syntaxError, toInteger } from "./arguments.js";
import { ALL_KEYS, CommandError, ONE_KEY, type Command, type Context, type Handler } from "./command.js";
import { expiryCommands } from "./expiry-commands.js";
import { objectCommand } from "./object-command.js";
import { OK, Simple } from "./reply.js";
import { walkCommands } from "./walk-commands.js";
import { remove } from "./write.js";

const TWO_KEYS = { first: 1, last: 2, step: 1 };

const removeAll: Handler = (args, context) => countOf(args, (key) => remove(context, key));

const count: Handler = (args, { keyspace }) => countOf(args, (key) => keyspace.get(key) !== undefined);

const copy: Handler = (args, context) => {
  const { keyspace } = context;
  const [source = "", destination = ""] = args;
  const isReplacing = readCopyOptions(args);
  if (source === destination) throw new CommandError("ERR source and destination objects are the same");
  const held = keyspace.get(source);
  if (held === undefined) return 0;
  if (!isReplacing && keyspace.get(destination) !== undefined) return 0;
  keyspace.set(destination, held.value, held.expiresAtMs);
  context.notify("n", "new", destination);
  context.notify("g", "copy_to", destination);
  return 1;
};

export const keyCommands: readonly Command[] = [
  {
    name: "del",
    arity: -2,
    flags: ["write"],
    keys: ALL_KEYS,
    summary: "Deletes keys; returns how many held a value",
    syntax: "key [key ...]",
    group: "generic",
    guarantee: "everywhere",
    since: "1.0.0",
    complexity: "O(N) where N is the number of keys",
    note: "A key that holds no value here is left alone, also if another node has just written one.",
    handler: removeAll,
  },
  {
    name: "unlink",
    arity: -2,
    flags: ["write", "fast"],
    keys: ALL_KEYS,
    summary: "The same as DEL",
    syntax: "key [key ...]",
    group: "generic",
    guarantee: "everywhere",
    since: "4.0.0",
    complexity: "O(N) where N is the number of keys",
    handler: removeAll,
  },
  {
    name: "exists",
    arity: -2,
    flags: ["readonly", "fast"],
    keys: ALL_KEYS,
    summary: "How many of the keys hold a value; a key given twice counts twice",
    syntax: "key [key ...]",
    group: "generic",
    guarantee: "reads",
    since: "1.0.0",
    complexity: "O(N) where N is the number of keys",
    handler: count,
  },
  {
    name: "touch",
    arity: -2,
    flags: ["readonly", "fast"],
    keys: ALL_KEYS,
    summary: "How many of the keys hold a value",
    syntax: "key [key ...]",
    group: "generic",
    guarantee: "reads",
    since: "3.2.1",
    complexity: "O(N) where N is the number of keys",
    note: "The same as EXISTS: when a key was last read is not recorded.",
    handler: count,
  },
  {
    name: "type",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "What a key holds: string or none",
    syntax: "key",
    group: "generic",
    guarantee: "reads",
    since: "1.0.0",
    complexity: "O(1)",
    handler: (args, { keyspace }) =>
      new Simple(keyspace.get(args[0] ?? "") === undefined ? "none" : "string"),
  },
  {
    name: "randomkey",
    arity: 1,
    flags: ["readonly"],
    summary: "Some key that holds a value, or null",
    syntax: "",
    group: "generic",
    guarantee: "reads",
    since: "1.0.0",
    complexity: "O(1); O(N) when nearly all of the N keys that were ever written are deleted or expired",
    handler: (_, { keyspace }) => keyspace.random()?.key ?? null,
  },
  {
    name: "rename",
    arity: 3,
    flags: ["write"],
    keys: TWO_KEYS,
    summary: "Gives a value another key, with its expiry; what that key held is overwritten",
    syntax: "key newkey",
    group: "generic",
    guarantee: "this node",
    since: "1.0.0",
    complexity: "O(1)",
    note: "For the other nodes a write of the one key and a deletion of the other, which they may see one after another.",
    handler: (args, context) => {
      rename(args, context, false);
      return OK;
    },
  },
  {
    name: "renamenx",
    arity: 3,
    flags: ["write", "fast"],
    keys: TWO_KEYS,
    summary: "As RENAME, if the other key holds no value; returns whether it did",
    syntax: "key newkey",
    group: "generic",
    guarantee: "this node",
    since: "1.0.0",
    complexity: "O(1)",
    note: "Whether the other key holds a value is decided by the copy on this node.",
    handler: (args, context) => (rename(args, context, true) ? 1 : 0),
  },
  {
    name: "copy",
    arity: -3,
    flags: ["write"],
    keys: TWO_KEYS,
    summary: "Writes the value of a key, with its expiry, to another key; returns whether it did",
    syntax: "source destination [DB destination-db] [REPLACE]",
    group: "generic",
    guarantee: "this node",
    since: "6.2.0",
    complexity: "O(1)",
    note: "There is no database but 0.",
    handler: copy,
  },
  ...expiryCommands,
  ...walkCommands,
  objectCommand,
];

function countOf(keys: readonly Bytes[], isCounted: (key: Bytes) => boolean): number {
  let counted = 0;
  for (const key of keys) if (isCounted(key)) counted += 1;
  return counted;
}

/** @returns whether REPLACE is given */
function readCopyOptions(args: readonly Bytes[]): boolean {
  let isReplacing = false;
  for (let at = 2; at < args.length; at += 1) {
    const name = (args[at] ?? "").toUpperCase();
    if (name === "REPLACE") {
      isReplacing = true;
    } else if (name === "DB" && at + 1 < args.length) {
      at += 1;
      if (toInteger(args[at]) !== 0) throw new CommandError("ERR DB index is out of range");
    } else {
      throw syntaxError();
    }
  }
  return isReplacing;
}

/** @returns false when the other key holds a value and must not be overwritten */
function rename(args: readonly Bytes[], context: Context, isNew: boolean): boolean {
  const { keyspace } = context;
  const [key = "", newKey = ""] = args;
  const held = keyspace.get(key);
  if (held === undefined) throw new CommandError("ERR no such key");
  if (key === newKey) return !isNew;
  if (isNew && keyspace.get(newKey) !== undefined) return false;
  keyspace.set(newKey, held.value, held.expiresAtMs);
  keyspace.delete(key);
  context.notify("n", "new", newKey);
  context.notify("g", "rename_from", key);
  context.notify("g", "rename_to", newKey);
  return true;
}
