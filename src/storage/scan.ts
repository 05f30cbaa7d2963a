/**
 * Reads the entries of a segment, whatever the file holds: piece by piece, in bounded memory, and always to the end. While
 * one part of the file is looked through, the next is being read.
 *
 * What is no entry is a *gap*: it lasts up to the next place at which a whole entry begins. Pages that the disk does not
 * give count as zeros, so as gaps.
 */
import type { FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { toFrame, type Frame } from "../core/bytes.js";
import type { StoredRecord } from "../core/record.js";
import { ENTRY_BYTES_MAX, entryLength, HEAD, readEntry, type Mark } from "./entry.js";

/** Read at once, and so much ahead: a call of the system takes as long as tens of records. */
const READ_BYTES = 1_048_576;
/** Looked at before the event loop gets its turn: some hundred records of ordinary size, a few milliseconds at most. */
const PIECE_BYTES = 131_072;
/** What a disk reads or fails to read as one. */
const PAGE_BYTES = 4_096;
/** Gaps that are kept apart; more are taken together. */
const GAPS_MAX = 1_024;

/** Segments of which marks are kept: more than there are, unless somebody has made them up. */
const MARKS_MAX = 4_096;

/** Bytes from one place up to, and without, another. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

/** Bytes of the file that are being read, or have been, behind room for an entry that begins before them. */
interface Part {
  readonly frame: Frame;
  readonly bytes: number;
  readonly done: Promise<void>;
}

const NOTHING = toFrame(Buffer.alloc(0));

export class Scan {
  readonly #handle: FileHandle;
  readonly #salt: number;
  readonly #to: number;
  #frame: Frame = NOTHING;
  /** What was read and not yet looked at: `#at` to `#end` in the buffer, and where `#at` is in the file. */
  #at = 0;
  #end = 0;
  #offset: number;
  /** What comes behind `#end`; undefined = nothing, or it was not begun to read. */
  #ahead: Part | undefined;
  /** Bytes looked at in this piece that were no entry. */
  #effort = 0;
  /** Whether the entry at `#at` goes on behind what was read. */
  #isShort = false;
  #gapFrom: number | undefined;
  readonly #gaps: { from: number; to: number }[] = [];
  readonly #marks = new Map<number, number>();
  #records = 0;
  #firstRecordAt = Infinity;
  #lastRecordAt = -Infinity;
  #isZero = true;

  /** From one place of a file up to another. */
  constructor(handle: FileHandle, salt: number, from: number, to: number) {
    this.#handle = handle;
    this.#salt = salt;
    this.#offset = from;
    this.#to = to;
  }

  /** Bytes from the start of the file that were looked at. */
  get offset(): number {
    return this.#offset;
  }

  get isDone(): boolean {
    return this.#offset >= this.#to;
  }

  /** Records found so far. */
  get records(): number {
    return this.#records;
  }

  /** Where in the file the first of them begins; Infinity when there is none. */
  get firstRecordAt(): number {
    return this.#firstRecordAt;
  }

  /** Where in the file the last of them begins; -Infinity when there is none. */
  get lastRecordAt(): number {
    return this.#lastRecordAt;
  }

  /** Oldest first. */
  get gaps(): readonly Gap[] {
    return this.#gaps;
  }

  /** Whether the gaps hold nothing but zeros. */
  get isZero(): boolean {
    return this.#isZero;
  }

  /** By segment, how long it is, as the last mark of it says. */
  get marks(): ReadonlyMap<number, number> {
    return this.#marks;
  }

  /**
   * The records of the next piece, maybe none; undefined at the end. One call at a time: their keys and values lie in a
   * buffer that the next one reads into.
   */
  async next(): Promise<StoredRecord[] | undefined> {
    if (this.isDone) return undefined;
    if ((this.#isShort || this.#at === this.#end) && !this.#isAllRead) await this.#read();
    else await setImmediate();
    this.#isShort = false;
    const records: StoredRecord[] = [];
    const pieceEnd = Math.min(this.#end, this.#at + PIECE_BYTES);
    this.#effort = 0;
    while (this.#at < pieceEnd && !this.#isShort && this.#effort < PIECE_BYTES) {
      const here = this.#end - this.#at;
      if (here < HEAD && !this.#isAllRead) {
        this.#isShort = true;
        break;
      }
      const bytes = here < HEAD ? undefined : entryLength(this.#frame, this.#at, this.#salt);
      const mayBe = bytes !== undefined && this.#offset + bytes <= this.#to;
      if (mayBe && bytes > here) this.#isShort = true;
      else if (!mayBe || !this.#take(bytes, records)) this.#skip();
    }
    this.#records += records.length;
    if (this.isDone) this.#closeGap();
    return records;
  }

  /** @returns whether it is an entry */
  #take(bytes: number, records: StoredRecord[]): boolean {
    const entry = readEntry(this.#frame, this.#at, bytes, this.#salt);
    if (entry === undefined) {
      this.#effort += bytes;
      return false;
    }
    this.#closeGap();
    if ("segment" in entry) this.#note(entry);
    else {
      records.push(entry);
      this.#firstRecordAt = Math.min(this.#firstRecordAt, this.#offset);
      this.#lastRecordAt = this.#offset;
    }
    this.#advance(bytes);
    return true;
  }

  #note({ segment, length }: Mark): void {
    if (this.#marks.has(segment) || this.#marks.size < MARKS_MAX) this.#marks.set(segment, length);
  }

  #skip(): void {
    this.#effort += 1;
    this.#gapFrom ??= this.#offset;
    if (this.#frame.bytes[this.#at] !== 0) this.#isZero = false;
    this.#advance(1);
  }

  /** Whether there is nothing left in the file to read. */
  get #isAllRead(): boolean {
    return this.#offset + (this.#end - this.#at) >= this.#to;
  }

  #advance(bytes: number): void {
    this.#at += bytes;
    this.#offset += bytes;
  }

  #closeGap(): void {
    if (this.#gapFrom === undefined) return;
    const last = this.#gaps.at(-1);
    if (last !== undefined && this.#gaps.length >= GAPS_MAX) last.to = this.#offset;
    else this.#gaps.push({ from: this.#gapFrom, to: this.#offset });
    this.#gapFrom = undefined;
  }

  /** Goes on to the next part, and begins to read the one behind it. */
  async #read(): Promise<void> {
    const { frame, bytes, done } = this.#ahead ?? this.#begin(NOTHING);
    await done;
    const before = this.#frame;
    const restAt = ENTRY_BYTES_MAX - (this.#end - this.#at);
    const rest = before.bytes.copy(frame.bytes, restAt, this.#at, this.#end);
    this.#frame = frame;
    this.#at = ENTRY_BYTES_MAX - rest;
    this.#end = ENTRY_BYTES_MAX + bytes;
    this.#ahead = this.#isAllRead ? undefined : this.#begin(before);
  }

  /** @param used a frame that is free now; {@link NOTHING} = there is none */
  #begin(used: Frame): Part {
    const position = this.#offset + (this.#end - this.#at);
    const bytes = Math.min(READ_BYTES, this.#to - position);
    // No later part is longer.
    const frame = used === NOTHING ? toFrame(Buffer.allocUnsafe(ENTRY_BYTES_MAX + bytes)) : used;
    const part = frame.bytes.subarray(ENTRY_BYTES_MAX, ENTRY_BYTES_MAX + bytes);
    return { frame, bytes, done: readAll(this.#handle, part, position) };
  }
}

/** Fills the buffer from a place in a file, with zeros where the file cannot be read, or has ended. */
export async function readAll(handle: FileHandle, buffer: Buffer, position: number): Promise<void> {
  for (let done = 0; done < buffer.length;) {
    const left = buffer.length - done;
    const bytes = await readSome(handle, buffer, done, left, position + done);
    done += bytes ?? (await readPage(handle, buffer, done, position + done));
  }
}

/** @returns how many bytes; undefined when they cannot be read */
async function readSome(
  handle: FileHandle,
  buffer: Buffer,
  from: number,
  length: number,
  position: number,
): Promise<number | undefined> {
  try {
    const { bytesRead } = await handle.read(buffer, from, length, position);
    return bytesRead === 0 ? undefined : bytesRead;
  } catch {
    // What a disk cannot read is damage, which the caller finds: there is no entry in zeros.
    return undefined;
  }
}

/** After a failure a page is tried alone. */
async function readPage(handle: FileHandle, buffer: Buffer, from: number, position: number): Promise<number> {
  const length = Math.min(PAGE_BYTES - (position % PAGE_BYTES), buffer.length - from);
  const bytes = await readSome(handle, buffer, from, length, position);
  if (bytes !== undefined) return bytes;
  buffer.fill(0, from, from + length);
  return length;
}
