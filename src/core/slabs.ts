/**
 * The bytes of keys and values, where the garbage collector does not go.
 *
 * A string on the heap outlives the write by which it came, so the collector copies it twice, and marks it ever after; with
 * a hundred thousand writes a second its pauses are what clients wait for. So bytes lie in *cells*, as slab allocators lay
 * them (Bonwick, "The Slab Allocator", 1994): a slab is cut into cells of one size, and a cell is taken of the least size
 * that is enough.
 *
 *     sizes    16, 20, 24, 28, 32, 40, 48, 56, 64, 80 ... 32 768: four for each doubling, so that a fifth is wasted at the most
 *     cell     what its owner writes, or while it is free, in its first two bytes, 1 + the number of the next free one
 *     place    slab number * 4096 + cell number
 *
 * What is longer than the greatest cell has a slab of its own. A slab all of whose cells are free is given back, unless
 * it is the only one of its size that has room.
 */
import {
  copySlice,
  isSliceAt,
  readBytes,
  toFrame,
  writeBytes,
  type Bytes,
  type Frame,
  type Slice,
} from "./bytes.js";

/** Bytes of a slab, unless it is of one long cell. */
const SLAB_BYTES = 65_536;
const CELLS_PER_SLAB = 4_096;
const CELL_BYTES_MIN = 16;
const CELL_BYTES_MAX = 32_768;
/** Up to this length of a string a loop is faster than the call into the runtime. */
const SHORT_BYTES = 24;
/** What a processor fetches of memory at once. */
const LINE_BYTES = 64;
/** From here on it fetches what follows by itself. */
const TOUCHED_BYTES_MAX = 512;
const NONE = toFrame(Buffer.alloc(0));

/** A slab's state; its bytes and the size of its cells stand apart, where reading and overwriting find them at once. */
interface Slab {
  readonly number: number;
  readonly cells: number;
  /** Cells that are taken, and those that ever were. */
  used: number;
  touched: number;
  /** 1 + the number of the first free cell among those that were touched; 0 = none. */
  free: number;
  /** Where it stands among those of its size that have room; -1 = it has none. */
  roomyAt: number;
}

export class Slabs {
  /** By slab number. */
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #frames: Frame[] = [];
  readonly #cellBytes: number[] = [];
  readonly #freeNumbers: number[] = [];
  /** By the size of their cells: the slabs that have room. */
  readonly #roomy = new Map<number, Slab[]>();
  /** Those of the size that was asked for last: mostly it is the next one, too. */
  #lastRoomy: Slab[] = [];
  #lastBytes = 0;
  #heldBytes = 0;

  /** Bytes of all slabs. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes a cell for so many bytes. @returns its place */
  take(length: number): number {
    const cellBytes = cellBytesFor(length);
    const roomy = this.#roomyOf(cellBytes);
    const slab = roomy.at(-1) ?? this.#open(cellBytes, roomy);
    slab.used += 1;
    let cell = slab.touched;
    if (slab.free === 0) slab.touched += 1;
    else {
      cell = slab.free - 1;
      slab.free = this.#frames[slab.number]?.view.getUint16(cell * cellBytes, true) ?? 0;
    }
    if (slab.used === slab.cells) {
      roomy.pop();
      slab.roomyAt = -1;
    }
    return slab.number * CELLS_PER_SLAB + cell;
  }

  /** Whether the cells of a slab are of the size that so many bytes take. */
  fits(slab: number, length: number): boolean {
    return this.#cellBytes[slab] === cellBytesFor(length);
  }

