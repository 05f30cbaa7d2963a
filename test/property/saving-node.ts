/** The real map, order of saving and log, driven as a node drives them, in a time of its own. */
import { RecordMap } from "../../src/core/record-map.js";
import type { KvRecord } from "../../src/core/record.js";
import { Saving, type FsyncPolicy } from "../../src/core/saving.js";
import { Log } from "../../src/storage/log.js";

export class SavingNode {
  readonly map: RecordMap;
  readonly saving: Saving;
  readonly log: Log;
  #nowMs = 0;
  #damagesKnown = 0;

  private constructor(map: RecordMap, saving: Saving, log: Log) {
    this.map = map;
    this.saving = saving;
    this.log = log;
  }

  /** Loads what is in the directory. @param reserve a file to keep room in; undefined = none is kept */
  static async start(directory: string, policy: FsyncPolicy, reserve?: string): Promise<SavingNode> {
    let isLoading = true;
    const map: RecordMap = new RecordMap(
      () => undefined,
      (slot) => {
        if (!isLoading) saving.add(slot);
      },
    );
    const saving = new Saving(map, policy);
    const place = reserve === undefined ? directory : { directory, reserve };
    const log = await Log.open(place, {
      get records() {
        return map.records;
      },
      get bytes() {
        return map.bytes;
      },
      isSuperseded: (record) => saving.isSuperseded(record),
      slots: {
        of: (record) => saving.slotOf(record),
        at: (slot) => map.storedAt(slot),
        bytesAt: (slot) => map.bytesAt(slot),
      },
    });
    for await (const { records } of log.load()) for (const record of records) map.apply(record);
    isLoading = false;
    return new SavingNode(map, saving, log);
  }

  get liveBytes(): number {
    return this.map.bytes + 36 * this.map.records;
  }

  write(...records: readonly KvRecord[]): void {
    for (const record of records) this.map.apply(record);
  }

  /** Does the next step, if there is one, whenever it is due. @returns whether one was done, and did not fail */
  async step(): Promise<boolean> {
    const { wakeAtMs } = this.saving;
    if (wakeAtMs === Infinity) return false;
    this.#nowMs = Math.max(this.#nowMs, wakeAtMs);
    const step = this.saving.next(this.#nowMs);
    const { isLoadedDurable } = this.log;
    if (step === undefined) return false;
    const isDone = await this.log.save(step.records, step.sync, step.slots).then(
      () => true,
      () => false,
    );
    if (isDone) this.saving.handleDone();
    else this.saving.handleFailed(this.#nowMs, isLoadedDurable);
    if (this.log.damages.length > this.#damagesKnown) this.saving.addAll();
    this.#damagesKnown = this.log.damages.length;
    return isDone;
  }

  /** Goes on until there is nothing to do, or a step fails. */
  async settle(): Promise<void> {
    while (await this.step());
  }

  /** @returns whether everything up to now is said to be durable */
  async makeDurable(): Promise<boolean> {
    const { ticket } = this.saving;
    this.saving.demand(ticket);
    await this.settle();
    return this.saving.durable >= ticket;
  }
}
