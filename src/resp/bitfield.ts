/** Integers of 1 to 64 bits within a byte string, which may begin at any bit. */

export interface Field {
  /** Of its first bit, which is its highest. */
  readonly offset: number;
  /** 1 to 64, or to 63 when it is unsigned. */
  readonly bits: number;
  readonly isSigned: boolean;
}

/** What becomes of a number that a field cannot hold: its lowest bits, the nearest that it can hold, or nothing. */
export type Overflow = "WRAP" | "SAT" | "FAIL";

/** The offset of the last byte in which a field lies. */
export function lastByteOf({ offset, bits }: Field): number {
  return Math.floor((offset + bits - 1) / 8);
}

/** Behind the end of the bytes all is 0. */
export function readField(bytes: Uint8Array, field: Field): bigint {
  const { offset, bits, isSigned } = field;
  let window = 0n;
  for (let at = Math.floor(offset / 8); at <= lastByteOf(field); at += 1) {
    window = (window << 8n) | BigInt(bytes[at] ?? 0);
  }
  const value = window >> BigInt(7 - ((offset + bits - 1) % 8));
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** @param bytes have room for the field */
export function writeField(bytes: Uint8Array, { offset, bits }: Field, value: bigint): void {
  let rest = BigInt.asUintN(bits, value);
  for (let at = offset + bits - 1; at >= offset; at -= 1) {
    const mask = 0x80 >> (at % 8);
    const others = (bytes[Math.floor(at / 8)] ?? 0) & ~mask;
    bytes[Math.floor(at / 8)] = (rest & 1n) === 1n ? others | mask : others;
    rest >>= 1n;
  }
}

/** @returns undefined when the field cannot hold it, and nothing else shall be written */
export function fit(value: bigint, { bits, isSigned }: Field, overflow: Overflow): bigint | undefined {
  const fitting = isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  if (fitting === value || overflow === "WRAP") return fitting;
  if (overflow === "FAIL") return undefined;
  const width = BigInt(isSigned ? bits - 1 : bits);
  if (value > 0n) return (1n << width) - 1n;
  return isSigned ? -(1n << width) : 0n;
}
