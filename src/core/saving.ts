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
 * and not come to its sync. Storage makes it durable as it loads it, or fails the first sync and says so; then all is saved
 * again.
 */
import { isRemains, type KvRecord, type Records } from "./record.js";
import { KEYS_TOGETHER, type RecordMap } from "./record-map.js";
import { SlotQueue } from "./slot-queue.js";
import { SlotSet } from "./slot-set.js";

/**
 * When changes become durable.
 *
 * `always`: at once; a write can be acknowledged only afterwards. `everysec`: within about a second; a loss of power
 * costs as much. `never`: when the operating system likes.
 */
export const FSYNC_POLICIES = ["always", "everysec", "never"] as const;
export type FsyncPolicy = (typeof FSYNC_POLICIES)[number];

/** How long changes gather before they are saved, unless the policy is `always`. */
export const GATHER_MS = 50;
/** How long after a sync the next one begins, with the policy `everysec`. */
export const SYNC_EVERY_MS = 1_000;
/** How long storage rests after a failure before it is tried again. */
export const RETRY_MS = 1_000;
/** A step saves no more than so many records, or the first that make up so many bytes: a millisecond or two of work. */
export const SAVE_RECORDS = 1_024;
export const SAVE_BYTES = 262_144;
/** When more waits, a step is up to so many times as large, or saving would fall behind who writes much: 8 ms of work. */
export const SAVE_GROWTH_MAX = 8;
/** Times at which something was unsaved are remembered at so many milliseconds from each other, and so many of them. */
export const AGE_STEP_MS = 10;
export const AGE_STEPS_MAX = 128;
/** When so many records were saved since the last sync, the next one does not wait. */
export const UNSYNCED_RECORDS_MAX = 1_048_576;

/** What storage is to do next. */
export interface SaveStep {
  /** May be none. Each is what the map holds when it is asked for: what was taken, or what has replaced it. */
  readonly records: Records;
  /** Those of the records. */
  readonly slots: readonly number[];
  /** Whether everything saved so far is to be made durable, these records included. */
  readonly sync: boolean;
}

const NOTHING = { records: [], slots: [] };

/** What came into the queue before its place `end` was there at this time. */
interface Age {
  end: number;
  readonly atMs: number;
}

export class Saving {
  readonly #map: RecordMap;
  readonly #policy: FsyncPolicy;
  /**
   * The unsaved keys wait in it; settled is what is synced. Storage may sync by itself in between, and fail: so with the policy
   * `never`, too.
   */
  readonly #queue = new SlotQueue();
  /** How many slots ever came to be unsaved, how many of these were taken, and how many are durable; what was loaded is one. */
  #added = 1;
  #taken = 1;
  #durable = 0;
  #voided = 0;
  /** How many of those taken are saved. */
  #saved = 1;
  /** Of what is unsaved, the oldest first. */
  #ages: Age[] = [];
  /** Somebody waits for everything before this ticket, whatever the policy says. */
  #demanded = 0;
  /** What was in the queue when saving began goes without a rest, and is synced together when somebody waits for it. */
  #roundEnd = 0;
  #step: SaveStep | undefined;
  /** The slots of the step, once cleaning has asked for one. */
  #inStep: SlotSet | undefined;
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
    if (this.#queue.add(slot)) this.#added += 1;
  }

