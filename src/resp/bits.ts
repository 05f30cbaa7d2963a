/** A byte string as a row of bits, of which bit 0 is the highest of the first byte. */
import type { Bytes } from "../core/bytes.js";

export type Bit = 0 | 1;

/** In what a range is counted. */
export type BitUnit = "BYTE" | "BIT";

/** From one bit to another, both included; there is none when the first lies behind the last. */
export interface BitRange {
  readonly first: number;
  readonly last: number;
}

/** Of two bytes. */
export type BitOperation = "AND" | "OR" | "XOR";

/** How many ones each byte has. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

/** All bits of a value. */
export function wholeRange(value: Bytes): BitRange {
  return toBitRange(0, -1, "BYTE", value);
}

/**
 * The part of a range that a value has.
 * @param start offset of the first unit; negative = from the end, where -1 is the last unit
 * @param end offset of the last unit, alike
 */
export function toBitRange(start: number, end: number, unit: BitUnit, value: Bytes): BitRange {
  const size = unit === "BIT" ? 1 : 8;
  const length = (value.length * 8) / size;
  const first = Math.max(0, start < 0 ? length + start : start);
  const last = Math.min(length - 1, Math.max(0, end < 0 ? length + end : end));
  return { first: first * size, last: last * size + size - 1 };
}

/** The bit at an offset below 2 ** 32; 0 behind the end. */
export function bitAt(value: Bytes, offset: number): Bit {
  const at = offset >>> 3;
  return at < value.length && (value.charCodeAt(at) & maskOf(offset)) !== 0 ? 1 : 0;
}

/** The value with another bit at an offset below 2 ** 32, and with as many zeros before it as it takes. */
export function withBit(value: Bytes, offset: number, bit: Bit): Bytes {
  const at = offset >>> 3;
  const bytes = Buffer.alloc(Math.max(value.length, at + 1));
  bytes.write(value, "latin1");
  const others = (bytes[at] ?? 0) & ~maskOf(offset);
  bytes[at] = bit === 1 ? others | maskOf(offset) : others;
  return bytes.toString("latin1");
}

/** How many bits of a range of the value are 1. */
export function countOnes(value: Bytes, range: BitRange): number {
  if (range.first > range.last) return 0;
  let count = 0;
  for (let at = range.first >>> 3; at <= range.last >>> 3; at += 1) {
    count += ONES[bitsInByte(value, at, 1, range)] ?? 0;
  }
  return count;
}

/** The offset of the first such bit in a range of the value; undefined when there is none. */
export function findBit(value: Bytes, bit: Bit, range: BitRange): number | undefined {
  if (range.first > range.last) return undefined;
  for (let at = range.first >>> 3; at <= range.last >>> 3; at += 1) {
    const found = bitsInByte(value, at, bit, range);
    if (found !== 0) return at * 8 + Math.clz32(found) - 24;
  }
  return undefined;
}

/** The bytes of values, one by one; the shorter values are followed by zeros. @returns as long as the longest */
export function combine(operation: BitOperation, values: readonly Bytes[]): Bytes {
  const [first = "", ...others] = values;
  const bytes = Buffer.alloc(values.reduce((longest, { length }) => Math.max(longest, length), 0));
  bytes.write(first, "latin1");
  for (const value of others) {
    const other = Buffer.from(value, "latin1");
    for (let at = 0; at < other.length; at += 1) {
      const a = bytes[at] ?? 0;
      const b = other[at] ?? 0;
      bytes[at] = operation === "AND" ? a & b : operation === "OR" ? a | b : a ^ b;
    }
    if (operation === "AND") bytes.fill(0, other.length);
  }
  return bytes.toString("latin1");
}

/** Each bit the other way round. */
export function invert(value: Bytes): Bytes {
  const bytes = Buffer.from(value, "latin1");
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = ~(bytes[at] ?? 0);
  return bytes.toString("latin1");
}

/** A byte of a range: 1 where the value has such a bit, 0 where it has the other, and outside of the range. */
function bitsInByte(value: Bytes, at: number, bit: Bit, { first, last }: BitRange): number {
  const head = at === first >>> 3 ? 0xff >> (first & 7) : 0xff;
  const tail = at === last >>> 3 ? 0xff << (7 - (last & 7)) : 0xff;
  const byte = value.charCodeAt(at);
  return (bit === 1 ? byte : ~byte) & head & tail & 0xff;
}

function maskOf(offset: number): number {
  return 0x80 >> (offset & 7);
}
