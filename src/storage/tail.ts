/**
 * The segment that is being written to.
 *
 * It is written at its end only, and what could not be written whole is cut off again, so that the next try has the room
 * and begins at a known place. When that fails too, or a sync has failed, nobody knows what is in the file: pages that
 * could not be written may count as written from then on. It is *broken*, and another segment has to be begun.
 */
import { randomBytes } from "node:crypto";
import { open, unlink, type FileHandle } from "node:fs/promises";
import type { Records, StoredRecord } from "../core/record.js";
import { ENTRY_BYTES_MAX, EntryWriter, type Mark } from "./entry.js";
import type { Reserve } from "./reserve.js";
import { isFull } from "./reach.js";
import { segmentAt, syncDirectory, writeHeader, type ClosedSegment, type Segment } from "./segment.js";
import { openThrough } from "./through.js";

/** What is gathered before it is written: nearly any step of saving, whose last record may be the longest. */
const GATHER_BYTES = 2_097_152 + ENTRY_BYTES_MAX;

export class Tail {
  readonly #segment: Segment;
  readonly #handle: FileHandle;
  readonly #writer: EntryWriter;
  /** Writes through to the disk; undefined where that cannot be done. */
  #through: FileHandle | undefined;
  #length = 0;
  #synced = 0;
  #marked = 0;
  #begin = 0;
  #isBroken = false;
  /** Whether it is made of a reserve, only for cleaning. */
  readonly #isReserve: boolean;

  private constructor(segment: Segment, handle: FileHandle, writer: EntryWriter, isReserve: boolean) {
    this.#isReserve = isReserve;
    this.#segment = segment;
    this.#handle = handle;
    this.#writer = writer;
  }

  /** One for all tails: they come one after the other, and are written to by one call at a time. */
  static newWriter(): EntryWriter {
    return new EntryWriter(GATHER_BYTES);
  }

  /**
   * Makes a segment, durably, that begins with what is known of the older ones.
   * @param writer used by this tail from now on
   * @param reserve becomes the segment, with its room; undefined = a new file is made
   * @throws an error of the system; nothing is left of it then, unless removing it fails, too
   */
  static async create(
    directory: string,
    number: number,
    older: readonly Mark[],
    writer: EntryWriter,
    reserve?: Reserve,
  ): Promise<Tail> {
    const segment = segmentAt(directory, number, randomBytes(4).readInt32BE());
    await reserve?.become(segment.path);
    const handle = await open(segment.path, reserve === undefined ? "wx" : "r+", 0o600);
    try {
      const tail = new Tail(segment, handle, writer, reserve !== undefined);
      await tail.#begun(older);
      await syncDirectory(directory);
      tail.#through = await openThrough(segment.path);
      return tail;
    } catch (error) {
      await handle.close();
      await unlink(segment.path).catch(() => undefined);
      throw error;
    }
  }

  get number(): number {
    return this.#segment.number;
  }

  /** Bytes that were written whole. */
  get length(): number {
    return this.#length;
  }

  /** Whether nothing may be written to it any more. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  get isReserve(): boolean {
    return this.#isReserve;
  }

  /** Whether no record is in it. */
  get isEmpty(): boolean {
    return this.#length <= this.#begin;
  }

  /** What it is up to now. */
  get soFar(): ClosedSegment {
    const { number, salt, path } = this.#segment;
    return { number, salt, path, length: this.#length, synced: this.#synced };
  }

  /**
   * Says how far it is durable, if it does not yet, and then what the records are; there may be none.
   * @param isLast whether {@link Tail.sync} is called next: what it would do is done here, where one call does both
   * @throws an error of the system; nothing of the part that was being written is kept then
   */
  async append(records: Records, isLast = false): Promise<void> {
    const { salt, number } = this.#segment;
    const synced = this.#synced;
    this.#writer.clear();
    if (synced > this.#marked) this.#writer.addMark(salt, { segment: number, length: synced });
    for (let i = 0; i < records.length; i += 1) {
      // Asked for again after a wait: what lies in memory may have changed.
      if (!this.#addRecord(salt, records.at(i))) {
        await this.#flush();
        this.#addRecord(salt, records.at(i));
      }
    }
    await this.#flush(isLast);
    this.#marked = synced;
  }

  /** @throws an error of the system; it is broken then */
  async sync(): Promise<void> {
    if (this.#synced === this.#length) return;
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
    this.#synced = this.#length;
  }

  /** Ends it. What it holds stays; the room behind that, if it was a reserve, becomes free. */
  async close(): Promise<void> {
    if (this.#isReserve) await this.#handle.truncate(this.#length).catch(() => undefined);
    // What was written with it is durable.
    await this.#through?.close().catch(() => undefined);
    await this.#handle.close();
  }

  /** @returns whether there was room */
  #addRecord(salt: number, record: StoredRecord | undefined): boolean {
    if (record === undefined) return true;
    if (!this.#writer.hasRoom(record)) return false;
    this.#writer.addRecord(salt, record);
    return true;
  }

  async #begun(older: readonly Mark[]): Promise<void> {
    await this.#write(writeHeader(this.#segment));
    this.#writer.clear();
    for (const mark of older) this.#writer.addMark(this.#segment.salt, mark);
    await this.#flush();
    await this.sync();
    this.#begin = this.#length;
    this.#marked = this.#length;
  }

  /** A write through to the disk speaks of its own bytes only, so what is before them must be durable. */
  async #flush(isLast = false): Promise<void> {
    const through = isLast && this.#synced === this.#length ? this.#through : undefined;
    await (through === undefined ? this.#write(this.#writer.written) : this.#writeThrough(through));
    this.#writer.clear();
  }

  /**
   * Whether it is the write that fails or the sync, nothing is lost but what was being written, for everything before it is durable.
   * When there is no room, what is cut off will be written over; otherwise the disk is not to be trusted with that.
   */
  async #writeThrough(handle: FileHandle): Promise<void> {
    try {
      await this.#write(this.#writer.written, handle);
    } catch (error) {
      if (!isFull(error) || !(await this.#hasSettled())) this.#isBroken = true;
      throw error;
    }
    this.#synced = this.#length;
  }

  /** The system tells each descriptor once what went wrong: a later sync would hear of it, of what is written by then. */
  async #hasSettled(): Promise<boolean> {
    try {
      await this.#handle.datasync();
      return true;
    } catch (error) {
      return isFull(error);
    }
  }

  async #write(bytes: Buffer, handle = this.#handle): Promise<void> {
    try {
      for (let done = 0; done < bytes.length;) {
        const left = bytes.length - done;
        const { bytesWritten } = await handle.write(bytes, done, left, this.#length + done);
        if (bytesWritten === 0) throw noProgress();
        done += bytesWritten;
      }
    } catch (error) {
      await this.#handle.truncate(this.#length).catch(() => {
        this.#isBroken = true;
      });
      throw error;
    }
    this.#length += bytes.length;
  }
}

function noProgress(): Error {
  return Object.assign(new Error("nothing could be written"), { code: "EIO" });
}
