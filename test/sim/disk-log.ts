/** The entries on a simulated disk, in segments: what is appended goes to the last, the *tail*, and the others are closed. */
import type { KvRecord } from "../../src/core/record.js";
import { Homes, type Batch } from "../../src/storage/homes.js";
import { recordsToArray } from "./records.js";
import { isAfter, isRemains } from "./checkers/history.js";

interface Entry {
  readonly record: KvRecord;
  /**
   * `cached`: it survives the process; `synced`: and a power cut; `doomed`: it was to be synced, that failed, and it is there
   * until the next power cut.
   */
  state: "cached" | "synced" | "doomed";
}

export interface Segment {
  readonly number: number;
  readonly entries: readonly Entry[];
}

export class DiskLog {
  readonly #entriesOf = new Map<string, Entry[]>();
  #segments: { readonly number: number; entries: Entry[] }[] = [];
  #hasTail = false;
  #begun = 0;
  #homes = new Homes();

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get closed(): readonly Segment[] {
    return this.#hasTail ? this.#segments.slice(0, -1) : this.#segments;
  }

  /** What is written to; empty when the next entry begins it. */
  get tail(): readonly Entry[] {
    return this.#hasTail ? (this.#segments.at(-1)?.entries ?? []) : [];
  }

  /** Where the process that is there has appended what. */
  get homes(): Homes {
    return this.#homes;
  }

  /** Another process has the disk, and knows nothing of what the one before has appended. */
  beginProcess(): void {
    this.closeTail();
    this.#homes = new Homes();
  }

  appendAll(batch: Batch): void {
    for (const record of recordsToArray(batch.records)) this.append(record);
    this.#homes.note(this.#begun, batch);
  }

  append(record: KvRecord, state: Entry["state"] = "cached"): void {
    if (!this.#hasTail) {
      this.#begun += 1;
      this.#segments.push({ number: this.#begun, entries: [] });
      this.#hasTail = true;
    }
    const entry = { record, state };
    this.#segments.at(-1)?.entries.push(entry);
    const entries = this.#entriesOf.get(record.key);
    if (entries === undefined) this.#entriesOf.set(record.key, [entry]);
    else entries.push(entry);
  }

  /** What is appended next begins another segment. */
  closeTail(): void {
    this.#hasTail = false;
  }

  /** Of what is in the tail and was not synced, anything may be gone with the power. */
  breakTail(): void {
    this.#homes.forget(this.#begun);
    this.closeTail();
  }

  remove(segment: Segment): void {
    this.#segments = this.#segments.filter((other) => other !== segment);
    this.#homes.remove(segment.number);
    for (const entry of segment.entries) this.#forget(entry);
  }

  /** Everything that is not kept is gone. */
  keep(isKept: (entry: Entry) => boolean): void {
    for (const segment of this.#segments)
      segment.entries = segment.entries.filter((entry) => {
        const stays = isKept(entry);
        if (!stays) this.#forget(entry);
        return stays;
      });
    this.closeTail();
  }

  *all(): Generator<Entry, void> {
    for (const { entries } of this.#segments) yield* entries;
  }

  /** Whether a power cut leaves this record, or a newer one of its key. */
  isDurable(record: KvRecord): boolean {
    const entries = this.#entriesOf.get(record.key) ?? [];
    return entries.some((entry) => entry.state === "synced" && !isAfter(record, entry.record));
  }

  /** By key, the greatest record that can be read. */
  contents(): ReadonlyMap<string, KvRecord> {
    const contents = new Map<string, KvRecord>();
    for (const { record } of this.all()) {
      const other = contents.get(record.key);
      if (other === undefined || isGreater(record, other)) contents.set(record.key, record);
    }
    return contents;
  }

  #forget(entry: Entry): void {
    const { key } = entry.record;
    const others = this.#entriesOf.get(key)?.filter((other) => other !== entry) ?? [];
    if (others.length === 0) this.#entriesOf.delete(key);
    else this.#entriesOf.set(key, others);
  }
}

/** Whether one record wins over another: what remains of a value wins over the value. */
function isGreater(a: KvRecord, b: KvRecord): boolean {
  return isAfter(a, b) || (!isAfter(b, a) && isRemains(a) && !isRemains(b));
}
