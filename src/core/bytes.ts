/**
 * Byte strings: how keys and values are held in memory.
 *
 * A byte string is a JavaScript string in which every character is one byte (U+0000 to U+00FF). V8
 * stores such a string as one contiguous run of bytes with a 16-byte header, hashes it natively as
 * a Map key, and copies it in and out of a frame with one memcpy. A Buffer a value would cost four
 * times the bookkeeping (a typed array, its ArrayBuffer, the backing store) and cannot be a Map key;
 * a slice of a shared slab would pin the slab.
 *
 * Text that is pure ASCII is its own byte string, which makes reading and writing text free.
 */
export type Bytes = string;

/** A buffer with a view of it, which reads and writes four bytes at once wherever they begin. */
export interface Frame {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export function toFrame(bytes: Buffer): Frame {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** Bytes that still lie in the frame which they were read into, for as long as whoever gives it says. */
export interface Slice {
  readonly frame: Frame;
  /** Where in it they begin. */
  readonly at: number;
  readonly length: number;
}

/** Up to so many bytes a loop is faster than the call into the runtime, which makes two views of the buffers. */
const SHORT = 256;
/** Bytes that are read and written at once. */
const WORD = 4;

/** Copies bytes to a place of a frame that has room for them. */
export function copySlice({ frame, at: from, length }: Slice, target: Frame, at: number): void {
  if (length > SHORT) {
    frame.bytes.copy(target.bytes, at, from, from + length);
    return;
  }
  const [source, view] = [frame.view, target.view];
  // The last word may lie half over the one before it.
  const last = length - WORD;
  let i = 0;
  for (const lastFour = length - 4 * WORD; i < lastFour; i += 4 * WORD) {
    const a = source.getInt32(from + i, true);
    const b = source.getInt32(from + i + WORD, true);
    const c = source.getInt32(from + i + 2 * WORD, true);
    const d = source.getInt32(from + i + 3 * WORD, true);
    view.setInt32(at + i, a, true);
    view.setInt32(at + i + WORD, b, true);
    view.setInt32(at + i + 2 * WORD, c, true);
    view.setInt32(at + i + 3 * WORD, d, true);
  }
  for (; i < last; i += WORD) view.setInt32(at + i, source.getInt32(from + i, true), true);
  if (last >= 0) view.setInt32(at + last, source.getInt32(from + last, true), true);
  else for (; i < length; i += 1) view.setUint8(at + i, source.getUint8(from + i));
}

/** Whether the same bytes are at a place of a frame, which has as many from there on. */
export function isSliceAt({ frame, at: from, length }: Slice, target: Frame, at: number): boolean {
  const [source, view] = [frame.view, target.view];
  const last = length - WORD;
  for (let i = 0; i < last; i += WORD) if (view.getInt32(at + i) !== source.getInt32(from + i)) return false;
  if (last >= 0) return view.getInt32(at + last) === source.getInt32(from + last);
  for (let i = 0; i < length; i += 1) if (view.getUint8(at + i) !== source.getUint8(from + i)) return false;
  return true;
}

export function sliceToBytes(bytes: Bytes | Slice): Bytes {
  if (typeof bytes === "string") return bytes;
  return readBytes(bytes.frame.bytes, bytes.at, bytes.at + bytes.length);
}

/** Bounds on keys, values and published messages, in bytes. What is outside them is refused, and nothing changes. */
export interface Limits {
  /** Longest key. Default 1 024; at most 1 024 (the wire refuses longer ones). */
  readonly keyBytesMax: number;
  /** Longest value. Default 1 048 576 (1 MiB); at most 1 048 576 (the wire refuses longer ones). */
  readonly valueBytesMax: number;
  /** Longest name of a channel; at most 1 024. */
  readonly channelBytesMax: number;
  /** Longest message published to a channel; at most 1 048 576 (1 MiB). */
  readonly payloadBytesMax: number;
}

/** The bounds of the wire format, and the defaults of every node. */
export const LIMITS: Limits = {
  keyBytesMax: 1024,
  valueBytesMax: 1_048_576,
  channelBytesMax: 1024,
  payloadBytesMax: 1_048_576,
};

/** Whether every character is one byte, as {@link Bytes} demands. */
export function isBytes(text: string): boolean {
  return !/[^\u0000-\u00ff]/.test(text);
}

/*
 * `toString` and `write` look up what an encoding stands for, and that function among those of all buffers: a quarter of what a
 * hundred bytes take. So the runtime's own functions for the one encoding are called, which it does not document; where a version of
 * Node.js has none, it is the long way.
 */
type Slicing = (this: Buffer, from: number, to: number) => Bytes;
type Writing = (this: Buffer, bytes: Bytes, at: number, length: number) => number;

const ownSlice: unknown = Reflect.get(Buffer.prototype, "latin1Slice");
const ownWrite: unknown = Reflect.get(Buffer.prototype, "latin1Write");
const latin1Slice: Slicing = isFunction<Slicing>(ownSlice) ? ownSlice : sliceByEncoding;
const latin1Write: Writing = isFunction<Writing>(ownWrite) ? ownWrite : writeByEncoding;

function isFunction<F>(found: unknown): found is F {
  return typeof found === "function";
}

function sliceByEncoding(this: Buffer, from: number, to: number): Bytes {
  return this.toString("latin1", from, to);
}

function writeByEncoding(this: Buffer, bytes: Bytes, at: number, length: number): number {
  return this.write(bytes, at, length, "latin1");
}

/** The bytes from one place of a buffer up to, and without, another; both are in it. */
export function readBytes(buffer: Buffer, from: number, to: number): Bytes {
  return latin1Slice.call(buffer, from, to);
}

/** Writes bytes to a place of a buffer that has room for them. @returns how many */
export function writeBytes(buffer: Buffer, bytes: Bytes, at: number): number {
  return latin1Write.call(buffer, bytes, at, bytes.length);
}
