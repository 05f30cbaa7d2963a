/** Commands that count: values that are integers of 64 bits, or decimal numbers. */
import type { Bytes } from "../core/bytes.js";
import { toExactInteger } from "./arguments.js";
import { CommandError, ONE_KEY, type Command, type Context, type Handler } from "./command.js";
import { addLongDoubles, longDoubleToText, textToLongDouble, type LongDouble } from "./long-double.js";
import { rewrite } from "./write.js";

const INT64_MIN = -(2n ** 63n);

const NOTE =
  "Reads and writes in one step on this node. Of increments made at once on two nodes only one remains.";

export const counterCommands: readonly Command[] = [
  {
    name: "incr",
    arity: 2,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Adds one to the integer that a key holds; returns the sum",
    syntax: "key",
    group: "string",
    guarantee: "this node",
    since: "1.0.0",
    complexity: "O(1)",
    note: NOTE,
    handler: (args, context) => add(args[0] ?? "", 1, context),
  },
  {
    name: "decr",
    arity: 2,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Takes one from the integer that a key holds; returns the difference",
    syntax: "key",
    group: "string",
    guarantee: "this node",
    since: "1.0.0",
    complexity: "O(1)",
    note: NOTE,
    handler: (args, context) => add(args[0] ?? "", -1, context),
  },
  {
    name: "incrby",
    arity: 3,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Adds to the integer that a key holds; returns the sum",
    syntax: "key increment",
    group: "string",
    guarantee: "this node",
    since: "1.0.0",
    complexity: "O(1)",
    note: NOTE,
    handler: (args, context) => add(args[0] ?? "", toExactInteger(args[1]), context),
  },
  {
    name: "decrby",
    arity: 3,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Takes from the integer that a key holds; returns the difference",
    syntax: "key decrement",
    group: "string",
    guarantee: "this node",
    since: "1.0.0",
    complexity: "O(1)",
    note: NOTE,
    handler: (args, context) => {
      const decrement = toExactInteger(args[1]);
      if (decrement === INT64_MIN) throw new CommandError("ERR decrement would overflow");
      return add(args[0] ?? "", -decrement, context);
    },
  },
  {
    name: "incrbyfloat",
    arity: 3,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Adds to the decimal number that a key holds; returns the sum",
    syntax: "key increment",
    group: "string",
    guarantee: "this node",
    since: "2.6.0",
    complexity: "O(1)",
    note: `${NOTE} Counts as Redis does on x86-64, in 64 bits of mantissa, and shows 17 decimals at most.`,
    handler: (args, context) => addFloat(args, context),
  },
];

function add(key: Bytes, increment: number | bigint, context: Context): number | bigint {
  const held = context.keyspace.get(key);
  const before = held === undefined ? 0 : toExactInteger(held.value);
  const sum = exactSum(before, increment);
  rewrite(context, key, String(sum), held);
  context.notify("$", "incrby", key);
  return sum;
}

/** @throws {CommandError} 64 bits do not hold it */
function exactSum(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const sum = BigInt(a) + BigInt(b);
  if (BigInt.asIntN(64, sum) !== sum) throw new CommandError("ERR increment or decrement would overflow");
  return sum;
}

const addFloat: Handler = (args, context) => {
  const key = args[0] ?? "";
  const held = context.keyspace.get(key);
  const before = toFloat(held?.value ?? "0");
  const sum = addLongDoubles(before, toFloat(args[1] ?? ""));
  if (sum === undefined) throw new CommandError("ERR increment would produce NaN or Infinity");
  const text = longDoubleToText(sum);
  rewrite(context, key, text, held);
  context.notify("$", "incrbyfloat", key);
  return text;
};

function toFloat(text: Bytes): LongDouble {
  const value = textToLongDouble(text);
  if (value === undefined) throw new CommandError("ERR value is not a valid float");
  return value;
}
