/**
 * Frees what is superseded on a simulated disk, as src/storage/cleaner.ts does it: what still counts of the oldest segment, by the
 * daemon's own code, is appended once more, and the segment is *emptied*; it goes when that is synced. After a sync that failed
 * all that is not gone yet is gone through again.
 */
import { countingOfRead, countingOfSlots } from "../../src/storage/counting.js";
import type { Batch } from "../../src/storage/homes.js";
import type { Contents } from "../../src/storage/storage.js";
import type { DiskLog, Segment } from "./disk-log.js";
import type { Random } from "./random.js";

/** What is in memory, as cleaning sees it: by the very code that says so to the daemon's. */
export type InMemory = Required<Contents>;

/** A segment has an eighth of what counts, and so many entries at least. */
const SEGMENT_ENTRIES_MIN = 8;
/** Cleaning begins when there is so many times what counts, and two segments more; on a disk with little room, one. */
const SHARE = 2;
const TIGHT_SHARE = 1.25;
/** Or when there are so many segments, and as many more as large ones would make. */
const SEGMENTS_MAX = 8;
/** So many emptied segments are not kept waiting for a sync. */
const EMPTIED_MAX = 2;
/** Entries of a segment that are gone through as one, and the most such pieces before something else has its turn. */
const PIECE_ENTRIES = 6;
const PIECES_MAX = 4;

/** What cleaning needs of its disk. */
interface Room {
  readonly isFull: boolean;
  /** Whether there is so little room that no sync is waited for. */
  readonly isTight: boolean;
  /** @returns whether it succeeded */
  sync(): boolean;
}

/** Going through a segment. */
interface Pass {
  readonly segment: Segment;
  /** Undefined = its entries are read. */
  readonly slots: Uint32Array | undefined;
  at: number;
}

export class DiskCleaner {
  #pass: Pass | undefined;
  #emptied: Segment[] = [];
  #freed = 0;

  constructor(
    private readonly log: DiskLog,
    private readonly room: Room,
    private readonly random: Random,
  ) {}

  /** How many segments are gone. */
  get freed(): number {
    return this.#freed;
  }

  get needsSync(): boolean {
    return this.#emptied.length >= EMPTIED_MAX;
  }

  /** From this length on, another segment is to be begun. */
  segmentEntries({ records }: InMemory): number {
    return Math.max(SEGMENT_ENTRIES_MIN, Math.ceil(records / 8));
  }

  /** Everything that was appended is durable. */
  handleSynced(): void {
    for (const segment of this.#emptied.splice(0)) {
      this.log.remove(segment);
      this.#freed += 1;
    }
  }

  /** Of what was appended since the last sync anything may be gone. */
  reset(): void {
    this.#emptied = [];
    this.#pass = undefined;
  }

  /**
   * Does some of what there is to do, between two saves.
   * @returns whether there is more
   */
  run(memory: InMemory): boolean {
    for (let pieces = this.random.below(PIECES_MAX + 1); pieces > 0; pieces -= 1) {
      this.#pass ??= this.#isDue(memory) ? this.#beginPass() : undefined;
      if (this.#pass === undefined || !this.#copyPiece(memory, this.#pass)) return false;
      if (!this.room.isTight || this.#emptied.length === 0) continue;
      if (!this.room.sync()) return false;
      this.handleSynced();
    }
    return true;
  }

  get #full(): readonly Segment[] {
    return this.log.segments.filter((segment) => !this.#emptied.includes(segment));
  }

  #isDue(memory: InMemory): boolean {
    const full = this.#full;
    const entries = full.reduce((sum, segment) => sum + segment.entries.length, 0);
    const each = this.segmentEntries(memory);
    return (
      (this.room.isTight && entries > TIGHT_SHARE * memory.records + each) ||
      entries > SHARE * memory.records + 2 * each ||
      full.length > SEGMENTS_MAX + (2 * SHARE * memory.records) / each
    );
  }

  #beginPass(): Pass | undefined {
    const segment = this.log.closed.find((closed) => !this.#emptied.includes(closed));
    if (segment === undefined) return undefined;
    return { segment, slots: this.room.isTight ? undefined : this.log.homes.slotsOf(segment.number), at: 0 };
  }

  /** @returns whether that succeeded: on a full disk nothing is copied, and a failed sync ends everything */
  #copyPiece(memory: InMemory, pass: Pass): boolean {
    const { walked, ...batch } = this.#counting(memory, pass);
    if (batch.records.length > 0) {
      if (!this.#hasRoom(memory)) {
        this.#pass = undefined;
        return false;
      }
      this.log.appendAll(batch);
    }
    pass.at += walked;
    if (pass.at < (pass.slots ?? pass.segment.entries).length) return true;
    this.#pass = undefined;
    this.#emptied.push(pass.segment);
    return true;
  }

  #counting(memory: InMemory, { segment, slots, at }: Pass): Batch & { readonly walked: number } {
    const { homes } = this.log;
    const end = at + PIECE_ENTRIES;
    if (slots !== undefined)
      return countingOfSlots(segment.number, slots.subarray(at, end), homes, memory.slots);
    const read = segment.entries.slice(at, end).map(({ record }) => record);
    return {
      ...countingOfRead(segment.number, read, homes, memory, this.room.isTight),
      walked: PIECE_ENTRIES,
    };
  }

  #hasRoom(memory: InMemory): boolean {
    if (this.room.isFull) return false;
    if (this.log.tail.length < this.segmentEntries(memory)) return true;
    if (!this.room.sync()) return false;
    this.log.closeTail();
    return true;
  }
}
