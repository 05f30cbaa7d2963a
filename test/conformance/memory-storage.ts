/**
 * A storage without a disk, for tests of what uses one: it keeps what storage promises and no more, and fails on demand.
 * A `Disk` outlives its storages as a real one outlives processes.
 */
import type { KvRecord } from "../../src/core/record.js";
import type { Damage, Loaded, Storage, Stuck, Torn } from "../../src/storage/storage.js";

const RECORD_BYTES = 36;
const BATCH = 256;

export class Disk {
  durable: KvRecord[] = [];
  /** Saved, and not yet synced. */
  saved: KvRecord[] = [];
  damages: Damage[] = [];
  readonly backups = new Map<string, readonly KvRecord[]>();
  /** The next save fails so: after it has saved none, half or all of its records. */
  failure: { readonly code: string; readonly saves: "none" | "half" | "all" } | undefined;

  /** Cuts the power: of what is not durable, only what `survives` says is left. */
  cutPower(survives: (record: KvRecord, index: number) => boolean = () => false): void {
    this.durable.push(...this.saved.filter(survives));
    this.saved = [];
  }

  get records(): readonly KvRecord[] {
    return [...this.durable, ...this.saved];
  }
}

export class MemoryStorage implements Storage {
  readonly #disk: Disk;
  readonly #damages: Damage[];

  constructor(disk: Disk) {
    this.#disk = disk;
    this.#damages = disk.damages.splice(0);
  }

  get damages(): readonly Damage[] {
    return this.#damages;
  }

  get torn(): readonly Torn[] {
    return [];
  }

  get stuck(): readonly Stuck[] {
    return [];
  }

  get bytes(): number {
    return bytesOf(this.#disk.records);
  }

  async *load(): AsyncGenerator<Loaded, void> {
    this.#compact();
    const { records } = this.#disk;
    const bytesTotal = bytesOf(records);
    for (let from = 0; from < records.length; from += BATCH) {
      const batch = records.slice(from, from + BATCH);
      yield { records: batch, bytesDone: bytesOf(records.slice(0, from + BATCH)), bytesTotal };
    }
  }

  async save(records: readonly KvRecord[], sync: boolean): Promise<void> {
    const { failure } = this.#disk;
    this.#disk.failure = undefined;
    if (failure !== undefined) {
      const share = { none: 0, half: records.length >> 1, all: records.length }[failure.saves];
      this.#disk.saved.push(...records.slice(0, share));
      throw Object.assign(new Error(failure.code), { code: failure.code });
    }
    this.#disk.saved.push(...records);
    if (!sync) return;
    this.#disk.durable.push(...this.#disk.saved.splice(0));
    if (this.#disk.durable.length > 4 * BATCH) this.#compact();
  }

  async backup(directory: string): Promise<void> {
    this.#disk.backups.set(directory, this.#disk.records);
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }

  /** Of what is durable, the greatest record of each key is enough. */
  #compact(): void {
    const greatest = new Map<string, KvRecord>();
    for (const record of this.#disk.durable) {
      const held = greatest.get(record.key);
      if (held === undefined || held.stamp <= record.stamp) greatest.set(record.key, record);
    }
    this.#disk.durable = [...greatest.values()];
  }
}

function bytesOf(records: readonly KvRecord[]): number {
  return records.reduce((sum, { key, value }) => sum + key.length + value.length + RECORD_BYTES, 0);
}
