/** BITFIELD: several integers in one value. */
import type { Bytes } from "../core/bytes.js";
import { syntaxError, toBitOffset, toExactInteger, toInt64 } from "./arguments.js";
import { fit, lastByteOf, readField, writeField, type Field, type Overflow } from "./bitfield.js";
import { CommandError, ONE_KEY, type Command, type Context, type Handler } from "./command.js";
import type { Reply } from "./reply.js";
import { checkLength, rewrite } from "./write.js";

interface Operation {
  readonly name: "GET" | "SET" | "INCRBY";
  readonly field: Field;
  /** What is written or added; 0 when it is read. */
  readonly operand: bigint;
  readonly overflow: Overflow;
}

const bitField: Handler = (args, context) => {
  const operations = readOperations(args);
  return operations.every(isRead)
    ? read(args[0] ?? "", operations, context)
    : change(args[0] ?? "", operations, context);
};

export const bitfieldCommands: readonly Command[] = [
  {
    name: "bitfield",
    arity: -2,
    flags: ["write"],
    keys: ONE_KEY,
    summary: "Reads, writes and counts with integers of 1 to 64 bits within a value",
    syntax:
      "key [GET encoding offset | SET encoding offset value | INCRBY encoding offset increment | OVERFLOW <WRAP | SAT | FAIL>]",
    group: "bitmap",
    guarantee: "this node",
    since: "3.2.0",
    complexity: "O(N) where N is the length of the value",
    note: "Operations may follow one another. Of two changes of one value at once on two nodes one is lost, also when they are of different integers. The whole value travels to the other nodes.",
    handler: bitField,
  },
  {
    name: "bitfield_ro",
    arity: -2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "Reads integers of 1 to 64 bits within a value",
    syntax: "key [GET encoding offset [GET encoding offset ...]]",
    group: "bitmap",
    guarantee: "reads",
    since: "6.0.0",
    complexity: "O(N) where N is the length of the value",
    handler: (args, context) => {
      const operations = readOperations(args);
      if (!operations.every(isRead))
        throw new CommandError("ERR BITFIELD_RO only supports the GET subcommand");
      return read(args[0] ?? "", operations, context);
    },
  },
];

function isRead({ name }: Operation): boolean {
  return name === "GET";
}

function read(key: Bytes, operations: readonly Operation[], { keyspace }: Context): Reply {
  const bytes = Buffer.from(keyspace.value(key) ?? "", "latin1");
  return operations.map(({ field }) => readField(bytes, field));
}

function change(key: Bytes, operations: readonly Operation[], context: Context): Reply {
  const held = context.keyspace.get(key);
  const before = held?.value ?? "";
  const length = operations.reduce(
    (longest, operation) =>
      isRead(operation) ? longest : Math.max(longest, lastByteOf(operation.field) + 1),
    before.length,
  );
  checkLength(length);
  const bytes = Buffer.alloc(length);
  bytes.write(before, "latin1");
  let isChanged = false;
  const replies = operations.map((operation) => {
    const { name, field, overflow } = operation;
    const replaced = readField(bytes, field);
    if (name === "GET") return replaced;
    const value = fit(wanted(operation, replaced), field, overflow);
    if (value === undefined) return null;
    writeField(bytes, field, value);
    isChanged ||= value !== replaced || length > before.length;
    return name === "SET" ? replaced : value;
  });
  if (isChanged || length > before.length) rewrite(context, key, bytes.toString("latin1"), held);
  if (isChanged) context.notify("$", "setbit", key);
  return replies;
}

function wanted({ name, field, operand }: Operation, replaced: bigint): bigint {
  if (name === "INCRBY") return replaced + operand;
  return field.isSigned ? operand : BigInt.asUintN(64, operand);
}

/** @throws {CommandError} one of them is not as it should be */
function readOperations(args: readonly Bytes[]): readonly Operation[] {
  const operations: Operation[] = [];
  let overflow: Overflow = "WRAP";
  for (let at = 1; at < args.length;) {
    const name = (args[at] ?? "").toUpperCase();
    const following = args.length - at - 1;
    if (name === "OVERFLOW" && following >= 1) {
      overflow = toOverflow(args[at + 1]);
      at += 2;
    } else if (name === "GET" && following >= 2) {
      operations.push({ name, field: toField(args[at + 1], args[at + 2]), operand: 0n, overflow });
      at += 3;
    } else if ((name === "SET" || name === "INCRBY") && following >= 3) {
      const field = toField(args[at + 1], args[at + 2]);
      operations.push({ name, field, operand: BigInt(toExactInteger(args[at + 3])), overflow });
      at += 4;
    } else {
      throw syntaxError();
    }
  }
  return operations;
}

/**
 * @param encoding such as i16 or u8
 * @param offset in bits, or "#" and the number of fields like this one that come before
 */
function toField(encoding: Bytes = "", offset: Bytes = ""): Field {
  const isSigned = encoding.startsWith("i");
  const bits = Number(toInt64(encoding.slice(1)) ?? 0);
  if (!/^[iu]/.test(encoding) || bits < 1 || bits > (isSigned ? 64 : 63)) {
    throw new CommandError(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
    );
  }
  const isCounted = offset.startsWith("#");
  return { offset: toBitOffset(isCounted ? offset.slice(1) : offset, isCounted ? bits : 1), bits, isSigned };
}

function toOverflow(text: Bytes = ""): Overflow {
  const overflow = text.toUpperCase();
  if (overflow === "WRAP" || overflow === "SAT" || overflow === "FAIL") return overflow;
  throw new CommandError("ERR Invalid OVERFLOW type specified");
}
