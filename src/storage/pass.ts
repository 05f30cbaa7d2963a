/** Going through a segment for what still counts in it, portion by portion, between which the event loop turns. */
import type { FileHandle } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { storedToRecord, type KvRecord } from "../core/record.js";
import { countingOfRead, countingOfSlots } from "./counting.js";
import type { Batch, Homes } from "./homes.js";
import { Scan } from "./scan.js";
import { HEADER, type ClosedSegment } from "./segment.js";
import type { Contents, Slots } from "./storage.js";

/** Slots that are looked up before the event loop gets its turn: some ten nanoseconds each. */
const WALKED_SLOTS_MAX = 16_384;

/** What is told of a segment when it was found damaged. */
export interface Found {
  readonly bytesLost: number;
  readonly recordsSaved: number;
}

/** A segment that nothing counts in any more. */
export interface Emptied {
  readonly segment: ClosedSegment;
  readonly damage: Found | undefined;
}

export interface Pass {
  readonly segment: ClosedSegment;
  readonly isDone: boolean;
  /** Whether what counts may be longer than the segment. */
  readonly mayBeLonger: boolean;
  readonly damage: Found | undefined;
  /** Makes ready what is to be gone through next, unless that is done. */
  look(): Promise<void>;
  /**
   * What counts in it at this moment.
   * @param isTight whether that may be no longer than what is in the segment, where this can be helped
   */
  counting(isTight: boolean): Batch;
  /** That is appended. @returns how many bytes of the segment were gone through with it */
  advance(): number;
  close(): Promise<void>;
}

/** Reads the file: what an earlier process wrote, or whose slots are not known. */
export class FilePass implements Pass {
  readonly segment: ClosedSegment;
  readonly mayBeLonger = false;
  readonly #handle: FileHandle;
  readonly #homes: Homes;
  readonly #contents: Contents;
  readonly #scan: Scan;
  #read: readonly KvRecord[] | undefined;
  #bytes = 0;

  /** @param handle is closed with it */
  constructor(segment: ClosedSegment, handle: FileHandle, homes: Homes, contents: Contents) {
    this.segment = segment;
    this.#handle = handle;
    this.#homes = homes;
    this.#contents = contents;
    this.#scan = new Scan(handle, segment.salt, HEADER, segment.length);
  }

  get isDone(): boolean {
    return this.#read === undefined && this.#scan.isDone;
  }

  get damage(): Found | undefined {
    const { synced } = this.segment;
    const gaps = this.#scan.gaps.filter(({ from }) => from < synced);
    if (gaps.length === 0) return undefined;
    const bytesLost = gaps.reduce((sum, { from, to }) => sum + to - from, 0);
    return { bytesLost, recordsSaved: this.#scan.records };
  }

  async look(): Promise<void> {
    if (this.#read !== undefined) return;
    const from = this.#scan.offset;
    this.#read = (await this.#scan.next())?.map(storedToRecord) ?? [];
    this.#bytes = this.#scan.offset - from;
  }

  counting(isTight: boolean): Batch {
    return countingOfRead(this.segment.number, this.#read ?? [], this.#homes, this.#contents, isTight);
  }

  advance(): number {
    this.#read = undefined;
    return this.#bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Reads nothing: it is known what is in the segment, and memory has it. */
export class SlotPass implements Pass {
  readonly segment: ClosedSegment;
  readonly mayBeLonger = true;
  readonly damage = undefined;
  readonly #slots: Uint32Array;
  readonly #homes: Homes;
  readonly #memory: Slots;
  #at = 0;
  #walked = 0;

  /** @param slots all that are in it */
  constructor(segment: ClosedSegment, slots: Uint32Array, homes: Homes, memory: Slots) {
    this.segment = segment;
    this.#slots = slots;
    this.#homes = homes;
    this.#memory = memory;
  }

  get isDone(): boolean {
    return this.#at >= this.#slots.length;
  }

  async look(): Promise<void> {
    await setImmediate();
  }

  counting(): Batch {
    const next = this.#slots.subarray(this.#at, this.#at + WALKED_SLOTS_MAX);
    const { walked, ...batch } = countingOfSlots(this.segment.number, next, this.#homes, this.#memory);
    this.#walked = walked;
    return batch;
  }

  advance(): number {
    this.#at += this.#walked;
    return this.segment.length * (this.#walked / Math.max(1, this.#slots.length));
  }

  async close(): Promise<void> {
    // There is nothing to close.
  }
}
