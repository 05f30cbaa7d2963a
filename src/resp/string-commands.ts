/** Commands on whole values. */
import type { Bytes } from "../core/bytes.js";
import { wrongNumber } from "./arguments.js";
import { ALL_KEYS, ONE_KEY, type Command, type Context, type Handler } from "./command.js";
import { counterCommands } from "./counter-commands.js";
import { lcsCommand } from "./lcs-command.js";
import { rangeCommands } from "./range-commands.js";
import { OK } from "./reply.js";
import { setCommands } from "./set-command.js";
import { expiryOf, readSetOptions, type SetOption } from "./set-options.js";
import { remove, setExpiry, write } from "./write.js";

const GETEX_OPTIONS: readonly SetOption[] = ["EX", "PX", "EXAT", "PXAT", "PERSIST"];

const getAndExpire: Handler = (args, context) => {
  const { keyspace } = context;
  const options = readSetOptions(args, 1, GETEX_OPTIONS);
  const held = keyspace.get(args[0] ?? "");
  if (held === undefined) return null;
  const expiresAtMs = expiryOf(options, keyspace, "getex");
  const isPersisted = options.has("PERSIST") && held.expiresAtMs !== undefined;
  if (expiresAtMs !== undefined || isPersisted) setExpiry(context, held, expiresAtMs);
  return held.value;
};

export const stringCommands: readonly Command[] = [
  {
    name: "get",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "The value of a key",
    syntax: "key",
    group: "string",
    guarantee: "reads",
    since: "1.0.0",
    complexity: "O(1)",
    handler: (args, { keyspace }) => keyspace.value(args[0] ?? "") ?? null,
  },
  ...setCommands,
  {
    name: "getdel",
    arity: 2,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Returns the value of a key and deletes it",
    syntax: "key",
    group: "string",
    guarantee: "this node",
    since: "6.2.0",
    complexity: "O(1)",
    note: "Two nodes can both return the same value: not a queue that hands out each item once.",
    handler: (args, context) => {
      const key = args[0] ?? "";
      const value = context.keyspace.value(key) ?? null;
      remove(context, key);
      return value;
    },
  },
  {
    name: "getex",
    arity: -2,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Returns the value of a key and changes when it expires",
    syntax:
      "key [EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | PERSIST]",
    group: "string",
    guarantee: "this node",
    since: "6.2.0",
    complexity: "O(1)",
    note: "A new expiry writes the key anew with the value held here, as EXPIRE does.",
    handler: getAndExpire,
  },
  {
    name: "mget",
    arity: -2,
    flags: ["readonly", "fast"],
    keys: ALL_KEYS,
    summary: "The values of keys",
    syntax: "key [key ...]",
    group: "string",
    guarantee: "reads",
    since: "1.0.0",
    complexity: "O(N) where N is the number of keys",
    handler: (args, { keyspace }) => args.map((key) => keyspace.value(key) ?? null),
  },
  {
    name: "mset",
    arity: -3,
    flags: ["write"],
    keys: { first: 1, last: -1, step: 2 },
    summary: "Writes the values of keys",
    syntax: "key value [key value ...]",
    group: "string",
    guarantee: "everywhere",
    since: "1.0.1",
    complexity: "O(N) where N is the number of keys",
    note: "All or none on this node; the other nodes may see the writes one after another.",
    handler: (args, context) => {
      checkPairs(args, context, "mset");
      setPairs(args, context);
      return OK;
    },
  },
  {
    name: "msetnx",
    arity: -3,
    flags: ["write"],
    keys: { first: 1, last: -1, step: 2 },
    summary: "Writes the values of keys if none of them holds one; returns whether it did",
    syntax: "key value [key value ...]",
    group: "string",
    guarantee: "this node",
    since: "1.0.1",
    complexity: "O(N) where N is the number of keys",
    note: "Two nodes can both succeed, and the later write of each key wins.",
    handler: (args, context) => {
      checkPairs(args, context, "msetnx");
      for (let at = 0; at < args.length; at += 2) {
        if (context.keyspace.get(args[at] ?? "") !== undefined) return 0;
      }
      setPairs(args, context);
      return 1;
    },
  },
  ...counterCommands,
  ...rangeCommands,
  lcsCommand,
];

/** All or nothing: none is written before all may be. */
function checkPairs(args: readonly Bytes[], { keyspace }: Context, command: string): void {
  if (args.length % 2 !== 0) throw wrongNumber(command);
  for (let at = 0; at < args.length; at += 2) keyspace.checkSize(args[at] ?? "", args[at + 1] ?? "");
}

function setPairs(args: readonly Bytes[], context: Context): void {
  for (let at = 0; at < args.length; at += 2) {
    const key = args[at] ?? "";
    write(context, key, args[at + 1] ?? "");
    context.notify("$", "set", key);
  }
}
