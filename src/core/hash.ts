/**
 * The two hashes that every node must compute alike: which bucket a key belongs to, and what a
 * version adds to the fingerprints. Both are MurmurHash3_x86_32 (Austin Appleby, public domain), so
 * that any language has them in a library; docs/protocol.md gives test vectors.
 *
 * A version's hash is 64 bits: two 32-bit hashes of the same 24 bytes under two seeds, because JavaScript has no
 * 64-bit integer that costs nothing. The hashes find differences; they do not defend against an adversary, who could
 * write any key anyway.
 */
import type { Bytes, Slice } from "./bytes.js";
import type { Writer } from "./version.js";

/** Number of buckets of the map; a power of two, because a bucket is the top 16 bits of a key's hash. */
export const BUCKETS = 65_536;
/** Number of groups of buckets; bucket b is in group b / 256. */
export const GROUPS = 256;
/** Number of buckets in a group. */
export const BUCKETS_PER_GROUP = BUCKETS / GROUPS;

const SEED_KEY = 0;
const SEED_HIGH = 0x6c616e6b; // "lank"
const SEED_LOW = 0x76303031; // "v001"

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

function scramble(block: number): number {
  const k = Math.imul(block, C1);
  return Math.imul((k << 15) | (k >>> 17), C2);
}

function stir(h: number): number {
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function mix(hash: number, block: number): number {
  return stir(hash ^ scramble(block));
}

function finish(hash: number, length: number): number {
  let h = hash ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function blockAt(bytes: Bytes, at: number): number {
  return (
    bytes.charCodeAt(at) |
    (bytes.charCodeAt(at + 1) << 8) |
    (bytes.charCodeAt(at + 2) << 16) |
    (bytes.charCodeAt(at + 3) << 24)
  );
}

/** MurmurHash3_x86_32 of a byte string, as an unsigned 32-bit integer. */
export function murmur3(bytes: Bytes, seed: number): number {
  const length = bytes.length;
  const whole = length & ~3;
  let hash = seed;
  for (let at = 0; at < whole; at += 4) hash = mix(hash, blockAt(bytes, at));
  if (whole < length) {
    let tail = bytes.charCodeAt(whole);
    if (whole + 1 < length) tail |= bytes.charCodeAt(whole + 1) << 8;
    if (whole + 2 < length) tail |= bytes.charCodeAt(whole + 2) << 16;
    hash ^= scramble(tail);
  }
  return finish(hash, length);
}

/** The hash of a key: MurmurHash3 with seed 0. */
export function hashOf(key: Bytes | Slice): number {
  return typeof key === "string" ? murmur3(key, SEED_KEY) : hashOfSlice(key);
}

function hashOfSlice({ frame: { view }, at: from, length }: Slice): number {
  const whole = from + (length & ~3);
  let hash = SEED_KEY;
  for (let at = from; at < whole; at += 4) hash = mix(hash, view.getInt32(at, true));
  if (whole < from + length) {
    let tail = view.getUint8(whole);
    if (whole + 1 < from + length) tail |= view.getUint8(whole + 1) << 8;
    if (whole + 2 < from + length) tail |= view.getUint8(whole + 2) << 16;
    hash ^= scramble(tail);
  }
  return finish(hash, length);
}

/** The bucket of the keys with this hash, 0 to 65 535: its top 16 bits. */
export function hashToBucket(hash: number): number {
  return hash >>> 16;
}

/** The bucket of a key. */
export function bucketOf(key: Bytes): number {
  return hashToBucket(hashOf(key));
}

/** 64 bits, as two signed halves: an unsigned one is a number for which the runtime needs an object. */
export interface Halves {
  readonly high: number;
  readonly low: number;
}

/**
 * The hash of a version: MurmurHash3 of its 24 bytes under two seeds, the stamp as 8 bytes little-endian, then the writer's 16
 * hexadecimal digits in ASCII.
 */
export function versionHash(stamp: number, writer: Writer): Halves {
  if (writer !== knownWriter) learn(writer);
  const early = scramble(stamp | 0);
  const late = scramble((stamp / 0x1_0000_0000) | 0);
  return { high: hashBlocks(SEED_HIGH, early, late), low: hashBlocks(SEED_LOW, early, late) };
}

function hashBlocks(seed: number, early: number, late: number): number {
  let hash = stir(stir(seed ^ early) ^ late);
  hash = stir(hash ^ known0);
  hash = stir(hash ^ known1);
  hash = stir(hash ^ known2);
  hash = stir(hash ^ known3);
  return finish(hash, 24) | 0;
}

/** The scrambled blocks of the writer that was hashed last: mostly it is the next one, too. */
let knownWriter = "";
let known0 = 0;
let known1 = 0;
let known2 = 0;
let known3 = 0;

function learn(writer: string): void {
  knownWriter = writer;
  known0 = scramble(blockAt(writer, 0));
  known1 = scramble(blockAt(writer, 4));
  known2 = scramble(blockAt(writer, 8));
  known3 = scramble(blockAt(writer, 12));
}

/** A 64-bit hash or sum, given as two halves, as 16 lower-case hexadecimal digits. */
export function hex64(high: number, low: number): string {
  return hex32(high) + hex32(low);
}

function hex32(half: number): string {
  return (half >>> 0).toString(16).padStart(8, "0");
}
