/**
 * A log of records: how a node keeps them on disk.
 *
 * Records are appended and never changed. The order of records does not matter, and neither does one that is there
 * twice, since they say themselves which of them wins. So recovery is to apply every entry that is whole; freeing space is to
 * append once more what still counts and to remove the file; a backup is a copy of the files; and damage costs the
 * entries that it hit, and no other. docs/storage-format.md has the format, and docs/adr/0017 what speaks against databases.
 *
 *     Log          calls, one at a time
 *       load         reads all segments, and judges what they are
 *       set-aside    sets in order those that are torn or damaged
 *       Segments     the closed segments and the tail, which is written to
 *         Tail         appends entries to a file, and syncs it
 *         Reserve      room that is kept for the cleaner
 *         Homes        which segment has the newest of each key
 *       Cleaner      frees what is superseded, between saves
 *         passes       go through a segment, from memory or by reading it
 *         counting     what of it still counts
 *         Reach        opens and removes files, and says which cannot be
 *         excess       when there is more than there should be
 *         Surplus      what rounds of cleaning cannot free
 *       Scan         finds entries in a file, whatever it holds
 */
import { dirname } from "node:path";
import type { Records } from "../core/record.js";
import { copySegments } from "./backup.js";
import { Cleaner } from "./cleaner.js";
import { makeDirectory } from "./directory.js";
import { loadSegments, unreadable, type Finding } from "./load.js";
import { listSegments, syncDirectory, type ClosedSegment, type Segment } from "./segment.js";
import { Segments } from "./segments.js";
import { isFull } from "./reach.js";
import { putInOrder } from "./set-aside.js";
import type { Contents, Damage, Loaded, Storage, Stuck, Torn } from "./storage.js";

/** After so long without a save the tail says how far it is durable, as the next save would do. */
const IDLE_MS = 1_000;

const NOT_KNOWN: readonly number[] = [];

/** Where a log is. */
export interface LogPlace {
  readonly directory: string;
  /** Undefined = no room is kept. */
  readonly reserve?: string;
}

export class Log implements Storage {
  readonly #listed: readonly Segment[];
  readonly #segments: Segments;
  readonly #cleaner: Cleaner;
  readonly #damages: Damage[] = [];
  #torn: readonly Torn[] = [];
  /** Damaged files in their place, of which a backup takes a copy. */
  #left: readonly ClosedSegment[] = [];
  /** Why something of what was loaded is not durable, until the first sync has told it. */
  #loadLoss: Error | undefined;
  #idle: NodeJS.Timeout | undefined;
  /** Saying how far the tail is durable; undefined = that is not under way. */
  #marking: Promise<void> | undefined;

  private constructor({ directory, reserve }: LogPlace, listed: readonly Segment[], contents: Contents) {
    this.#listed = listed;
    this.#segments = new Segments(directory, (listed.at(-1)?.number ?? 0) + 1, reserve);
    this.#cleaner = new Cleaner(this.#segments, contents, (damage) => {
      this.#damages.push(damage);
    });
  }

  /**
   * Opens the log in a directory, which is made if need be; nothing is read yet.
   * @param place the directory, or that and a file to keep room in for cleaning a full disk, on the same file system
   * @param contents the records in memory, which the log is a copy of
   * @throws {LankvError} LANKV_DATA_DIR: the directory cannot be used
   */
  static async open(place: string | LogPlace, contents: Contents): Promise<Log> {
    const at = typeof place === "string" ? { directory: place } : place;
    const { directory } = at;
    try {
      await makeDirectory(directory);
      // Whether it is new or not: a process that made it may have been killed before it came so far.
      await syncDirectory(dirname(directory));
      return new Log(at, await listSegments(directory), contents);
    } catch (cause) {
      throw unreadable(directory, cause);
    }
  }

  get damages(): readonly Damage[] {
    return this.#damages;
  }

  get isLoadedDurable(): boolean {
    return this.#loadLoss === undefined;
  }

  get torn(): readonly Torn[] {
    return this.#torn;
  }

  get stuck(): readonly Stuck[] {
    return this.#cleaner.reach.stuck;
  }

  get bytes(): number {
    return this.#segments.bytes;
  }

  async *load(): AsyncGenerator<Loaded, void> {
    const findings: Finding[] = [];
    yield* loadSegments(this.#listed, findings);
    const own = findings.filter(({ isItself }) => isItself).map(({ segment }) => segment.number);
    this.#segments.countFrom(own.at(-1) ?? 0);
    const { damages, torn, left, loss } = await putInOrder(
      findings,
      this.#segments,
      this.#cleaner.segmentBytes,
    );
    this.#damages.push(...damages);
    this.#torn = torn;
    this.#left = left;
    this.#loadLoss = loss;
    // What has been rescued is durable, or still where it was.
    this.#segments.forgetLoss();
  }

  async save(records: Records, sync: boolean, slots = NOT_KNOWN): Promise<void> {
    // Where nothing has to be waited for, the disk is at work before this returns.
    const marking = this.#endIdle();
    if (marking !== undefined) await marking;
    const cleaning = this.#cleaner.pause();
    if (cleaning !== undefined) await cleaning;
    const isSyncing = sync || this.#cleaner.needsSync;
    const before = this.#segments.bytes;
    try {
      if (this.#segments.loss !== undefined) throw this.#segments.loss;
      if (sync && this.#loadLoss !== undefined) throw this.#loadLoss;
      if (records.length > 0)
        await this.#segments.append({ records, slots }, this.#cleaner.segmentBytes, isSyncing);
      if (isSyncing) await this.#segments.sync();
    } catch (error) {
      if (this.#segments.loss !== undefined || this.#loadLoss !== undefined) await this.#cleaner.reset();
      if (sync) this.#loadLoss = undefined;
      if (isFull(error) && this.#loadLoss === undefined) this.#cleaner.reclaim();
      this.#segments.forgetLoss();
      throw error;
    }
    const isFreeing = this.#clean(this.#segments.bytes - before, isSyncing);
    if (isFreeing !== undefined) await isFreeing;
    this.#idle = setTimeout(() => {
      this.#marking = this.#mark();
    }, IDLE_MS).unref();
  }

  async backup(directory: string): Promise<void> {
    const release = this.#cleaner.hold();
    try {
      await copySegments([...this.#left, ...this.#segments.all], directory);
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    await this.#endIdle();
    await this.#cleaner.close();
    await this.#segments.close();
  }

  #endIdle(): Promise<void> | undefined {
    clearTimeout(this.#idle);
    return this.#marking;
  }

  async #mark(): Promise<void> {
    await this.#cleaner.pause();
    // What fails here fails in the next save, too, or is told by it.
    await this.#segments.mark().catch(() => undefined);
    await this.#clean(0, false);
    this.#marking = undefined;
  }

  /** Nothing is superseded by what was loaded and is not durable: while there may be such, cleaning rests. */
  #clean(savedBytes: number, wasSynced: boolean): Promise<void> | undefined {
    return this.#loadLoss === undefined ? this.#cleaner.resume(savedBytes, wasSynced) : undefined;
  }
}
