/**
 * A simulated disk with what a process saved on it, as an append-only log of checked entries behaves.
 *
 *     save -> cached (survives the process) -> sync -> synced (survives a power cut)
 *                                           -> failed sync -> doomed (readable until a power cut, and never synced any more)
 *
 * Loading ends with a rescue: what is not known to be synced is saved once more, and synced; where that fails, the first sync
 * does. Between saves the disk is cleaned. It syncs in a step that does not ask for it when a segment ends, and when
 * emptied ones wait for it.
 *
 * An entry that is torn or rotten is found by its checksum and not there.
 */
import type { KvRecord } from "../../src/core/record.js";
import type { Batch } from "../../src/storage/homes.js";
import { DiskCleaner, type InMemory } from "./disk-cleaner.js";
import { DiskLog } from "./disk-log.js";
import type { Random } from "./random.js";
import { recordsToArray } from "./records.js";

const NOT_KNOWN: readonly number[] = [];

export class Disk {
  /** There is no room: a save fails, maybe in its middle. */
  isFull = false;
  /** There is little: it is cleaned earlier, and syncs to free what it can. */
  isTight = false;
  /** A sync fails. */
  isFailing = false;
  /** By key, the greatest record that was acknowledged as durable here and is on no rotten entry: for the checkers. */
  readonly acknowledged = new Map<string, KvRecord>();
  readonly #log = new DiskLog();
  #cleaner: DiskCleaner;
  /** Something of what was loaded is not durable, and no sync has told it yet. */
  #isRescueOwed = false;
  /** A sync has failed that nobody was told of. */
  #isLossOwed = false;

  constructor(private readonly random: Random) {
    this.#cleaner = new DiskCleaner(this.#log, this, random);
  }

  /**
   * @param memory what is in memory by then; undefined = nothing is cleaned, and no segment ends
   * @param slots those of the records
   * @returns whether it succeeded; when not, any part of it may have been done
   */
  save(records: readonly KvRecord[], sync: boolean, memory?: InMemory, slots = NOT_KNOWN): boolean {
    const wasRescueOwed = this.#isRescueOwed;
    if (this.#save({ records, slots }, sync, memory)) return true;
    if (this.#isLossOwed || wasRescueOwed) this.#cleaner.reset();
    if (sync) this.#isRescueOwed = false;
    this.#isLossOwed = false;
    return false;
  }

  /**
   * To be called between saves: some of what is superseded is freed.
   * @returns whether there is more
   */
  clean(memory: InMemory): boolean {
    return !this.#isLossOwed && !this.#isRescueOwed && this.#cleaner.run(memory);
  }

  /**
   * Makes durable what was appended, or closes what it was appended to.
   * @returns whether it succeeded
   */
  sync(): boolean {
    const { tail } = this.#log;
    for (const entry of tail) {
      if (entry.state !== "cached") continue;
      entry.state = this.isFailing && this.random.chance(0.5) ? "doomed" : "synced";
    }
    if (!this.isFailing || tail.length === 0) return true;
    this.#log.breakTail();
    this.#isLossOwed = true;
    return false;
  }

  /** How many segments the process that is there has freed. */
  get freed(): number {
    return this.#cleaner.freed;
  }

  /** The process ended while these were being saved. */
  interrupt(records: readonly KvRecord[]): void {
    for (const record of records.slice(0, this.random.below(records.length + 1))) this.#log.append(record);
  }

  /** Everything has been loaded. */
  rescue(): void {
    const unsure = [...this.#log.all()].filter(({ state }) => state !== "synced");
    this.#isRescueOwed = unsure.length > 0 && (this.isFull || this.isFailing);
    if (this.#isRescueOwed) return;
    for (const entry of unsure) entry.state = "synced";
  }

  /** The power fails: of what was not synced anything may be there. */
  cutPower(): void {
    const kept = this.random.pick([0, 0.5, 1]) ?? 0;
    this.#log.keep((entry) => {
      if (entry.state === "cached" && this.random.chance(kept)) entry.state = "synced";
      return entry.state === "synced";
    });
  }

  /**
   * Reads everything, in some order.
   * @param rotShare share of the entries that are found damaged, and lost; 0..1
   */
  load(rotShare: number): readonly KvRecord[] {
    this.#cleaner = new DiskCleaner(this.#log, this, this.random);
    this.#isLossOwed = false;
    this.#log.beginProcess();
    if (rotShare > 0) this.#rot(rotShare);
    const records = [...this.#log.all()].map(({ record }) => record);
    return this.random.chance(0.5) ? records : records.reverse();
  }

  /** A copy of what can be read, as a backup or a twin gets it. */
  copy(): Disk {
    const copy = new Disk(this.random);
    for (const { entries } of this.#log.segments) {
      for (const { record } of entries) copy.#log.append(record, "synced");
      copy.#log.closeTail();
    }
    for (const [key, record] of this.acknowledged) copy.acknowledged.set(key, record);
    return copy;
  }

  /** Whether a power cut leaves this record, or a newer one of its key. */
  isDurable(record: KvRecord): boolean {
    return this.#log.isDurable(record);
  }

  /** By key, the greatest record that can be read. */
  contents(): ReadonlyMap<string, KvRecord> {
    return this.#log.contents();
  }

  #save(batch: Batch, sync: boolean, memory: InMemory | undefined): boolean {
    const { records } = batch;
    if (this.#isLossOwed) return false;
    if (this.isFull && records.length > 0) {
      this.interrupt(recordsToArray(records));
      return false;
    }
    if (sync && this.#isRescueOwed) return false;
    if (records.length > 0 && memory !== undefined && this.#isTailLong(memory)) {
      if (!this.sync()) return false;
      this.#log.closeTail();
    }
    if (records.length > 0) this.#log.appendAll(batch);
    const isSyncing = sync || this.#cleaner.needsSync;
    if (!isSyncing) return true;
    if (!this.sync()) return false;
    this.#cleaner.handleSynced();
    return true;
  }

  #isTailLong(memory: InMemory): boolean {
    return this.#log.tail.length >= this.#cleaner.segmentEntries(memory);
  }

  #rot(share: number): void {
    this.#log.keep(() => !this.random.chance(share));
    for (const [key, record] of this.acknowledged) if (!this.isDurable(record)) this.acknowledged.delete(key);
  }
}
