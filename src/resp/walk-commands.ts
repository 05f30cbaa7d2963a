/** Commands on all keys, or on those that match a pattern. */
import type { Bytes } from "../core/bytes.js";
import { BUCKETS } from "../core/hash.js";
import { readOptions, syntaxError, toInteger } from "./arguments.js";
import { CommandError, type Command, type Handler } from "./command.js";
import { globToPredicate } from "./glob.js";
import { toLongReply } from "./long-reply.js";
import { OK } from "./reply.js";
import { keysOf, removeAll, scan, SCAN_MAX } from "./walk.js";

/** How many keys SCAN looks at when it is not told. */
const SCAN_COUNT = 10;

const scanKeys: Handler = (args, { keyspace }) => {
  if (!/^\d{1,20}$/.test(args[0] ?? "")) throw new CommandError("ERR invalid cursor");
  const cursor = Number(args[0]);
  let accepts: (key: Bytes) => boolean = () => true;
  let count = SCAN_COUNT;
  let isEmpty = false;
  for (const [name, value] of readOptions(args, 1)) {
    if (name === "MATCH") accepts = globToPredicate(value);
    else if (name === "COUNT") count = toCount(value);
    else if (name === "TYPE") isEmpty = value.toLowerCase() !== "string";
    else throw syntaxError();
  }
  if (isEmpty || cursor >= BUCKETS) return ["0", []];
  const scanned = scan(keyspace, cursor, count, accepts);
  return [String(scanned.cursor), scanned.keys];
};

const flush: Handler = (args, context) => {
  if (args.length > 1 || !["SYNC", "ASYNC"].includes((args[0] ?? "SYNC").toUpperCase())) throw syntaxError();
  const removed = removeAll(context, () => true);
  return removed instanceof Promise ? removed.then(() => OK) : OK;
};

const FLUSH_NOTE =
  "Deletes what this node holds when it is given, key by key: what is written meanwhile, here or on other nodes, remains. Subscribers are told " +
  "of each key as `del`, as those of the other nodes are; Redis tells them nothing. Both words mean the same.";

export const walkCommands: readonly Command[] = [
  {
    name: "keys",
    arity: 2,
    flags: ["readonly"],
    summary: "All keys that match a pattern, in no particular order",
    syntax: "pattern",
    group: "generic",
    guarantee: "reads",
    since: "1.0.0",
    complexity: "O(N) where N is the number of all keys",
    note: "Other clients are served in between, except inside a transaction.",
    handler: (args, context) => {
      const keys = keysOf(context, globToPredicate(args[0] ?? ""));
      return keys instanceof Promise ? keys.then((all) => toLongReply(all)) : keys;
    },
  },
  {
    name: "scan",
    arity: -2,
    flags: ["readonly"],
    summary: "Some keys, and the cursor to go on from; 0 = that was all",
    syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type]",
    group: "generic",
    guarantee: "reads",
    since: "2.8.0",
    complexity: "O(1) for every call, O(N) for a whole walk over N keys",
    note:
      "A cursor stays good for ever: it is a place in the order of the keys' hashes. COUNT is a hint: a call looks at " +
      `${String(SCAN_MAX)} keys, dead ones included, and a few more at most, so that other clients do not wait.`,
    handler: scanKeys,
  },
  flushCommand("flushdb"),
  flushCommand("flushall"),
];

function toCount(text: Bytes): number {
  const count = toInteger(text);
  if (count < 1) throw syntaxError();
  return count;
}

/** There is one database: both words mean the same. */
function flushCommand(name: string): Command {
  return {
    name,
    arity: -1,
    flags: ["write"],
    summary: "Deletes all keys on all nodes",
    syntax: "[ASYNC | SYNC]",
    group: "server",
    guarantee: "everywhere",
    since: "1.0.0",
    complexity: "O(N) where N is the number of all keys",
    note: FLUSH_NOTE,
    handler: flush,
  };
}
