/**
 * Reads a frame that may be anything.
 *
 * Nothing here throws: a read beyond the end, or outside its bounds, marks the reader as failed and returns an
 * empty value, and whoever decodes asks `ok` at the end of each loop and at the end of the frame. Counts are
 * checked against the bytes that are left before anything is allocated for them.
 */
import { sliceToBytes, type Bytes, type Frame, type Slice } from "../core/bytes.js";
import { hex64 } from "../core/hash.js";
import type { Writer } from "../core/version.js";

export class Reader {
  #at: number;
  #ok = true;

  /** Reads the bytes from `from` up to, and without, `to`. */
  constructor(
    readonly frame: Frame,
    from = 0,
    readonly to = frame.bytes.length,
  ) {
    this.#at = from;
  }

  /** Where it goes on. */
  get at(): number {
    return this.#at;
  }

  /** False as soon as anything was malformed. */
  get ok(): boolean {
    return this.#ok;
  }

  /** Whether the frame was well formed and read to its last byte. */
  get done(): boolean {
    return this.#ok && this.#at === this.to;
  }

  get bytesLeft(): number {
    return this.to - this.#at;
  }

  /** Goes on from a place that is not beyond the end: what is before it was read by other means. */
  skipTo(at: number): void {
    this.#at = at;
  }

  /** Marks the frame as malformed. */
  fail(): void {
    this.#ok = false;
    this.#at = this.to;
  }

  u8(): number {
    const byte = this.frame.bytes[this.#at];
    if (byte === undefined || this.#at >= this.to) {
      this.fail();
      return 0;
    }
    this.#at += 1;
    return byte;
  }

  u16(): number {
    return this.#uint(2);
  }

  u32(): number {
    return this.#uint(4);
  }

  /** 6 bytes, for times in milliseconds. */
  u48(): number {
    return this.#uint(6);
  }

  /** 8 bytes; fails above 2^53 - 1. */
  u53(): number {
    const high = this.#uint(4);
    const low = this.#uint(4);
    if (high > 0x1fffff) this.fail();
    return this.#ok ? high * 0x1_0000_0000 + low : 0;
  }

  /** An unsigned LEB128 of at most 8 bytes, from `min` to `max` (at most 2^53 - 1). */
  varint(max: number, min = 0): number {
    let value = 0;
    let factor = 1;
    for (let length = 0; length < 8; length += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > max || value < min) break;
        return this.#ok ? value : 0;
      }
      factor *= 128;
    }
    this.fail();
    return 0;
  }

  /** A count of items that take at least `itemBytes` each. */
  count(itemBytes: number): number {
    return this.varint(Math.floor(this.bytesLeft / itemBytes));
  }

  /** A length from `min` to `max`, then so many bytes. */
  bytes(max: number, min = 0): Bytes {
    return sliceToBytes(this.slice(max, min));
  }

  /** The same, left where they are. */
  slice(max: number, min = 0): Slice {
    const length = this.varint(max, min);
    const at = this.#take(length);
    return { frame: this.frame, at, length: this.#ok ? length : 0 };
  }

  /** No bytes, of where it goes on. */
  nothing(): Slice {
    return { frame: this.frame, at: this.#at, length: 0 };
  }

  /** A length up to `max`, then so many bytes of UTF-8; fails when decoding would make them more. */
  text(max: number): string {
    const length = this.varint(max);
    const from = this.#take(length);
    const text = this.#ok ? this.frame.bytes.toString("utf8", from, from + length) : "";
    if (Buffer.byteLength(text, "utf8") > length) this.fail();
    return this.#ok ? text : "";
  }

  /** 8 bytes as 16 hexadecimal digits. */
  id(): Writer {
    const high = this.u32();
    const low = this.u32();
    return this.#ok ? idOf(high, low) : "";
  }

  /** `count` 64-bit numbers, as two unsigned halves each. */
  sums(count: number): Uint32Array {
    return this.words(2 * count);
  }

  /** `count` unsigned 32-bit numbers. */
  words(count: number): Uint32Array {
    const words = new Uint32Array(count * 4 > this.bytesLeft ? 0 : count);
    if (words.length !== count) this.fail();
    for (let i = 0; i < count && this.#ok; i += 1) words[i] = this.#uint(4);
    return words;
  }

  /** Byte by byte: the runtime's own for any number of bytes checks more than has to be checked here. */
  #uint(bytes: 2 | 4 | 6): number {
    const from = this.#take(bytes);
    if (!this.#ok) return 0;
    let value = 0;
    for (let at = from; at < from + bytes; at += 1) value = value * 256 + (this.frame.bytes[at] ?? 0);
    return value;
  }

  #take(length: number): number {
    const from = this.#at;
    if (length > this.to - from) this.fail();
    else this.#at += length;
    return from;
  }
}

/** Eight bytes of an id, as two unsigned halves, as 16 hexadecimal digits. */
export function idOf(high: number, low: number): Writer {
  // Mostly it is the one that was read last.
  if (high !== lastHigh || low !== lastLow) {
    lastId = intern(hex64(high, low));
    lastHigh = high;
    lastLow = low;
  }
  return lastId;
}

let lastId = "";
let lastHigh = -1;
let lastLow = -1;

const INTERNED_MAX = 4096;
const interned = new Map<string, string>();

/** One string object for each id, so that a million records of one writer share it. */
function intern(id: string): string {
  const known = interned.get(id);
  if (known !== undefined) return known;
  if (interned.size >= INTERNED_MAX) interned.clear();
  interned.set(id, id);
  return id;
}
