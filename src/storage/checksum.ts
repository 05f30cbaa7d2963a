/**
 * The CRC-32 of zlib (IEEE 802.3, reflected), computed here for short bodies.
 *
 * Of a body of a hundred bytes, the call into zlib and the view that it is given of the buffer cost twice what the sum
 * does. Eight tables take eight bytes in a step (Kounavis and Berry, "A systematic approach to building high performance
 * software-based CRC generators", 2005); sixteen were measured not to be faster. For long ones zlib is.
 */
import { crc32 } from "node:zlib";

/** Up to this length it is faster than the call into zlib. */
const SHORT_BYTES = 320;

/** The CRC of a byte, then of a byte with one zero behind it, and so on up to seven. */
const TABLES = makeTables();

/**
 * The CRC-32 of the bytes from `from` up to, and without, `to`.
 * @param begin the CRC-32 of what comes before them; 0 = nothing
 */
export function checksum(buffer: Buffer, from: number, to: number, begin: number): number {
  if (to - from > SHORT_BYTES) return crc32(buffer.subarray(from, to), begin);
  const tables = TABLES;
  let crc = ~begin;
  let at = from;
  for (const whole = to - 7; at < whole; at += 8) {
    // In one piece: within a large caller the compiler may leave small functions as calls, as a profile of the daemon has shown.
    crc ^=
      (buffer[at] ?? 0) |
      ((buffer[at + 1] ?? 0) << 8) |
      ((buffer[at + 2] ?? 0) << 16) |
      ((buffer[at + 3] ?? 0) << 24);
    crc =
      (tables[0x700 + (crc & 0xff)] ?? 0) ^
      (tables[0x600 + ((crc >>> 8) & 0xff)] ?? 0) ^
      (tables[0x500 + ((crc >>> 16) & 0xff)] ?? 0) ^
      (tables[0x400 + (crc >>> 24)] ?? 0) ^
      (tables[0x300 + (buffer[at + 4] ?? 0)] ?? 0) ^
      (tables[0x200 + (buffer[at + 5] ?? 0)] ?? 0) ^
      (tables[0x100 + (buffer[at + 6] ?? 0)] ?? 0) ^
      (tables[buffer[at + 7] ?? 0] ?? 0);
  }
  for (; at < to; at += 1) crc = (crc >>> 8) ^ (tables[(crc ^ (buffer[at] ?? 0)) & 0xff] ?? 0);
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