  /** @param from where in the cell; there is room */
  write(slab: number, cell: number, from: number, bytes: Bytes | Slice): void {
    const frame = this.#frames[slab] ?? NONE;
    const at = cell * (this.#cellBytes[slab] ?? 0) + from;
    if (typeof bytes !== "string") copySlice(bytes, frame, at);
    else if (bytes.length > SHORT_BYTES) writeBytes(frame.bytes, bytes, at);
    else for (let i = 0; i < bytes.length; i += 1) frame.bytes[at + i] = bytes.charCodeAt(i);
  }

  /** @param from where in the cell */
  read(slab: number, cell: number, from: number, length: number): Bytes {
    if (length === 0) return "";
    const at = cell * (this.#cellBytes[slab] ?? 0) + from;
    return readBytes((this.#frames[slab] ?? NONE).bytes, at, at + length);
  }

  /** The same where it lies, until anything is written. */
  slice(slab: number, cell: number, from: number, length: number): Slice {
    const at = cell * (this.#cellBytes[slab] ?? 0) + from;
    return { frame: this.#frames[slab] ?? NONE, at, length };
  }

  /** The first byte of a cell. */
  byteAt(slab: number, cell: number): number {
    return this.#frames[slab]?.bytes[cell * (this.#cellBytes[slab] ?? 0)] ?? 0;
  }

  /** A number from each line of memory that holds the first so many bytes of a cell, up to {@link TOUCHED_BYTES_MAX}. */
  touch(slab: number, cell: number, length: number): number {
    const { bytes } = this.#frames[slab] ?? NONE;
    const from = cell * (this.#cellBytes[slab] ?? 0);
    const to = from + Math.min(length, TOUCHED_BYTES_MAX);
    let sum = bytes[to - 1] ?? 0;
    for (let at = from; at < to; at += LINE_BYTES) sum += bytes[at] ?? 0;
    return sum;
  }

  /** Whether a cell begins with these bytes. */
  startsWith(slab: number, cell: number, bytes: Bytes | Slice): boolean {
    const { length } = bytes;
    const at = cell * (this.#cellBytes[slab] ?? 0);
    const frame = this.#frames[slab] ?? NONE;
    if (typeof bytes !== "string") return isSliceAt(bytes, frame, at);
    if (length > SHORT_BYTES) return this.read(slab, cell, 0, length) === bytes;
    const { bytes: buffer } = frame;
    for (let i = 0; i < length; i += 1) if (buffer[at + i] !== bytes.charCodeAt(i)) return false;
    return true;
  }

  giveBack(number: number, cell: number): void {
    const slab = this.#slabs[number];
    if (slab === undefined) return;
    const cellBytes = this.#cellBytes[number] ?? 0;
    const roomy = this.#roomyOf(cellBytes);
    slab.used -= 1;
    this.#frames[number]?.view.setUint16(cell * cellBytes, slab.free, true);
    slab.free = cell + 1;
    if (slab.roomyAt === -1) {
      slab.roomyAt = roomy.length;
      roomy.push(slab);
    }
    if (slab.used === 0 && (roomy.length > 1 || slab.cells === 1)) this.#close(slab, roomy);
  }

  #open(cellBytes: number, roomy: Slab[]): Slab {
    const number = this.#freeNumbers.pop() ?? this.#slabs.length;
    const cells = Math.max(1, Math.min(Math.floor(SLAB_BYTES / cellBytes), CELLS_PER_SLAB));
    const slab: Slab = { number, cells, used: 0, touched: 0, free: 0, roomyAt: roomy.length };
    this.#slabs[number] = slab;
    this.#frames[number] = toFrame(Buffer.allocUnsafeSlow(cells * cellBytes));
    this.#cellBytes[number] = cellBytes;
    this.#heldBytes += cells * cellBytes;
    roomy.push(slab);
    return slab;
  }

  #close(slab: Slab, roomy: Slab[]): void {
    const last = roomy.pop();
    if (last !== undefined && last !== slab) {
      roomy[slab.roomyAt] = last;
      last.roomyAt = slab.roomyAt;
    }
    const cellBytes = this.#cellBytes[slab.number] ?? 0;
    this.#heldBytes -= slab.cells * cellBytes;
    if (roomy.length === 0) {
      this.#roomy.delete(cellBytes);
      this.#lastBytes = 0;
    }
    this.#slabs[slab.number] = undefined;
    this.#frames[slab.number] = NONE;
    this.#freeNumbers.push(slab.number);
  }

  #roomyOf(cellBytes: number): Slab[] {
    // A slab of one cell never has room.
    if (cellBytes > CELL_BYTES_MAX) return [];
    if (cellBytes === this.#lastBytes) return this.#lastRoomy;
    const roomy = this.#roomy.get(cellBytes) ?? [];
    this.#roomy.set(cellBytes, roomy);
    this.#lastRoomy = roomy;
    this.#lastBytes = cellBytes;
    return roomy;
  }
}

/** The number of the slab at a place. */
export function slabOf(place: number): number {
  return Math.floor(place / CELLS_PER_SLAB);
}

/** The number of the cell at a place, in its slab. */
export function cellOf(place: number): number {
  return place % CELLS_PER_SLAB;
}

/** The least size of a cell that holds so many bytes: its two bits behind the highest count quarters of a doubling. */
function cellBytesFor(length: number): number {
  if (length <= CELL_BYTES_MIN) return CELL_BYTES_MIN;
  if (length > CELL_BYTES_MAX) return length;
  const quarter = 1 << (29 - Math.clz32(length - 1));
  return Math.ceil(length / quarter) * quarter;
}
