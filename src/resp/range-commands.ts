/** Commands on parts of values. */
import type { Bytes } from "../core/bytes.js";
import { toInteger } from "./arguments.js";
import { CommandError, ONE_KEY, type Command, type Handler } from "./command.js";
import { checkLength, rewrite } from "./write.js";

const append: Handler = (args, context) => {
  const key = args[0] ?? "";
  const tail = args[1] ?? "";
  const held = context.keyspace.get(key);
  const before = held?.value ?? "";
  checkLength(before.length + tail.length);
  rewrite(context, key, flat(before + tail), held);
  context.notify("$", "append", key);
  return before.length + tail.length;
};

const getRange: Handler = (args, { keyspace }) => {
  const start = toInteger(args[1]);
  const end = toInteger(args[2]);
  const value = keyspace.value(args[0] ?? "") ?? "";
  if (start < 0 && end < 0 && start > end) return "";
  const first = Math.max(0, start < 0 ? value.length + start : start);
  const last = Math.max(0, end < 0 ? value.length + end : end);
  return value.slice(first, last + 1);
};

const setRange: Handler = (args, context) => {
  const key = args[0] ?? "";
  const offset = toInteger(args[1]);
  const part = args[2] ?? "";
  if (offset < 0) throw new CommandError("ERR offset is out of range");
  const held = context.keyspace.get(key);
  const before = held?.value ?? "";
  if (part === "") return before.length;
  checkLength(offset + part.length);
  const head = before.slice(0, offset).padEnd(offset, "\0");
  const value = flat(head + part + before.slice(offset + part.length));
  rewrite(context, key, value, held);
  context.notify("$", "setrange", key);
  return value.length;
};

export const rangeCommands: readonly Command[] = [
  {
    name: "strlen",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "The length of a value in bytes",
    syntax: "key",
    group: "string",
    guarantee: "reads",
    since: "2.2.0",
    complexity: "O(1)",
    handler: (args, { keyspace }) => keyspace.value(args[0] ?? "")?.length ?? 0,
  },
  {
    name: "append",
    arity: 3,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Adds bytes to the end of a value; returns its new length",
    syntax: "key value",
    group: "string",
    guarantee: "this node",
    since: "2.0.0",
    complexity: "O(N) where N is the length of the value",
    note: "Of two APPENDs at once on two nodes one is lost. The whole value travels to the other nodes.",
    handler: append,
  },
  {
    name: "getrange",
    arity: 4,
    flags: ["readonly"],
    keys: ONE_KEY,
    summary: "The bytes of a value from one offset to another, both included; -1 is the last",
    syntax: "key start end",
    group: "string",
    guarantee: "reads",
    since: "2.4.0",
    complexity: "O(N) where N is the length of the returned string",
    handler: getRange,
  },
  {
    name: "substr",
    arity: 4,
    flags: ["readonly"],
    keys: ONE_KEY,
    summary: "The old name of GETRANGE",
    syntax: "key start end",
    group: "string",
    guarantee: "reads",
    since: "1.0.0",
    complexity: "O(N) where N is the length of the returned string",
    handler: getRange,
  },
  {
    name: "setrange",
    arity: 4,
    flags: ["write"],
    keys: ONE_KEY,
    summary: "Overwrites part of a value from an offset on; returns its new length",
    syntax: "key offset value",
    group: "string",
    guarantee: "this node",
    since: "2.2.0",
    complexity: "O(N) where N is the length of the value",
    note: "Of two changes of one value at once on two nodes one is lost. The whole value travels to the other nodes.",
    handler: setRange,
  },
];

/**
 * The same bytes in one piece. V8 keeps a concatenation as a tree of its parts, and a value that grows by many small
 * pieces would take many times its length.
 */
function flat(value: Bytes): Bytes {
  return Buffer.from(value, "latin1").toString("latin1");
}
