/** The options of SET, GETEX and LANKV.SET. */
import type { Bytes } from "../core/bytes.js";
import type { KvRecord } from "../core/record.js";
import { syntaxError } from "./arguments.js";
import { EXPIRY_FORMS, toPositiveExpiry } from "./expiry.js";
import type { Keyspace } from "./keyspace.js";

export type SetOption =
  keyof typeof EXPIRY_FORMS | "NX" | "XX" | "GET" | "KEEPTTL" | "PERSIST" | "IFVERSION" | "IFOLDER";

const EXPIRIES = ["EX", "PX", "EXAT", "PXAT"] as const;
/** Options that take a value. */
const VALUED: readonly SetOption[] = [...EXPIRIES, "IFVERSION", "IFOLDER"];
/** Of each of these groups one option can be given. */
const RIVALS: readonly (readonly SetOption[])[] = [
  ["NX", "XX"],
  [...EXPIRIES, "KEEPTTL", "PERSIST"],
];

/** The options given, with their values or "". */
export type SetOptions = ReadonlyMap<SetOption, Bytes>;

/**
 * @param from where the options begin
 * @param known the options that the command has
 * @throws {CommandError} something else is there, a value is missing, or two contradict each other
 */
export function readSetOptions(
  args: readonly Bytes[],
  from: number,
  known: readonly SetOption[],
): SetOptions {
  const given = new Map<SetOption, Bytes>();
  for (let at = from; at < args.length; at += 1) {
    const word = (args[at] ?? "").toUpperCase();
    const option = known.find((each) => each === word);
    if (option === undefined) throw syntaxError();
    const rivals = RIVALS.find((group) => group.includes(option)) ?? [];
    if (rivals.some((rival) => rival !== option && given.has(rival))) throw syntaxError();
    if (VALUED.includes(option)) at += 1;
    const value = VALUED.includes(option) ? args[at] : "";
    if (value === undefined) throw syntaxError();
    given.set(option, value);
  }
  return given;
}

/**
 * The expiry that the options ask for, Unix milliseconds; undefined = they say nothing of it.
 * @param command its name, for the error
 */
export function expiryOf(options: SetOptions, keyspace: Keyspace, command: string): number | undefined {
  const option = EXPIRIES.find((each) => options.has(each));
  if (option === undefined) return undefined;
  return toPositiveExpiry(EXPIRY_FORMS[option], options.get(option), keyspace.nowMs(), command);
}

/** Whether NX and XX, if given, allow a write over what is held. */
export function isAllowed(options: SetOptions, held: KvRecord | undefined): boolean {
  return held === undefined ? !options.has("XX") : !options.has("NX");
}
