/**
 * The writers that records name, numbered, so that a record keeps a small number instead of a pointer.
 *
 * A writer has a number for as long as a record is by it. Every start of a process makes a new writer, so a number is
 * given back when the last record of its writer is overwritten, and the table has no more entries than there are records.
 */
import type { Writer } from "./version.js";

/** How many writers a table can hold: half of what the runtime's Map can. */
export const WRITERS_MAX = 2 ** 23;

export class WriterTable {
  readonly #numbers = new Map<Writer, number>();
  readonly #writers: Writer[] = [];
  /** How many records are by each; 0 = the number is free. */
  readonly #records: number[] = [];
  readonly #free: number[] = [];
  /** Most records are by the writer of the one before. */
  #lastWriter: Writer | undefined;
  #lastNumber = 0;

  /** Number of writers. */
  get size(): number {
    return this.#numbers.size;
  }

  /** The writer with this number. */
  writerOf(number: number): Writer {
    return this.#writers[number] ?? "";
  }

  /** One more record is by this writer. @returns the writer's number */
  add(writer: Writer): number {
    const number = writer === this.#lastWriter ? this.#lastNumber : this.#numberOf(writer);
    this.#records[number] = (this.#records[number] ?? 0) + 1;
    this.#lastWriter = writer;
    this.#lastNumber = number;
    return number;
  }

  /** One record less is by the writer with this number. */
  remove(number: number): void {
    const left = (this.#records[number] ?? 0) - 1;
    this.#records[number] = left;
    if (left > 0) return;
    const writer = this.writerOf(number);
    this.#numbers.delete(writer);
    this.#writers[number] = "";
    this.#free.push(number);
    if (writer === this.#lastWriter) this.#lastWriter = undefined;
  }

  #numberOf(writer: Writer): number {
    const known = this.#numbers.get(writer);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#writers.length;
    this.#numbers.set(writer, number);
    this.#writers[number] = writer;
    return number;
  }
}
