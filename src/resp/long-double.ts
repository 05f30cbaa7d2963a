/**
 * The numbers of INCRBYFLOAT: x86-64's extended precision, in which Redis counts there.
 *
 * A number is `mantissa x 2^exponent` with a mantissa of at most 64 bits; every result is the nearest such number, of
 * two equally near ones the one with the even mantissa. JavaScript's own numbers have 53 bits, and would show noise
 * in the 17 decimals that Redis writes.
 */

export interface FiniteLongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const ZERO: FiniteLongDouble = { mantissa: 0n, exponent: 0 };

export type LongDouble = FiniteLongDouble | "infinity";

const MANTISSA_BITS = 64;
/** Numbers of 2^16384 and more are infinite. */
const BITS_MAX = 16_384;
/** The last bit of the smallest number. */
const EXPONENT_MIN = -16_445;
/** No number has more digits before its point. */
const DIGITS_MAX = 4_933;
/** The longest text that is read, as in Redis. */
const TEXT_MAX = 5 * 1024 - 1;
const DECIMALS = 17;
const SCALE = 10n ** BigInt(DECIMALS);
/** The power of ten or two behind a number is at most so much; more only says that it is 0 or too large. */
const POWER_MAX = 20_000;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITY = /^[+-]?inf(?:inity)?$/i;

/** @returns undefined when the text is no number, or one too large or too near to 0 to be held */
export function textToLongDouble(text: string): LongDouble | undefined {
  if (text.length > TEXT_MAX) return undefined;
  if (INFINITY.test(text)) return "infinity";
  const decimal = DECIMAL.exec(text);
  const value = decimal === null ? readHexadecimal(text) : readDecimal(decimal);
  return value !== undefined && text.startsWith("-") ? { ...value, mantissa: -value.mantissa } : value;
}

function readDecimal([, , whole = "", fraction = "", power = "0"]: readonly string[]):
  FiniteLongDouble | undefined {
  if (whole + fraction === "") return undefined;
  const digits = BigInt(whole + fraction);
  if (digits === 0n) return ZERO;
  const tens = clamp(Number(power)) - fraction.length;
  const size = String(digits).length + tens;
  if (size > DIGITS_MAX || size < -DIGITS_MAX - MANTISSA_BITS) return undefined;
  return nonZero(tens >= 0 ? round(digits * 10n ** BigInt(tens), 1n) : round(digits, 10n ** BigInt(-tens)));
}

function readHexadecimal(text: string): FiniteLongDouble | undefined {
  const [, , whole = "", fraction = "", power = "0"] = HEXADECIMAL.exec(text) ?? [];
  if (whole + fraction === "") return undefined;
  const digits = BigInt(`0x${whole}${fraction}`);
  if (digits === 0n) return ZERO;
  const twos = clamp(Number(power)) - 4 * fraction.length;
  return nonZero(twos >= 0 ? round(digits << BigInt(twos), 1n) : round(digits, 1n << BigInt(-twos)));
}

function clamp(power: number): number {
  return Math.max(-POWER_MAX, Math.min(POWER_MAX, power));
}

/** What was not 0 and became it was too near. */
function nonZero(value: FiniteLongDouble | undefined): FiniteLongDouble | undefined {
  return value?.mantissa === 0n ? undefined : value;
}

/** @returns undefined when the sum is infinite */
export function addLongDoubles(a: LongDouble, b: LongDouble): FiniteLongDouble | undefined {
  if (a === "infinity" || b === "infinity") return undefined;
  const exponent = Math.min(a.exponent, b.exponent);
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent));
  const size = sum < 0n ? -sum : sum;
  const value = exponent >= 0 ? round(size << BigInt(exponent), 1n) : round(size, 1n << BigInt(-exponent));
  if (value === undefined) return undefined;
  return sum < 0n ? { ...value, mantissa: -value.mantissa } : value;
}

/** Without an exponent, with 17 decimals less the zeros at their end; there is no `-0`. */
export function longDoubleToText({ mantissa, exponent }: FiniteLongDouble): string {
  const size = (mantissa < 0n ? -mantissa : mantissa) * SCALE;
  const scaled = exponent >= 0 ? size << BigInt(exponent) : divideToNearest(size, 1n << BigInt(-exponent));
  const digits = String(scaled).padStart(DECIMALS + 1, "0");
  const decimals = digits.slice(-DECIMALS).replace(/0+$/, "");
  const whole = digits.slice(0, -DECIMALS);
  const text = decimals === "" ? whole : `${whole}.${decimals}`;
  return mantissa < 0n && text !== "0" ? `-${text}` : text;
}

/** The number nearest to a fraction that is not negative; undefined when it is infinite. */
function round(numerator: bigint, denominator: bigint): FiniteLongDouble | undefined {
  if (numerator === 0n) return ZERO;
  // One too many or one too few: the quotient has 64 or 65 bits, and is cut again below.
  let exponent = Math.max(bitsOf(numerator) - bitsOf(denominator) - MANTISSA_BITS, EXPONENT_MIN);
  let mantissa = scale(numerator, denominator, exponent);
  if (bitsOf(mantissa) > MANTISSA_BITS) {
    exponent += 1;
    mantissa = scale(numerator, denominator, exponent);
  }
  return bitsOf(mantissa) + exponent > BITS_MAX ? undefined : { mantissa, exponent };
}

/** The fraction over 2^exponent, as the nearest integer. */
function scale(numerator: bigint, denominator: bigint, exponent: number): bigint {
  return exponent >= 0
    ? divideToNearest(numerator, denominator << BigInt(exponent))
    : divideToNearest(numerator << BigInt(-exponent), denominator);
}

function divideToNearest(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  const isUp = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return isUp ? quotient + 1n : quotient;
}

function bitsOf(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}
