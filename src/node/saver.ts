/**
 * Saves what changes: drives the core's order of saving (core/saving.ts) over a storage.
 *
 * One step is under way at a time, on the system's threads, so that neither reads nor the network wait for the disk. While
 * one is, what is written gathers, and is the next step: so one sync is enough for the writes of all clients.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { LankvError } from "../core/error.js";
import type { SaveStep, Saving } from "../core/saving.js";
import type { Damage, Storage } from "../storage/storage.js";
import { Alarm } from "./alarm.js";
import { monoMs } from "./ambient.js";
import { Company } from "./company.js";
import { diskRefusal, notDurable } from "./refusals.js";

/** How long the end waits for the disk. */
export const CLOSE_MS_MAX = 10_000;
/**
 * How old an unsaved change may be before writers wait: the most that a killed process loses of what was acknowledged, but for
 * the turn of the event loop in which that is noticed.
 */
export const BEHIND_MS = 500;

/** Is told once what was waited for is durable, or why it is not. */
export type OnDurable = (failure: LankvError | undefined) => void;

interface Wait {
  readonly ticket: number;
  readonly end: OnDurable;
}

export class Saver {
  /** Called when a step has ended: more may be durable. */
  onStep: () => void = () => undefined;
  /** Called when a part of what is on disk was found damaged: all is saved again. */
  onDamage: (damages: readonly Damage[]) => void = () => undefined;
  /** Called when saving begins to fail, and with undefined when it works again. */
  onTurn: (failure: Error | undefined) => void = () => undefined;
  readonly #saving: Saving;
  readonly #storage: Pick<Storage, "save" | "damages" | "isLoadedDurable">;
  #waits: Wait[] = [];
  #isBehind = false;
  /** Who waits until saving is not behind. */
  readonly #resting = new Set<() => void>();
  #failure: Error | undefined;
  #syncedAtMs: number | undefined;
  #step: Promise<void> | undefined;
  readonly #alarm = new Alarm(() => {
    this.wake();
  });
  readonly #company = new Company();
  #isWakePlanned = false;
  #isStarted = false;
  #isEnded = false;
  /** How many damages were told of; the storage finds some between steps, too. */
  #damagesKnown = 0;

  constructor(saving: Saving, storage: Pick<Storage, "save" | "damages" | "isLoadedDurable">) {
    this.#saving = saving;
    this.#storage = storage;
  }

  /** The storage is loaded, and may be written to. */
  start(): void {
    this.#isStarted = true;
    this.#damagesKnown = this.#storage.damages.length;
    this.wake();
  }

  /** What the system said, while saving fails. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Why nothing may be written now; undefined = it may. */
  get refusal(): LankvError | undefined {
    return this.#failure === undefined ? undefined : diskRefusal(this.#failure);
  }

  /** Monotonic time of the last sync that succeeded. */
  get syncedAtMs(): number | undefined {
    return this.#syncedAtMs;
  }

  /** Whether the storage has not answered yet. */
  get isBusy(): boolean {
    return this.#step !== undefined;
  }

  /** Whether the oldest unsaved change is older than {@link BEHIND_MS}: who writes should wait for {@link Saver.onCaughtUp}. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * Calls back once saving is not behind any more, or fails, or has ended; never at once.
   * @returns withdraws it
   */
  onCaughtUp(goOn: () => void): () => void {
    this.#resting.add(goOn);
    if (!this.#isBehind) setImmediate(() => this.#letGo());
    return () => {
      this.#resting.delete(goOn);
    };
  }

  /** Something may have to be saved. To be called whenever that may be; what one turn of the event loop brings is saved together. */
  wake(): void {
    const nowMs = monoMs();
    if (this.#isFree()) this.#lookForDamage();
    this.#look(nowMs);
    if (this.#isWakePlanned || !this.#isFree()) return;
    if (this.#saving.wakeAtMs > nowMs) {
      this.#alarm.set(this.#saving.wakeAtMs);
      return;
    }
    this.#isWakePlanned = true;
    setImmediate(() => {
      this.#isWakePlanned = false;
      if (!this.#isFree()) return;
      if (this.#saving.isStrict && this.#company.isAwaited(this.#saving.unsaved, monoMs())) this.wake();
      else this.#begin();
    });
  }

  /**
   * Calls back once everything before the ticket is durable, or saving has failed or ended; never at once.
   * @param ticket as `saving.ticket` was after the write
   * @returns withdraws it
   */
  onDurable(ticket: number, end: OnDurable): () => void {
    const isVoid = ticket <= this.#saving.voided;
    if (!isVoid && this.#saving.durable >= ticket) setImmediate(end, undefined);
    else if (isVoid || this.#isEnded) setImmediate(end, notDurable(this.#failure));
    else this.#waits.push({ ticket, end });
    return () => {
      this.#waits = this.#waits.filter((wait) => wait.end !== end);
    };
  }

  /**
   * Makes everything changed so far durable now, whatever the policy says.
   * @throws {LankvError} LANKV_DISK: it is not, and the writes stay
   */
  async durable(): Promise<void> {
    const { ticket } = this.#saving;
    this.#saving.demand(ticket);
    this.wake();
    await new Promise<void>((resolve, reject) => {
      this.onDurable(ticket, (failure) => {
        if (failure === undefined) resolve();
        else reject(failure);
      });
    });
  }

  /**
   * Saves and syncs what is left, and ends.
   * @throws {LankvError} LANKV_DISK: that has failed, or took longer than {@link CLOSE_MS_MAX}
   */
  async close(): Promise<void> {
    try {
      if (this.#isStarted) await this.#saveRest();
    } finally {
      this.#isEnded = true;
      this.#look(monoMs());
      this.#alarm.clear();
      this.#endWaits(() => notDurable(this.#failure));
    }
  }

  async #saveRest(): Promise<void> {
    const isOver = new AbortController();
    const late = sleep(CLOSE_MS_MAX, "late" as const, { signal: isOver.signal }).catch(() => "late" as const);
    try {
      // What fails once is tried once more, for it may have failed long ago.
      const saved = this.durable().catch(() => this.durable());
      if ((await Promise.race([saved, late])) === "late") throw notDurable(this.#failure);
    } finally {
      isOver.abort();
    }
  }

  async #carryOut(step: SaveStep): Promise<void> {
    const beganMs = monoMs();
    const { isLoadedDurable } = this.#storage;
    const failure = await this.#storage.save(step.records, step.sync, step.slots).then(
      () => undefined,
      (cause: unknown) => (cause instanceof Error ? cause : new Error(String(cause))),
    );
    this.#step = undefined;
    const before = this.#failure;
    this.#failure = failure;
    if (failure === undefined) {
      this.#saving.handleDone();
      if (step.sync) this.#handleSynced(step, beganMs);
      const { durable } = this.#saving;
      this.#lookForDamage();
      this.#goOn();
      this.#endWaits((ticket) => (ticket <= durable ? undefined : "later"));
    } else {
      this.#saving.handleFailed(monoMs(), isLoadedDurable);
      this.#endWaits(() => notDurable(failure));
    }
    if (failure !== undefined) this.#lookForDamage();
    this.onStep();
    if ((before === undefined) !== (failure === undefined)) this.onTurn(failure);
    this.wake();
  }

  /**
   * When there is more to do, the disk is at work again at once. Where writers wait for it, that is before they are told: there are some
   * fifty replies to send meanwhile. Where they do not, a turn of the event loop may be as long as they have sent much, and what
   * waits to be saved would grow by as much.
   */
  #goOn(): void {
    if (!this.#isFree() || this.#saving.unsaved === 0 || this.#saving.wakeAtMs > monoMs()) return;
    if (!this.#saving.isStrict || this.#company.endIfComplete(this.#saving.unsaved)) this.#begin();
  }

  #handleSynced({ records }: SaveStep, beganMs: number): void {
    const nowMs = monoMs();
    this.#syncedAtMs = nowMs;
    const waiting = this.#saving.unsaved;
    this.#company.handleSynced({ changes: records.length, waiting, tookMs: nowMs - beganMs }, nowMs);
  }

  /** What was durable may be gone with it. */
  #lookForDamage(): void {
    if (this.#storage.damages.length === this.#damagesKnown) return;
    const damages = this.#storage.damages.slice(this.#damagesKnown);
    this.#damagesKnown += damages.length;
    this.#saving.addAll();
    this.onDamage(damages);
  }

  /** In the order in which they came. */
  #endWaits(outcomeOf: (ticket: number) => LankvError | undefined | "later"): void {
    const waits = this.#waits;
    this.#waits = [];
    for (const wait of waits) {
      const outcome = outcomeOf(wait.ticket);
      if (outcome === "later") this.#waits.push(wait);
      else wait.end(outcome);
    }
  }

  #look(nowMs: number): void {
    this.#saving.look(nowMs);
    const isWaiting = this.#isStarted && !this.#isEnded && !this.#saving.isStrict && !this.#saving.isFailing;
    this.#isBehind = isWaiting && this.#saving.unsavedMs(nowMs) > BEHIND_MS;
    if (!this.#isBehind) this.#letGo();
  }

  #letGo(): void {
    if (this.#isBehind || this.#resting.size === 0) return;
    const resting = [...this.#resting];
    this.#resting.clear();
    for (const goOn of resting) goOn();
  }

  #isFree(): boolean {
    return this.#isStarted && !this.#isEnded && this.#step === undefined;
  }

  #begin(): void {
    const step = this.#saving.next(monoMs());
    if (step === undefined) this.wake();
    else this.#step = this.#carryOut(step);
  }
}
