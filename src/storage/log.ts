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
 *       Cleaner      frees what is superseded, between saves
 *       Scan         finds entries in a file, whatever it holds
 */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { KvRecord } from "../core/record.js";
import { copySegments } from "./backup.js";
import { Cleaner } from "./cleaner.js";
import { loadSegments, unreadable, type Finding } from "./load.js";
import { listSegments, syncDirectory, type Segment } from "./segment.js";
import { Segments } from "./segments.js";
import { putInOrder } from "./set-aside.js";
import type { Contents, Damage, Loaded, Storage } from "./storage.js";

export class Log implements Storage {
  readonly #listed: readonly Segment[];
  readonly #segments: Segments;
  readonly #cleaner: Cleaner;
  readonly #damages: Damage[] = [];

  private constructor(directory: string, listed: readonly Segment[], contents: Contents) {
    this.#listed = listed;
    this.#segments = new Segments(directory, (listed.at(-1)?.number ?? 0) + 1);
    this.#cleaner = new Cleaner(this.#segments, contents, (damage) => {
      this.#damages.push(damage);
    });
  }

  /**
   * Opens the log in a directory, which is made if need be; nothing is read yet.
   * @param contents the records in memory, which the log is a copy of
   * @throws {LankvError} LANKV_DATA_DIR: the directory cannot be used
   */
  static async open(directory: string, contents: Contents): Promise<Log> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      // Whether it is new or not: a process that made it may have been killed before it came so far.
      await syncDirectory(dirname(directory));
      return new Log(directory, await listSegments(directory), contents);
    } catch (cause) {
      throw unreadable(directory, cause);
    }
  }

  get damages(): readonly Damage[] {
    return this.#damages;
  }

  get bytes(): number {
    return this.#segments.bytes;
  }

  async *load(): AsyncGenerator<Loaded, void> {
    const findings: Finding[] = [];
    yield* loadSegments(this.#listed, findings);
    this.#damages.push(...(await putInOrder(findings, this.#segments, this.#cleaner.segmentBytes)));
    // What has been rescued is durable, or still where it was.
    this.#segments.forgetLoss();
  }

  async save(records: readonly KvRecord[], sync: boolean): Promise<void> {
    await this.#cleaner.pause();
    const isSyncing = sync || this.#cleaner.needsSync;
    const before = this.#segments.bytes;
    try {
      if (this.#segments.loss !== undefined) throw this.#segments.loss;
      if (records.length > 0) await this.#segments.append(records, this.#cleaner.segmentBytes);
      if (isSyncing) await this.#segments.sync();
    } catch (error) {
      if (this.#segments.loss !== undefined) await this.#cleaner.reset();
      this.#segments.forgetLoss();
      throw error;
    }
    await this.#cleaner.resume(this.#segments.bytes - before, isSyncing);
  }

  async backup(directory: string): Promise<void> {
    const release = this.#cleaner.hold();
    try {
      await copySegments(this.#segments.all, directory);
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    await this.#cleaner.close();
    await this.#segments.close();
  }
}
