/**
 * The bytes of values, where the garbage collector does not go.
 *
 * A value that is a string on the heap outlives the write by which it came, so the collector copies it twice, and
 * marks it ever after; with a hundred thousand writes a second its pauses are what clients wait for. So values lie in
 * buffers, as slab allocators lay them (Bonwick, "The Slab Allocator", 1994): a slab is cut into cells of one size, and a
 * value takes a cell of the least size that holds it. A value over another of about its length is written in its place.
 *
 *     sizes    16, 20, 24, 28, 32, 40, 48, 56, 64, 80 ... 32 768: four for each doubling, so that a fifth is wasted at the most
 *     cell     the value, or while it is free, in its first two bytes, 1 + the number of the next free one
 *     place    slab number * 4096 + cell number
 *
 * A value that is longer than the greatest cell has a slab of its own. A slab all of whose cells are free is given back, unless
 * it is the only one of its size that has room.
 */
import type { Bytes, Span } from "./bytes.js";

/** Bytes of a slab, unless it is of one long value. */
const SLAB_BYTES = 65_536;
const CELLS_PER_SLAB = 4_096;
const CELL_BYTES_MIN = 16;
const CELL_BYTES_MAX = 32_768;
/** Up to this length a loop is faster than the call into the runtime. */
const SHORT_BYTES = 24;
/** The place of a value without bytes. */
const NOWHERE = -1;
const NONE = Buffer.alloc(0);

/** A slab's state; its bytes and the size of its cells stand in columns, where reading and overwriting find them at once. */
interface Slab {
  readonly number: number;
  readonly cells: number;
  /** Cells that hold a value, and those that ever did. */
  used: number;
  touched: number;
  /** 1 + the number of the first free cell among those that were touched; 0 = none. */
  free: number;
  /** Where it stands among those of its size that have room; -1 = it has none. */
  roomyAt: number;
}

export class ValueSlabs {
  /** By slab number. */
  readonly #slabs: (Slab | undefined)[] = [];
  readonly #bytes: Buffer[] = [];
  readonly #cellBytes: number[] = [];
  readonly #freeNumbers: number[] = [];
  /** By the size of their cells: the slabs that have room. */
  readonly #roomy = new Map<number, Slab[]>();
  #heldBytes = 0;

  /** Bytes of all slabs. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** @returns the value's place */
  add(value: Bytes | Span): number {
    if (value.length === 0) return NOWHERE;
    const place = this.#take(cellBytesFor(value.length));
    this.#write(place, value);
    return place;
  }

  /** Puts another value in the place of one. @returns the place that it has now */
  replace(place: number, value: Bytes | Span): number {
    const isFit = place !== NOWHERE && this.#cellBytes[slabOf(place)] === cellBytesFor(value.length);
    if (isFit && value.length > 0) {
      this.#write(place, value);
      return place;
    }
    if (place !== NOWHERE) this.#giveBack(place);
    return this.add(value);
  }

  /** @param length of the value that is there */
  read(place: number, length: number): Bytes {
    if (place === NOWHERE) return "";
    const slab = slabOf(place);
    const at = (place % CELLS_PER_SLAB) * (this.#cellBytes[slab] ?? 0);
    return (this.#bytes[slab] ?? NONE).toString("latin1", at, at + length);
  }

  #write(place: number, value: Bytes | Span): void {
    const slab = slabOf(place);
    const bytes = this.#bytes[slab] ?? NONE;
    const at = (place % CELLS_PER_SLAB) * (this.#cellBytes[slab] ?? 0);
    if (typeof value !== "string") value.buffer.copy(bytes, at, value.at, value.at + value.length);
    else if (value.length > SHORT_BYTES) bytes.write(value, at, "latin1");
    else for (let i = 0; i < value.length; i += 1) bytes[at + i] = value.charCodeAt(i);
  }

  #take(cellBytes: number): number {
    const roomy = this.#roomyOf(cellBytes);
    const slab = roomy.at(-1) ?? this.#open(cellBytes, roomy);
    slab.used += 1;
    let cell = slab.touched;
    if (slab.free === 0) slab.touched += 1;
    else {
      cell = slab.free - 1;
      slab.free = this.#bytes[slab.number]?.readUInt16LE(cell * cellBytes) ?? 0;
    }
    if (slab.used === slab.cells) {
      roomy.pop();
      slab.roomyAt = -1;
    }
    return slab.number * CELLS_PER_SLAB + cell;
  }

  #giveBack(place: number): void {
    const slab = this.#slabs[slabOf(place)];
    if (slab === undefined) return;
    const cellBytes = this.#cellBytes[slab.number] ?? 0;
    const roomy = this.#roomyOf(cellBytes);
    const cell = place % CELLS_PER_SLAB;
    slab.used -= 1;
    this.#bytes[slab.number]?.writeUInt16LE(slab.free, cell * cellBytes);
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
    this.#bytes[number] = Buffer.allocUnsafeSlow(cells * cellBytes);
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
    if (roomy.length === 0) this.#roomy.delete(cellBytes);
    this.#slabs[slab.number] = undefined;
    this.#bytes[slab.number] = NONE;
    this.#freeNumbers.push(slab.number);
  }

  #roomyOf(cellBytes: number): Slab[] {
    // A slab of one cell never has room.
    if (cellBytes > CELL_BYTES_MAX) return [];
    const known = this.#roomy.get(cellBytes);
    if (known !== undefined) return known;
    const roomy: Slab[] = [];
    this.#roomy.set(cellBytes, roomy);
    return roomy;
  }
}

function slabOf(place: number): number {
  return Math.floor(place / CELLS_PER_SLAB);
}

/** The least size of a cell that holds so many bytes: its two bits behind the highest count quarters of a doubling. */
function cellBytesFor(length: number): number {
  if (length <= CELL_BYTES_MIN) return CELL_BYTES_MIN;
  if (length > CELL_BYTES_MAX) return length;
  const quarter = 1 << (29 - Math.clz32(length - 1));
  return Math.ceil(length / quarter) * quarter;
}
