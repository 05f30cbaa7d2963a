/**
 * What is to be saved, and when: the map is the store, and storage a copy behind it.
 *
 * A key whose record changed is *unsaved* until its current record has been handed to storage. A key that changes
 * often waits once: of what it held in between nothing is saved, since nothing will ever ask for it. Keys are saved in the
 * order in which they became unsaved, so that the wait of each is bounded.
 *
 * Saved is not durable: what storage took survives the end of the process, and after the next sync also that of the
 * power. A *ticket* is a place in that order: a change is durable once everything before the ticket taken after it is.
 *
 *     changed -> unsaved -> save (in batches) -> saved -> sync -> durable
 *
 * One step is under way at a time. When one fails, everything since the last sync counts as unsaved again: what a failed
 * fsync leaves behind can be anything, and the pages that it could not write may be marked as written. The tickets from
 * before are void then, since the order is not kept.
 *
 * What was loaded is not taken for durable either before the first sync: a process that was killed may have saved it
 * and not come to its sync.
 */
import { compareRecords, isRemains, type KvRecord } from "./record.js";
import type { RecordMap } from "./record-map.js";

/**
 * When changes become durable.
 *
 * `always`: at once; a write can be acknowledged only afterwards. `everysec`: within about a second; a loss of power
 * costs as much. `never`: when the operating system likes.
 */
export const FSYNC_POLICIES = ["always", "everysec", "never"] as const;
export type FsyncPolicy = (typeof FSYNC_POLICIES)[number];

/** How long changes gather before they are saved, unless the policy is `always`: the most that a killed process loses. */
export const GATHER_MS = 50;
/** How long after a sync the next one begins, with the policy `everysec`. */
export const SYNC_EVERY_MS = 1_000;
/** How long storage rests after a failure before it is tried again. */
export const RETRY_MS = 1_000;
/** A step saves no more than so many records, or the first that make up so many bytes: a millisecond or two of work. */
export const SAVE_RECORDS_MAX = 1_024;
export const SAVE_BYTES_MAX = 262_144;
/** When so many records were saved since the last sync, the next one does not wait. */
export const UNSYNCED_RECORDS_MAX = 1_048_576;

/** What storage is to do next. */
export interface SaveStep {
  /** May be none. */
  readonly records: readonly KvRecord[];
  /** Whether everything saved so far is to be made durable, these records included. */
  readonly sync: boolean;
}

export class Saving {
  readonly #map: RecordMap;
  readonly #policy: FsyncPolicy;
  /** Slots of the unsaved keys, oldest first, from `#from` on. */
  #queue: number[] = [];
  #from = 0;
  /** A bit for each slot: whether it is in the queue. */
  #isQueued = new Uint32Array(32);
  /** Slots saved since the last sync; not kept with the policy `never`. */
  #unsynced: number[] = [];
  /** How many slots ever came into the queue, how many of these were taken, and how many are durable; what was loaded is one. */
  #added = 1;
  #taken = 1;
  #durable = 0;
  /** Somebody waits for everything before this ticket, whatever the policy says. */
  #demanded = 0;
  /** What was in the queue when saving began goes without a rest, and is synced together when somebody waits for it. */
  #roundEnd = 0;
  #step: SaveStep | undefined;
  #stepSlots: readonly number[] = [];
  #savedAtMs = -Infinity;
  #syncedAtMs = -Infinity;
  #retryAtMs = -Infinity;
  #failures = 0;
  #isFailing = false;

  constructor(map: RecordMap, policy: FsyncPolicy) {
    this.#map = map;
    this.#policy = policy;
  }

