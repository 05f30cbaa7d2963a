/** Reads the arguments of commands; what is wrong is said in Redis's words. */
import type { Bytes } from "../core/bytes.js";
import { CommandError } from "./command.js";

/** Written as Redis writes integers: no plus, no blanks, no leading zeros. */
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;
/** So many digits are a safe integer of JavaScript. */
const SAFE_DIGITS = 15;
const BIT_OFFSETS = 2 ** 32;

/**
 * An integer of 64 bits: a number where that is exact, else a bigint.
 * @returns undefined when the text is none
 */
export function toInt64(text: Bytes): number | bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  if (text.length <= SAFE_DIGITS) return Number(text);
  const exact = BigInt(text);
  if (BigInt.asIntN(64, exact) !== exact) return undefined;
  const value = Number(exact);
  return Number.isSafeInteger(value) ? value : exact;
}

/** As `toInt64`. @throws {CommandError} the text is none */
export function toExactInteger(text: Bytes | undefined): number | bigint {
  const value = text === undefined ? undefined : toInt64(text);
  if (value === undefined) throw new CommandError("ERR value is not an integer or out of range");
  return value;
}

/** An integer of 64 bits; what no number can hold is rounded. */
export function toInteger(text: Bytes | undefined): number {
  return Number(toExactInteger(text));
}

/**
 * The offset of a bit, below 2 ** 32: no value of Redis's has more than 512 MiB.
 * @param unit how many bits the number counts at once; default: 1
 * @throws {CommandError} the text is none
 */
export function toBitOffset(text: Bytes = "", unit = 1): number {
  const offset = Number(toInt64(text) ?? -1) * unit;
  if (offset < 0 || offset >= BIT_OFFSETS) {
    throw new CommandError("ERR bit offset is not an integer or out of range");
  }
  return offset;
}

/** The name in capitals and the value of each option, such as COUNT 10. */
export function* readOptions(
  args: readonly Bytes[],
  from: number,
): Generator<readonly [name: string, value: Bytes]> {
  for (let at = from; at < args.length; at += 2) {
    const value = args[at + 1];
    if (value === undefined) throw syntaxError();
    yield [(args[at] ?? "").toUpperCase(), value];
  }
}

export function syntaxError(): CommandError {
  return new CommandError("ERR syntax error");
}

export function wrongNumber(command: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${command}' command`);
}
