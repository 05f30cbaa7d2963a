/** Reads the arguments of commands; what is wrong is said in Redis's words. */
import type { Bytes } from "../core/bytes.js";
import { CommandError } from "./command.js";

export function toInteger(text: Bytes | undefined): number {
  const value = text !== undefined && /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new CommandError("ERR value is not an integer or out of range");
  return value;
}

/** The name and value of each option, such as EX 10; what takes no value is named in `bare`. */
export function* readOptions(
  args: readonly Bytes[],
  from: number,
  bare: readonly string[],
): Generator<readonly [name: string, value: Bytes]> {
  for (let at = from; at < args.length; at += 1) {
    const name = (args[at] ?? "").toUpperCase();
    if (bare.includes(name)) {
      yield [name, ""];
    } else {
      at += 1;
      const value = args[at];
      if (value === undefined) throw syntaxError();
      yield [name, value];
    }
  }
}

export function syntaxError(): CommandError {
  return new CommandError("ERR syntax error");
}

export function isOneOf<T extends string>(text: string, names: readonly T[]): text is T {
  return names.some((name) => name === text);
}
