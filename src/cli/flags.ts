/** The flags: each is an environment variable too, and is checked before anything is done. */
import { InvalidArgumentError, Option } from "commander";

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly socket?: string;
  readonly url?: string;
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  readonly color: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
}

/** The longest time that anything is waited for: a day, which is as long as the daemon lets a command wait. */
const TIMEOUT_MS_MAX = 86_400_000;

/** The longest silence that a client may be allowed: a year. */
const SECONDS_MAX = 31_536_000;

const UNITS_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A flag that `LANKV_` and its long name in capitals also sets; a switch is off when that is empty, 0 or false.
 * @param read checks the text and converts it
 */
export function flag(
  flags: string,
  description: string,
  read?: (text: string, before: unknown) => unknown,
): Option {
  const option = new Option(flags, description);
  if (read !== undefined) option.argParser(read);
  const variable = `LANKV_${(option.long ?? "").slice(2).replaceAll("-", "_").toUpperCase()}`;
  const isSwitch = !option.required && !option.optional;
  const isOff = isSwitch && ["", "0", "false"].includes(process.env[variable] ?? " ");
  return isOff ? option : option.env(variable);
}

/** @returns milliseconds */
export function readDuration(text: string): number {
  if (text === "0") return 0;
  const [, amount = "", unit = ""] = /^(\d{1,9}(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs !== undefined) return Math.round(Number(amount) * unitMs);
  throw new InvalidArgumentError("It must be a duration such as 500ms, 10s or 1m.");
}

/** A duration that is waited for. */
export function readTimeout(text: string): number {
  const ms = readDuration(text);
  if (ms <= TIMEOUT_MS_MAX) return ms;
  throw new InvalidArgumentError("It must be at most 1d.");
}

/** A duration of whole seconds: what is left of one counts as one. At most a year. @returns seconds */
export function readSeconds(text: string): number {
  const seconds = Math.ceil(readDuration(text) / 1_000);
  if (seconds <= SECONDS_MAX) return seconds;
  throw new InvalidArgumentError("It must be at most 365d.");
}

/** A number of bytes, also in KiB, MiB or GiB. */
export function readSize(text: string): number {
  const [, amount = "", unit = ""] = /^(\d{1,12})(|KiB|MiB|GiB)$/.exec(text) ?? [];
  const unitBytes = UNITS_BYTES[unit];
  if (amount !== "" && unitBytes !== undefined) return Number(amount) * unitBytes;
  throw new InvalidArgumentError("It must be a size such as 65536, 512KiB, 32MiB or 1GiB.");
}

/** Who may use a socket, as chmod writes it. */
export function readMode(text: string): number {
  if (/^0?(600|660|666)$/.test(text)) return Number.parseInt(text, 8);
  throw new InvalidArgumentError("It must be 600, 660 or 666.");
}

/** A duration that something lives for. */
export function readLife(text: string): number {
  const ms = readDuration(text);
  if (ms > 0) return ms;
  throw new InvalidArgumentError("It must be longer than 0.");
}

/** A duration that a key lives for, or `none`. */
export function readLifeOrNone(text: string): number | "none" {
  return text === "none" ? "none" : readLife(text);
}

/** What is added to a number: a whole number of 64 bits, as text, for a JavaScript number has only 53. */
export function readAddend(text: string): string {
  if (/^[+-]?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text))
    return String(BigInt(text));
  throw new InvalidArgumentError("It must be a whole number of 64 bits.");
}

export function readPort(text: string): number {
  return readNumber(text, 1, 65_535);
}

export function readPortOrNone(text: string): number {
  return readNumber(text, 0, 65_535);
}

export function readCount(text: string): number {
  return readNumber(text, 0, 1_000_000_000);
}

export function readCountFromOne(text: string): number {
  return readNumber(text, 1, 1_000_000_000);
}

/** Gathers a flag that may be given many times; in the environment, commas separate. */
export function readList(text: string, before: unknown): string[] {
  const list: unknown[] = Array.isArray(before) ? before : [];
  return [...list.map(String), ...text.split(",").filter((item) => item !== "")];
}

function readNumber(text: string, min: number, max: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InvalidArgumentError(`It must be a whole number from ${String(min)} to ${String(max)}.`);
}
