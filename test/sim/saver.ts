/** Drives a process's saving as the daemon does: loads first, then one step at a time, each taking as long as the disk does. */
import type { KvRecord } from "../../src/core/record.js";
import type { SaveStep, Saving } from "../../src/core/saving.js";
import type { InMemory } from "./disk-cleaner.js";
import type { Disk } from "./disk.js";
import type { Network } from "./network.js";
import { recordsToArray } from "./records.js";

/** Loading gives its records in so many parts. */
const LOAD_PARTS = 4;

/** What the saver needs of its process. */
export interface Saved {
  /** Monotonic. */
  monoMs(): number;
  /** Runs it when the process is running; never when it has ended. */
  whenRunning(action: () => void): void;
  restore(records: readonly KvRecord[]): void;
  loaded(): void;
  readonly memory: InMemory;
  /** A step has ended; @param durable what became durable of that which somebody waited for */
  saved(durable: readonly KvRecord[]): void;
}

/** Records that somebody waits for to be durable. */
interface Wait {
  readonly records: readonly KvRecord[];
  readonly ticket: number;
}

export class Saver {
  isLoaded = false;
  #isEnded = false;
  #isFinishing = false;
  /** There is something left to clean. */
  #isCleaning = false;
  #step: SaveStep | undefined;
  #waits: Wait[] = [];
  #cancelWake = (): void => undefined;

  constructor(
    readonly disk: Disk,
    private readonly saving: Saving,
    private readonly process: Saved,
    private readonly network: Network,
  ) {}

  /** Reads the disk; meanwhile the process runs. */
  load(): void {
    const { random, faults } = this.network;
    this.disk.isTight = random.chance(faults.tightShare);
    const records = this.disk.load(faults.rotShare);
    const size = Math.max(1, Math.ceil(records.length / LOAD_PARTS));
    this.#loadPart(records, size, random.between(0, faults.loadMsMax / LOAD_PARTS));
  }

  /** Whether writes are taken. */
  get isReady(): boolean {
    return this.isLoaded && !this.saving.isFailing;
  }

  /** Somebody waits for these to be durable. */
  await(records: readonly KvRecord[]): void {
    this.#waits.push({ records, ticket: this.saving.ticket });
  }

  /** Begins what is due, and plans the rest. */
  pump(): void {
    this.#cancelWake();
    if (!this.isLoaded || this.#isEnded || this.#isFinishing || this.#step !== undefined) return;
    const monoMs = this.process.monoMs();
    this.#step = begun(this.saving.next(monoMs));
    const { schedule, random, faults } = this.network;
    if (this.#step === undefined) {
      if (this.#isCleaning) this.#isCleaning = this.disk.clean(this.process.memory);
      const inMs = this.saving.wakeAtMs - monoMs;
      if (inMs === Infinity) return;
      this.#cancelWake = schedule.after(Math.max(1, inMs), () => {
        this.process.whenRunning(() => {
          this.pump();
        });
      });
      return;
    }
    const msMax = this.#step.sync ? faults.syncMsMax : faults.saveMsMax;
    schedule.after(random.between(0, msMax), () => {
      this.#carryOut();
    });
  }

  /** A clean stop: what is unsaved is saved, and synced unless the policy forbids. */
  finish(isSyncing: boolean): void {
    if (!this.isLoaded) return;
    this.#cancelWake();
    this.#isFinishing = true;
    if (isSyncing) this.saving.demand(this.saving.ticket);
    if (this.#step !== undefined) this.#handle(this.#save(this.#step));
    while (this.saving.wakeAtMs !== Infinity) {
      const step = this.saving.next(Math.max(this.process.monoMs(), this.saving.wakeAtMs));
      if (step === undefined || !this.#handle(this.#save(step))) return;
    }
  }

  /** The process has ended, wherever it was. */
  end(): void {
    this.#isEnded = true;
    this.network.tallies.add("segments freed", this.disk.freed);
    this.#cancelWake();
    if (this.#step !== undefined) this.disk.interrupt(recordsToArray(this.#step.records));
  }

  #loadPart(records: readonly KvRecord[], size: number, everyMs: number): void {
    this.network.schedule.after(everyMs, () => {
      if (this.#isEnded) return;
      this.process.whenRunning(() => {
        this.process.restore(records.slice(0, size));
        if (records.length > size) {
          this.#loadPart(records.slice(size), size, everyMs);
          return;
        }
        this.disk.rescue();
        this.isLoaded = true;
        this.process.loaded();
        this.pump();
      });
    });
  }

  #carryOut(): void {
    const step = this.#step;
    if (step === undefined || this.#isEnded) return;
    const isDone = this.#save(step);
    this.process.whenRunning(() => {
      this.#handle(isDone);
      this.pump();
    });
  }

  #save(step: SaveStep): boolean {
    const { memory } = this.process;
    const isDone = this.disk.save(recordsToArray(step.records), step.sync, memory, step.slots);
    this.#isCleaning = isDone && this.disk.clean(memory);
    // What has been done cannot be interrupted any more.
    this.#step = { records: [], slots: [], sync: false };
    if (!isDone) this.network.tallies.add(this.disk.isFull ? "failed save" : "failed sync");
    return isDone;
  }

  #handle(isDone: boolean): boolean {
    this.#step = undefined;
    if (isDone) this.saving.handleDone();
    else this.saving.handleFailed(this.process.monoMs());
    const { voided, durable } = this.saving;
    const valid = this.#waits.filter(({ ticket }) => ticket > voided);
    this.#waits = valid.filter(({ ticket }) => ticket > durable);
    this.process.saved(valid.filter(({ ticket }) => ticket <= durable).flatMap(({ records }) => records));
    return isDone;
  }
}

/** Storage asks for the records of a step at once, or has something to wait for first: the one for an odd number of them, the other for an even. */
function begun(step: SaveStep | undefined): SaveStep | undefined {
  if (step === undefined || step.slots.length % 2 === 0) return step;
  return { ...step, records: recordsToArray(step.records) };
}
