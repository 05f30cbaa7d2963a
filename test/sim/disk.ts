/**
 * A simulated disk with what a process saved on it, as an append-only log of checked entries behaves.
 *
 *     save -> cached (survives the process) -> sync -> synced (survives a power cut)
 *                                           -> failed sync -> doomed (readable until a power cut, and never synced any more)
 *
 * Loading ends with a rescue: what is not known to be synced is saved once more, and synced; where that fails, the first sync
 * does. As the log does when it ends a segment or cleans, the disk syncs now and then in a step that does not ask for it.
 *
 * An entry that is torn or rotten is found by its checksum and not there.
 */
import type { KvRecord } from "../../src/core/record.js";
import { isAfter, isRemains } from "./checkers/history.js";
import type { Random } from "./random.js";

/** How many entries of one key are kept at the most: compaction copies what is current and forgets the rest. */
const ENTRIES_OF_KEY_MAX = 2;
/** Share of the steps that sync though they need not. */
const OWN_SYNC_SHARE = 0.1;

export class Disk {
  /** There is no room: a save fails, maybe in its middle. */
  isFull = false;
  /** A sync fails. */
  isFailing = false;
  /** By key, the greatest record that was acknowledged as durable here and is on no rotten entry: for the checkers. */
  readonly acknowledged = new Map<string, KvRecord>();
  /** By key, the greatest last. */
  readonly #synced = new Map<string, KvRecord[]>();
  #cached: KvRecord[] = [];
  #doomed: KvRecord[] = [];
  /** Something of what was loaded is not durable, and no sync has told it yet. */
  #isRescueOwed = false;

  constructor(private readonly random: Random) {}

  /** @returns whether it succeeded; when not, any part of it may have been done */
  save(records: readonly KvRecord[], sync: boolean): boolean {
    if (this.isFull && records.length > 0) {
      this.interrupt(records);
      return false;
    }
    if (sync && this.#isRescueOwed) {
      this.#isRescueOwed = false;
      return false;
    }
    this.#cached.push(...records);
    const isSyncing = sync || (!this.#isRescueOwed && this.random.chance(OWN_SYNC_SHARE));
    if (!isSyncing) return true;
    if (this.isFailing) {
      for (const record of this.#cached) {
        if (this.random.chance(0.5)) this.#keep(record);
        else this.#doomed.push(record);
      }
      this.#cached = [];
      return false;
    }
    for (const record of this.#cached) this.#keep(record);
    this.#cached = [];
    return true;
  }

  /** The process ended while these were being saved. */
  interrupt(records: readonly KvRecord[]): void {
    this.#cached.push(...records.slice(0, this.random.below(records.length + 1)));
  }

  /** Everything has been loaded. */
  rescue(): void {
    const unsure = [...this.#cached, ...this.#doomed];
    this.#isRescueOwed = unsure.length > 0 && (this.isFull || this.isFailing);
    if (this.#isRescueOwed) return;
    for (const record of unsure) this.#keep(record);
    this.#cached = [];
    this.#doomed = [];
  }

  /** The power fails: of what was not synced anything may be there. */
  cutPower(): void {
    const kept = this.random.pick([0, 0.5, 1]) ?? 0;
    for (const record of this.#cached) if (this.random.chance(kept)) this.#keep(record);
    this.#cached = [];
    this.#doomed = [];
  }

  /**
   * Reads everything, in some order.
   * @param rotShare share of the entries that are found damaged, and lost; 0..1
   */
  load(rotShare: number): readonly KvRecord[] {
    if (rotShare > 0) this.#rot(rotShare);
    const records = [...[...this.#synced.values()].flat(), ...this.#cached, ...this.#doomed];
    return this.random.chance(0.5) ? records : records.reverse();
  }

  /** A copy of what can be read, as a backup or a twin gets it. */
  copy(): Disk {
    const copy = new Disk(this.random);
    for (const record of this.#all()) copy.#keep(record);
    for (const [key, record] of this.acknowledged) copy.acknowledged.set(key, record);
    return copy;
  }

  /** Whether a power cut leaves this record, or a newer one of its key. */
  isDurable(record: KvRecord): boolean {
    return this.#synced.get(record.key)?.some((entry) => !isAfter(record, entry)) === true;
  }

  /** By key, the greatest record that can be read. */
  contents(): ReadonlyMap<string, KvRecord> {
    const contents = new Map<string, KvRecord>();
    for (const record of this.#all()) {
      const other = contents.get(record.key);
      if (other === undefined || isGreater(record, other)) contents.set(record.key, record);
    }
    return contents;
  }

  *#all(): Generator<KvRecord, void> {
    for (const entries of this.#synced.values()) yield* entries;
    yield* this.#cached;
    yield* this.#doomed;
  }

  #keep(record: KvRecord): void {
    const entries = this.#synced.get(record.key) ?? [];
    const at = entries.findIndex((entry) => isGreater(entry, record));
    entries.splice(at === -1 ? entries.length : at, 0, record);
    if (entries.length > ENTRIES_OF_KEY_MAX) entries.shift();
    this.#synced.set(record.key, entries);
  }

  #rot(share: number): void {
    const isWell = () => !this.random.chance(share);
    for (const [key, entries] of this.#synced) this.#synced.set(key, entries.filter(isWell));
    this.#cached = this.#cached.filter(isWell);
    for (const [key, record] of this.acknowledged) if (!this.isDurable(record)) this.acknowledged.delete(key);
  }
}

/** Whether one record wins over another: what remains of a value wins over the value. */
function isGreater(a: KvRecord, b: KvRecord): boolean {
  return isAfter(a, b) || (!isAfter(b, a) && isRemains(a) && !isRemains(b));
}
