/**
 * The CRC-32 of zlib (IEEE 802.3, reflected), computed here for short bodies.
 *
 * Of a body of a hundred bytes, the call into zlib and the view that it is given of the buffer cost twice what the sum
 * does. Eight tables take eight bytes in a step (Kounavis and Berry, "A systematic approach to building high performance
 * software-based CRC generators", 2005); sixteen were measured not to be faster. For long ones zlib is.
 */
import { crc32 } from "node:zlib";
import type { Frame } from "../core/bytes.js";

/** Up to this length it is faster than the call into zlib. */
const SHORT_BYTES = 320;

/** The CRC of a byte, then of a byte with one zero behind it, and so on up to seven. */
const TABLES = makeTables();

/**
 * The CRC-32 of the bytes from `from` up to, and without, `to`.
 * @param begin the CRC-32 of what comes before them; 0 = nothing
 */
export function checksum({ bytes, view }: Frame, from: number, to: number, begin: number): number {
  if (to - from > SHORT_BYTES) return crc32(bytes.subarray(from, to), begin);
  const tables = TABLES;
  let crc = ~begin;
  let at = from;
  for (const whole = to - 7; at < whole; at += 8) {
    // In one piece: within a large caller the compiler may leave small functions as calls, as a profile of the daemon has shown.
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      (tables[0x700 + (low & 0xff)] ?? 0) ^
      (tables[0x600 + ((low >>> 8) & 0xff)] ?? 0) ^
      (tables[0x500 + ((low >>> 16) & 0xff)] ?? 0) ^
      (tables[0x400 + (low >>> 24)] ?? 0) ^
      (tables[0x300 + (high & 0xff)] ?? 0) ^
      (tables[0x200 + ((high >>> 8) & 0xff)] ?? 0) ^
      (tables[0x100 + ((high >>> 16) & 0xff)] ?? 0) ^
      (tables[high >>> 24] ?? 0);
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ (tables[(crc ^ view.getUint8(at)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let index = 0; index < 256; index += 1) {
    let crc = index;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0xedb88320);
    tables[index] = crc;
  }
  for (let index = 256; index < tables.length; index += 1) {
    const before = tables[index - 256] ?? 0;
    tables[index] = (before >>> 8) ^ (tables[before & 0xff] ?? 0);
  }
  return tables;
}
