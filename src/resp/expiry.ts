/**
 * When a key expires, as Redis reads it: a positive time in SET and GETEX, any time in EXPIRE.
 *
 * Redis counts in 64 bits and refuses what they cannot hold. A record has six bytes for the time, so what lies behind
 * the year 10 889 is brought forward to there.
 */
import type { Bytes } from "../core/bytes.js";
import { EXPIRES_MAX_MS } from "../wire/records.js";
import { toExactInteger } from "./arguments.js";
import { CommandError } from "./command.js";

/** Amounts below are added and multiplied without loss. */
const EXACT_MAX = 2 ** 40;
const INT64_MAX = 2n ** 63n - 1n;

/** How an expiry is given: in seconds or milliseconds, from now on or since 1970. */
export interface ExpiryForm {
  readonly unitMs: 1 | 1000;
  readonly isAbsolute: boolean;
}

export const EXPIRY_FORMS: Readonly<Record<"EX" | "PX" | "EXAT" | "PXAT", ExpiryForm>> = {
  EX: { unitMs: 1000, isAbsolute: false },
  PX: { unitMs: 1, isAbsolute: false },
  EXAT: { unitMs: 1000, isAbsolute: true },
  PXAT: { unitMs: 1, isAbsolute: true },
};

/**
 * The time at which a key expires, Unix milliseconds; it may lie in the past.
 * @param command its name, for the error
 * @throws {CommandError} the text is no integer, or the time does not fit into 64 bits
 */
export function toExpiry(form: ExpiryForm, text: Bytes | undefined, nowMs: number, command: string): number {
  const amount = toExactInteger(text);
  const { unitMs, isAbsolute } = form;
  const baseMs = isAbsolute ? 0 : nowMs;
  if (typeof amount === "number" && Math.abs(amount) < EXACT_MAX) return amount * unitMs + baseMs;
  const ms = BigInt(amount) * BigInt(unitMs);
  const atMs = ms + BigInt(baseMs);
  if (BigInt.asIntN(64, ms) !== ms || atMs > INT64_MAX) throw invalidExpiry(command);
  return Math.min(Number(atMs), EXPIRES_MAX_MS);
}

/**
 * As `toExpiry`, for commands that write: the amount is 1 or more.
 * @throws {CommandError}
 */
export function toPositiveExpiry(
  form: ExpiryForm,
  text: Bytes | undefined,
  nowMs: number,
  command: string,
): number {
  if (toExactInteger(text) <= 0) throw invalidExpiry(command);
  return Math.min(toExpiry(form, text, nowMs, command), EXPIRES_MAX_MS);
}

function invalidExpiry(command: string): CommandError {
  return new CommandError(`ERR invalid expire time in '${command}' command`);
}
