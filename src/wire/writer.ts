/** Writes a frame of known greatest size. The caller has bounded every field; numbers are big-endian. */
import { copySlice, toFrame, writeBytes, type Bytes, type Frame, type Slice } from "../core/bytes.js";

/** Up to this length a loop is faster than the call into the runtime. */
const SHORT_BYTES = 24;

let lastId = "";
let lastHigh = 0;
let lastLow = 0;

export class Writer {
  readonly #frame: Frame;
  #at: number;

  /**
   * @param frame where it is written to, or an upper bound of what will be written
   * @param from where it begins
   */
  constructor(frame: Frame | number, from = 0) {
    this.#frame = typeof frame === "number" ? toFrame(Buffer.allocUnsafe(frame)) : frame;
    this.#at = from;
  }

  /** Where the next byte goes. */
  get at(): number {
    return this.#at;
  }

  /**
   * What was written: a view, not to be written to any more.
   * @throws {RangeError} it was more than the frame holds
   */
  finish(): Buffer {
    const { bytes } = this.#frame;
    if (this.#at > bytes.length) throw new RangeError("a frame is too small for what it should hold");
    return bytes.subarray(0, this.#at);
  }

  u8(value: number): void {
    this.#frame.bytes[this.#at] = value;
    this.#at += 1;
  }

  u16(value: number): void {
    this.#at = this.#frame.bytes.writeUInt16BE(value, this.#at);
  }

  u32(value: number): void {
    this.#frame.view.setUint32(this.#at, value);
    this.#at += 4;
  }

  u48(value: number): void {
    this.#at = this.#frame.bytes.writeUIntBE(value, this.#at, 6);
  }

  u53(value: number): void {
    this.u32(Math.floor(value / 0x1_0000_0000));
    // A view takes the lower 32 bits of any whole number, which is faster than the remainder.
    this.u32(value);
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.u8(rest);
  }

  /** A length, then the bytes. */
  bytes(bytes: Bytes | Slice): void {
    this.varint(bytes.length);
    if (typeof bytes === "string") this.ascii(bytes);
    else {
      copySlice(bytes, this.#frame, this.#at);
      this.#at += bytes.length;
    }
  }

  /** A length, then the text in UTF-8. */
  text(text: string): void {
    this.varint(Buffer.byteLength(text, "utf8"));
    this.#at += this.#frame.bytes.write(text, this.#at, "utf8");
  }

  /** The characters, one byte each, without a length. */
  ascii(bytes: Bytes): void {
    if (bytes.length > SHORT_BYTES) {
      this.#at += writeBytes(this.#frame.bytes, bytes, this.#at);
      return;
    }
    const [frame, at] = [this.#frame.bytes, this.#at];
    for (let i = 0; i < bytes.length; i += 1) frame[at + i] = bytes.charCodeAt(i);
    this.#at = at + bytes.length;
  }

  /** 16 hexadecimal digits as 8 bytes. */
  id(id: string): void {
    writeId(this.#frame, this.#at, id);
    this.#at += 8;
  }

  /** Unsigned 32-bit numbers; of a 64-bit number the upper half first. */
  words(words: Uint32Array): void {
    for (const word of words) this.u32(word);
  }
}

/** 16 hexadecimal digits as 8 bytes. */
export function writeId({ view }: Frame, at: number, id: string): void {
  // Mostly it is the one that was written last.
  if (id !== lastId) {
    lastHigh = Number.parseInt(id.slice(0, 8), 16);
    lastLow = Number.parseInt(id.slice(8), 16);
    lastId = id;
  }
  view.setUint32(at, lastHigh);
  view.setUint32(at + 4, lastLow);
}