  /** The record of this slot has changed. */
  add(slot: number): void {
    const word = slot >>> 5;
    if (word >= this.#isQueued.length) this.#grow(word);
    if (this.#isWaiting(slot)) return;
    this.#isQueued[word] = (this.#isQueued[word] ?? 0) | (1 << (slot & 31));
    this.#queue.push(slot);
    this.#added += 1;
  }

  /**
   * Whether a greater record of this one's key, or its remains, has been handed to storage and was not given back by a
   * failure.
   */
  isSuperseded(record: KvRecord): boolean {
    const slot = this.#map.slotOf(record.key);
    if (slot === undefined || this.#isWaiting(slot)) return false;
    const held = this.#map.at(slot);
    if (held === undefined) return false;
    const order = compareRecords(held, record);
    return order > 0 || (order === 0 && isRemains(held) && !isRemains(record));
  }

  /** Whether a write may be acknowledged only when it is durable. */
  get isStrict(): boolean {
    return this.#policy === "always";
  }

  /** Number of keys that wait to be saved. */
  get unsaved(): number {
    return this.#queue.length - this.#from;
  }

  /** Everything changed so far is durable once {@link Saving.durable} is not less than this. */
  get ticket(): number {
    return this.#added;
  }

  get durable(): number {
    return this.#durable;
  }

  /** Counts failures: a ticket from before the last one is void. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether the last step failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Everything before the ticket is to become durable now, whatever the policy. A failure voids the demand with the ticket. */
  demand(ticket: number): void {
    this.#demanded = Math.max(this.#demanded, ticket);
  }

  /** When {@link Saving.next} has something to do; Infinity while a step is under way, and when there is nothing. */
  get wakeAtMs(): number {
    if (this.#step !== undefined) return Infinity;
    return Math.max(this.#retryAtMs, Math.min(this.#saveAtMs, this.#syncAtMs));
  }

  /**
   * Begins a step, when one is due; {@link Saving.handleDone} or {@link Saving.handleFailed} ends it.
   * @param nowMs monotonic
   */
  next(nowMs: number): SaveStep | undefined {
    if (this.wakeAtMs > nowMs) return undefined;
    const isSaving = this.#saveAtMs <= nowMs;
    if (isSaving && this.#taken >= this.#roundEnd) {
      this.#roundEnd = this.#added;
      this.#savedAtMs = nowMs;
    }
    const records = isSaving ? this.#take() : [];
    const isSyncing = this.#isSyncDue(nowMs);
    if (isSyncing) this.#syncedAtMs = nowMs;
    this.#step = { records, sync: isSyncing };
    return this.#step;
  }

  /** The step that was under way has succeeded. */
  handleDone(): void {
    if (this.#step?.sync === true) {
      this.#durable = this.#taken;
      this.#unsynced = [];
    } else if (this.#policy !== "never") {
      this.#unsynced.push(...this.#stepSlots);
    }
    this.#isFailing = false;
    this.#retryAtMs = -Infinity;
    this.#endStep();
  }

  /** The step that was under way has failed, and it is not known how much of it was done. */
  handleFailed(nowMs: number): void {
    const wasSync = this.#step?.sync === true;
    const slots = [...this.#unsynced, ...this.#stepSlots];
    this.#unsynced = [];
    this.#endStep();
    this.#failures += 1;
    this.#isFailing = true;
    this.#retryAtMs = nowMs + RETRY_MS;
    this.#demanded = 0;
    if (wasSync && (this.#policy === "never" || this.#durable === 0)) this.addAll();
    else for (const slot of slots) this.add(slot);
  }

  /** Every key is unsaved. */
  addAll(): void {
    for (let slot = 0; slot < this.#map.records; slot += 1) this.add(slot);
  }

  #isWaiting(slot: number): boolean {
    return ((this.#isQueued[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0;
  }

  #endStep(): void {
    this.#step = undefined;
    this.#stepSlots = [];
  }

  get #isUrgent(): boolean {
    return this.isStrict || this.#demanded > this.#durable;
  }

  get #saveAtMs(): number {
    if (this.unsaved === 0) return Infinity;
    return this.#isUrgent || this.#taken < this.#roundEnd ? -Infinity : this.#savedAtMs + GATHER_MS;
  }

  get #syncAtMs(): number {
    if (this.#taken === this.#durable) return Infinity;
    if (this.#isUrgent || this.#unsynced.length >= UNSYNCED_RECORDS_MAX) return -Infinity;
    return this.#policy === "never" ? Infinity : this.#syncedAtMs + SYNC_EVERY_MS;
  }

  /** Whether the step that begins syncs too: at the end of a round when somebody waits, or there would be a sync for each part. */
  #isSyncDue(nowMs: number): boolean {
    // What failed is shown to work again by all of it.
    if (this.#isFailing && this.#policy !== "never") return true;
    if (this.#unsynced.length >= UNSYNCED_RECORDS_MAX) return true;
    return this.#syncAtMs <= nowMs && (!this.#isUrgent || this.#taken >= this.#roundEnd);
  }

  #take(): KvRecord[] {
    const records: KvRecord[] = [];
    const slots: number[] = [];
    let bytes = 0;
    while (records.length < SAVE_RECORDS_MAX && bytes < SAVE_BYTES_MAX && this.unsaved > 0) {
      const slot = this.#queue[this.#from] ?? 0;
      this.#from += 1;
      this.#taken += 1;
      this.#isQueued[slot >>> 5] = (this.#isQueued[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
      const record = this.#map.at(slot);
      if (record === undefined) continue;
      slots.push(slot);
      records.push(record);
      bytes += record.key.length + record.value.length;
    }
    if (2 * this.#from >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#from);
      this.#from = 0;
    }
    this.#stepSlots = slots;
    return records;
  }

  #grow(word: number): void {
    const longer = new Uint32Array(Math.max(2 * this.#isQueued.length, word + 1));
    longer.set(this.#isQueued);
    this.#isQueued = longer;
  }
}