  /**
   * Whether a greater record of this one's key, or its remains, is saved: not while the step that saves it is under way, for it may
   * not have come to it, and not when a failure gave it back.
   */
  isSuperseded(record: KvRecord): boolean {
    const slot = this.#map.slotOf(record.key);
    if (slot === undefined || this.#queue.has(slot) || this.#isInStep(slot)) return false;
    const order = this.#map.compareAt(slot, record);
    if (order !== 0) return order < 0;
    const held = this.#map.headAt(slot);
    return held !== undefined && isRemains(held) && !isRemains(record);
  }

  /** The slot of the record's key, when memory holds this record of it, a greater one, or remains. */
  slotOf(record: KvRecord): number | undefined {
    const slot = this.#map.slotOf(record.key);
    if (slot === undefined) return undefined;
    const order = this.#map.compareAt(slot, record);
    if (order !== 0 || !isRemains(record)) return order <= 0 ? slot : undefined;
    const held = this.#map.headAt(slot);
    return held !== undefined && isRemains(held) ? slot : undefined;
  }

  /** Whether a write may be acknowledged only when it is durable. */
  get isStrict(): boolean {
    return this.#policy === "always";
  }

  /** Number of keys that wait to be saved. */
  get unsaved(): number {
    return this.#added - this.#taken;
  }

  /** Everything changed so far is durable once {@link Saving.durable} is not less than this. */
  get ticket(): number {
    return this.#added;
  }

  get durable(): number {
    return this.#durable;
  }

  /** A failure has voided all tickets up to this one, whatever becomes durable later. */
  get voided(): number {
    return this.#voided;
  }

  /** Counts failures: a ticket from before the last one is void. */
  get failures(): number {
    return this.#failures;
  }

  /** Whether the last step failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /**
   * What is unsaved now was there at this time: to be called at the end of each turn in which something changed.
   * @param nowMs monotonic
   */
  look(nowMs: number): void {
    const last = this.#ages.at(-1);
    const isNew = this.#added > (last?.end ?? this.#saved);
    if (!isNew) return;
    if (last === undefined || this.#ages.length < AGE_STEPS_MAX) {
      if (last === undefined || nowMs >= last.atMs + AGE_STEP_MS)
        this.#ages.push({ end: this.#added, atMs: nowMs });
    } else last.end = this.#added;
  }

  /**
   * How old the oldest change is that is not saved, what is being saved included; 0 = there is none. Short by the length of a turn
   * and {@link AGE_STEP_MS} at the most.
   * @param nowMs monotonic
   */
  unsavedMs(nowMs: number): number {
    const [oldest] = this.#ages;
    return oldest === undefined ? 0 : Math.max(0, nowMs - oldest.atMs);
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
    const taken = isSaving ? this.#take() : NOTHING;
    const isSyncing = this.#isSyncDue(nowMs);
    if (isSyncing) this.#syncedAtMs = nowMs;
    this.#step = { ...taken, sync: isSyncing };
    return this.#step;
  }

  /** The step that was under way has succeeded. */
  handleDone(): void {
    this.#saved = this.#taken;
    const firstUnsaved = this.#ages.findIndex(({ end }) => end > this.#saved);
    this.#ages.splice(0, firstUnsaved === -1 ? this.#ages.length : firstUnsaved);
    if (this.#step?.sync === true) {
      // All slots were made unsaved in one go: the tickets from before do not tell which of them they mean.
      if (!this.#queue.isSweeping) this.#durable = this.#taken;
      this.#queue.settle();
    }
    this.#isFailing = false;
    this.#retryAtMs = -Infinity;
    this.#endStep();
  }

  /**
   * The step that was under way has failed, and it is not known how much of it was done.
   * @param nowMs monotonic
   * @param isLoadedDurable whether what was loaded was known to be durable before the step. Then the failure does not touch
   *   it: were it all unsaved, nothing would be superseded by it, and a full disk could not be cleaned
   */
  handleFailed(nowMs: number, isLoadedDurable = false): void {
    const wasSync = this.#step?.sync === true;
    const oldestAtMs = this.#ages[0]?.atMs ?? nowMs;
    this.#endStep();
    this.#failures += 1;
    this.#voided = this.#added;
    // No ticket is the same before and after.
    this.#added += 1;
    this.#taken += 1;
    this.#isFailing = true;
    this.#retryAtMs = nowMs + RETRY_MS;
    this.#demanded = 0;
    if (wasSync && this.#durable === 0 && !isLoadedDurable) this.addAll();
    else this.#added += this.#queue.giveBack();
    this.#saved = this.#taken;
    this.#ages = this.unsaved === 0 ? [] : [{ end: this.#added, atMs: oldestAtMs }];
  }

  /** Every key is unsaved. Costs no time for each. */
  addAll(): void {
    this.#queue.addAll(this.#map.records);
    this.#added = this.#taken + this.#queue.length;
  }

  #isInStep(slot: number): boolean {
    if (this.#step === undefined) return false;
    if (this.#inStep === undefined) {
      this.#inStep = new SlotSet();
      for (const each of this.#step.slots) this.#inStep.add(each);
    }
    return this.#inStep.has(slot);
  }

  #endStep(): void {
    this.#step = undefined;
    this.#inStep = undefined;
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
    if (this.#isUrgent || this.#queue.unsettled >= UNSYNCED_RECORDS_MAX) return -Infinity;
    // What failed is tried again, though there be nothing to save.
    if (this.#isFailing && this.unsaved === 0) return -Infinity;
    return this.#policy === "never" ? Infinity : this.#syncedAtMs + SYNC_EVERY_MS;
  }

  /**
   * Whether the step that begins syncs too: at the end of a round, or there would be a sync for each part. On a disk that
   * takes a second to sync, which makes the next sync due at once, what waits would grow without bound.
   */
  #isSyncDue(nowMs: number): boolean {
    // What failed is shown to work again by all of it.
    if (this.#isFailing) return true;
    if (this.#queue.unsettled >= UNSYNCED_RECORDS_MAX) return true;
    return this.#syncAtMs <= nowMs && this.#taken >= this.#roundEnd;
  }

  #take(): Omit<SaveStep, "sync"> {
    const growth = Math.min(SAVE_GROWTH_MAX, Math.max(1, this.unsaved / (4 * SAVE_RECORDS)));
    const countMax = Math.min(Math.ceil(growth * SAVE_RECORDS), this.unsaved);
    const bytesMax = Math.ceil(growth * SAVE_BYTES);
    let count = 0;
    for (let bytes = 0; count < countMax && bytes < bytesMax; count += 1)
      bytes += this.#map.bytesAt(this.#queue.peek(count) ?? -1);
    const slots = this.#queue.take(count);
    this.#taken += count;
    const at = (index: number) => {
      if (index % KEYS_TOGETHER === 0) this.#map.prefetch(slots, index);
      return this.#map.storedAt(slots[index] ?? -1);
    };
    return { records: { length: slots.length, at }, slots };
  }
}
