/**
 * What a node keeps on disk: its records are loaded in the background when it starts, and saved as they change.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { LankvError } from "../core/error.js";
import type { StoredRecord } from "../core/record.js";
import type { FsyncPolicy, Saving } from "../core/saving.js";
import type { Storage, Torn } from "../storage/storage.js";
import { monoMs } from "./ambient.js";
import { backUp } from "./backup.js";
import type { DamageStatus, LoadingStatus, StorageStatus } from "./lankv.js";
import { reasonOf } from "./reasons.js";
import { notSaved } from "./refusals.js";
import { Saver } from "./saver.js";

/** Records that are taken over before the clock is looked at. */
const RECORDS_A_LOOK = 64;
/**
 * Records after which the number of all is judged by their length. Few, because making room moves those that are there, each to a
 * page of its own that nobody has touched: 4 096 of them take 25 ms.
 */
const RECORDS_TO_JUDGE = 256;
/** Milliseconds of loading after which the event loop gets its turn: a collection of garbage, of some 7 to 9 ms, may come on top. */
const LOAD_TURN_MS = 2;

/** What the system says of a file that is there already. */
const OUT_OF_REACH = {
  EACCES: "this user may not read or remove it",
  EPERM: "this user may not read or remove it",
};

export interface DiskParts {
  readonly storage: Storage;
  readonly saving: Saving;
  readonly fsync: FsyncPolicy;
  readonly cluster: string;
  /** What was found damaged before anything was loaded. */
  readonly damages: readonly DamageStatus[];
}

/** Who is given what is loaded. */
export interface Loader {
  /** About so many records are going to come: told once, and no promise. */
  expect(records: number): void;
  take(records: readonly StoredRecord[]): void;
  /** Called after each turn. */
  onTurn(loading: LoadingStatus): void;
}

/** What was loaded at the start. */
export interface LoadReport {
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
  /** What was cut off, as after a crash. */
  readonly torn: readonly Torn[];
}

export class Disk {
  readonly saver: Saver;
  readonly #parts: DiskParts;
  #loading: LoadingStatus | undefined = { records: 0, bytesDone: 0, bytesTotal: 0, share: 0 };
  #load: Promise<LoadReport | undefined> | undefined;
  #isClosing = false;
  #isFree = false;
  /** Called when the disk has answered after all to what it had not answered when this was closed. */
  onFree: () => void = () => undefined;

  constructor(parts: DiskParts) {
    this.#parts = parts;
    this.saver = new Saver(parts.saving, parts.storage);
  }

  /** How far loading is; undefined = it is over. */
  get loading(): LoadingStatus | undefined {
    return this.#loading;
  }

  /** Counts up; see {@link Saver.onDurable}. */
  get ticket(): number {
    return this.#parts.saving.ticket;
  }

  get durableTicket(): number {
    return this.#parts.saving.durable;
  }

  /** Whether a write may be acknowledged only when it is durable. */
  get isStrict(): boolean {
    return this.#parts.saving.isStrict;
  }

  /**
   * Loads everything, in steps between which the event loop turns. To be called once.
   * @returns undefined when the disk was closed before all was loaded
   * @throws {LankvError} LANKV_DATA_DIR, LANKV_DATA_FORMAT
   */
  load(loader: Loader): Promise<LoadReport | undefined> {
    this.#load = this.#loadAll(loader);
    return this.#load;
  }

  /** Loading is over and told to the core: saving begins. */
  start(): void {
    this.#loading = undefined;
    this.saver.start();
  }

  status(): StorageStatus {
    const { storage, saving, fsync, damages } = this.#parts;
    const { failure, syncedAtMs } = this.saver;
    return {
      fsync,
      bytes: storage.bytes,
      unsaved: saving.unsaved,
      unsavedMs: Math.round(saving.unsavedMs(monoMs())),
      failing: failure === undefined ? null : reasonOf(failure),
      syncedMs: syncedAtMs === undefined ? null : Math.round(monoMs() - syncedAtMs),
      damages: [...damages, ...storage.damages],
      stuck: storage.stuck.map(({ path, cause }) => ({ path, reason: reasonOf(cause, OUT_OF_REACH) })),
    };
  }

  /**
   * Copies what is saved into a directory that `open` can start from: without an identity, as that of this node must not
   * be used twice.
   * @param directory missing or empty
   * @throws {RangeError} it is neither
   * @throws an error of the system
   */
  async backup(directory: string): Promise<void> {
    await this.saver.durable();
    await backUp(this.#parts.storage, this.#parts.cluster, directory);
  }

  /** @throws {LankvError} LANKV_DISK: not everything is on disk */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#load?.catch(() => undefined);
    try {
      await this.saver.close();
    } catch (error) {
      throw error instanceof LankvError ? notSaved(this.#parts.saving.unsaved, error) : error;
    } finally {
      // What does not answer would not answer this either.
      if (!this.saver.isBusy) await this.#free();
      else {
        this.saver.onStep = () => {
          this.#free().then(this.onFree, this.onFree);
        };
      }
    }
  }

  /** Whether nothing writes to the directory any more: until then nobody else may. */
  get isFree(): boolean {
    return this.#isFree;
  }

  async #free(): Promise<void> {
    try {
      await this.#parts.storage.close();
    } finally {
      this.#isFree = true;
    }
  }

  async #loadAll(loader: Loader): Promise<LoadReport | undefined> {
    const beganMs = monoMs();
    let [turnEndsMs, records, bytes, isExpected] = [beganMs + LOAD_TURN_MS, 0, 0, false];
    for await (const part of this.#parts.storage.load()) {
      const { bytesDone, bytesTotal } = part;
      for (let from = 0; from < part.records.length; from += RECORDS_A_LOOK) {
        if (this.#isClosing) return undefined;
        const some = part.records.slice(from, from + RECORDS_A_LOOK);
        loader.take(some);
        records += some.length;
        if (monoMs() < turnEndsMs) continue;
        this.#loading = {
          records,
          bytesDone,
          bytesTotal,
          share: bytesTotal === 0 ? 0 : bytesDone / bytesTotal,
        };
        loader.onTurn(this.#loading);
        await nextTurn();
        turnEndsMs = monoMs() + LOAD_TURN_MS;
      }
      bytes = bytesTotal;
      if (isExpected || records < RECORDS_TO_JUDGE) continue;
      isExpected = true;
      loader.expect(Math.ceil((records * bytesTotal) / bytesDone));
    }
    if (this.#isClosing) return undefined;
    return { records, bytes, ms: monoMs() - beganMs, torn: this.#parts.storage.torn };
  }
}
