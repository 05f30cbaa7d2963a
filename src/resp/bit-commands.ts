/** Commands on the bits of values. */
import type { Bytes } from "../core/bytes.js";
import { syntaxError, toBitOffset, toExactInteger, toInteger } from "./arguments.js";
import {
  bitAt,
  combine,
  countOnes,
  findBit,
  invert,
  toBitRange,
  wholeRange,
  withBit,
  type Bit,
  type BitOperation,
  type BitUnit,
} from "./bits.js";
import { CommandError, ONE_KEY, type Command, type Handler } from "./command.js";
import { checkLength, remove, rewrite, write } from "./write.js";

/** Bytes of all sources of BITOP: about a tenth of a second, in which nobody else is served. */
const SOURCES_BYTES_MAX = 33_554_432;

const setBit: Handler = (args, context) => {
  const key = args[0] ?? "";
  const offset = toBitOffset(args[1]);
  const bit = toBit(args[2]);
  const bytes = Math.floor(offset / 8) + 1;
  checkLength(bytes);
  const held = context.keyspace.get(key);
  const before = held?.value ?? "";
  const replaced = bitAt(before, offset);
  if (bit === replaced && bytes <= before.length) return replaced;
  rewrite(context, key, withBit(before, offset, bit), held);
  context.notify("$", "setbit", key);
  return replaced;
};

const bitCount: Handler = (args, { keyspace }) => {
  const value = keyspace.value(args[0] ?? "");
  if (value === undefined) return 0;
  if (args.length === 1) return countOnes(value, wholeRange(value));
  if (args.length !== 3 && args.length !== 4) throw syntaxError();
  const start = toExactInteger(args[1]);
  const end = toExactInteger(args[2]);
  if (start < 0 && end < 0 && start > end) return 0;
  return countOnes(value, toBitRange(Number(start), Number(end), toUnit(args[3]), value));
};

const bitPosition: Handler = (args, { keyspace }) => {
  const bit = toInteger(args[1]);
  if (bit !== 0 && bit !== 1) throw new CommandError("ERR The bit argument must be 1 or 0.");
  const value = keyspace.value(args[0] ?? "");
  if (value === undefined) return bit === 1 ? -1 : 0;
  if (args.length > 5) throw syntaxError();
  const start = args.length > 2 ? toInteger(args[2]) : 0;
  const unit = toUnit(args[4]);
  const end = args.length > 3 ? toInteger(args[3]) : -1;
  const range = toBitRange(start, end, unit, value);
  const found = findBit(value, bit, range);
  if (found !== undefined) return found;
  // A range without an end goes on behind the value, where all is 0, unless it has not even begun before.
  return bit === 0 && args.length < 4 && range.first <= range.last ? value.length * 8 : -1;
};

const bitOperation: Handler = (args, context) => {
  const operation = toOperation(args[0]);
  const key = args[1] ?? "";
  if (operation === "NOT" && args.length !== 3) {
    throw new CommandError("ERR BITOP NOT must be called with a single source key.");
  }
  const values = args.slice(2).map((source) => context.keyspace.value(source) ?? "");
  checkSources(values);
  const result = operation === "NOT" ? invert(values[0] ?? "") : combine(operation, values);
  if (result === "") {
    remove(context, key);
  } else {
    write(context, key, result);
    context.notify("$", "set", key);
  }
  return result.length;
};

export const bitCommands: readonly Command[] = [
  {
    name: "getbit",
    arity: 3,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "One bit of a value; bit 0 is the highest of its first byte",
    syntax: "key offset",
    group: "bitmap",
    guarantee: "reads",
    since: "2.2.0",
    complexity: "O(1)",
    handler: (args, { keyspace }) => {
      const offset = toBitOffset(args[1]);
      return bitAt(keyspace.value(args[0] ?? "") ?? "", offset);
    },
  },
  {
    name: "setbit",
    arity: 4,
    flags: ["write"],
    keys: ONE_KEY,
    summary: "Changes one bit of a value; returns what it was",
    syntax: "key offset value",
    group: "bitmap",
    guarantee: "this node",
    since: "2.2.0",
    complexity: "O(N) where N is the length of the value",
    note: "Of two changes of one value at once on two nodes one is lost, also when they are of different bits. The whole value travels to the other nodes.",
    handler: setBit,
  },
  {
    name: "bitcount",
    arity: -2,
    flags: ["readonly"],
    keys: ONE_KEY,
    summary: "How many bits of a value, or of a range of it, are 1; -1 is the last byte or bit",
    syntax: "key [start end [BYTE | BIT]]",
    group: "bitmap",
    guarantee: "reads",
    since: "2.6.0",
    complexity: "O(N) where N is the length of the range",
    handler: bitCount,
  },
  {
    name: "bitpos",
    arity: -3,
    flags: ["readonly"],
    keys: ONE_KEY,
    summary: "The offset of the first bit of a value, or of a range of it, that is 0 or 1",
    syntax: "key bit [start [end [BYTE | BIT]]]",
    group: "bitmap",
    guarantee: "reads",
    since: "2.8.7",
    complexity: "O(N) where N is the length of the range",
    handler: bitPosition,
  },
  {
    name: "bitop",
    arity: -4,
    flags: ["write"],
    keys: { first: 2, last: -1, step: 1 },
    summary: "Combines values bit by bit and writes the result; returns its length",
    syntax: "<AND | OR | XOR | NOT> destination key [key ...]",
    group: "bitmap",
    guarantee: "this node",
    since: "2.6.0",
    complexity: "O(N) where N is the length of all values together",
    note: `Combines what this node holds. The values may have ${String(SOURCES_BYTES_MAX)} bytes together at most.`,
    handler: bitOperation,
  },
];

function toBit(text: Bytes | undefined): Bit {
  if (text === "0") return 0;
  if (text === "1") return 1;
  throw new CommandError("ERR bit is not an integer or out of range");
}

function toUnit(text: Bytes = "BYTE"): BitUnit {
  const unit = text.toUpperCase();
  if (unit === "BYTE" || unit === "BIT") return unit;
  throw syntaxError();
}

function toOperation(text: Bytes = ""): BitOperation | "NOT" {
  const operation = text.toUpperCase();
  if (operation === "AND" || operation === "OR" || operation === "XOR" || operation === "NOT") {
    return operation;
  }
  throw syntaxError();
}

/** @throws {CommandError} they are too many bytes */
function checkSources(values: readonly Bytes[]): void {
  const bytes = values.reduce((sum, { length }) => sum + length, 0);
  if (bytes > SOURCES_BYTES_MAX) {
    throw new CommandError(
      `ERR the sources of BITOP would have more than ${String(SOURCES_BYTES_MAX)} bytes together`,
    );
  }
}
