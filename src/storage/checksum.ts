/**
 * xxHash32 (Yann Collet, the specification of xxHash, version 0.1.1): the checksum of an entry.
 *
 * A CRC takes a table for each byte, and in JavaScript more than twice the time; the call into zlib costs more than either for
 * a body of a hundred bytes. Every step is invertible, so damage within four bytes that are read at once is always found, and
 * any other but once in 2^32.
 */
import type { Frame } from "../core/bytes.js";

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;
/** Bytes that go into the four sums at once, and into one of them. */
const STRIPE = 16;
const LANE = 4;

/**
 * The xxHash32 of the bytes from `from` up to, and without, `to`.
 * @param seed 32 bits, signed, as is what is returned: the runtime would need an object for half of the unsigned ones
 */
export function checksum({ view }: Frame, from: number, to: number, seed: number): number {
  let at = from;
  let hash = (seed + PRIME_5) | 0;
  if (to - from >= STRIPE) {
    let a = (seed + PRIME_1 + PRIME_2) | 0;
    let b = (seed + PRIME_2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME_1) | 0;
    // In one piece: within a large caller the compiler may leave small functions as calls, as a profile of the daemon has shown.
    for (const last = to - STRIPE; at <= last; at += STRIPE) {
      a = (a + Math.imul(view.getInt32(at, true), PRIME_2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), PRIME_1);
      b = (b + Math.imul(view.getInt32(at + 4, true), PRIME_2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), PRIME_1);
      c = (c + Math.imul(view.getInt32(at + 8, true), PRIME_2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), PRIME_1);
      d = (d + Math.imul(view.getInt32(at + 12, true), PRIME_2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), PRIME_1);
    }
    hash =
      ((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14));
  }
  hash = (hash + to - from) | 0;
  for (const last = to - LANE; at <= last; at += LANE) {
    hash = (hash + Math.imul(view.getInt32(at, true), PRIME_3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), PRIME_4);
  }
  for (; at < to; at += 1) {
    hash = (hash + Math.imul(view.getUint8(at), PRIME_5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return hash ^ (hash >>> 16);
}
