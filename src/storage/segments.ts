/**
 * All segments of a log: the tail, which is written to, and the closed ones.
 *
 * The tail is made when there is something to write, and closed durably when it is long enough: so only one file holds
 * what is not durable yet. Each new tail begins with marks that say how far the older ones are whole; with those that the
 * tail writes of itself after each sync, whoever starts next can tell what a loss of power has torn from what is damaged.
 */
import { truncate, unlink } from "node:fs/promises";
import { Homes, type Batch } from "./homes.js";
import { Reserve } from "./reserve.js";
import { bytesOf, type ClosedSegment } from "./segment.js";
import { Tail } from "./tail.js";

const NOTHING: Batch = { records: [], slots: [] };

export class Segments {
  readonly directory: string;
  /** Undefined = no room is kept for cleaning. */
  readonly reserve: Reserve | undefined;
  /** What of this process is where. */
  readonly homes = new Homes();
  readonly #writer = Tail.newWriter();
  #closed: ClosedSegment[] = [];
  #closedBytes = 0;
  #nextNumber: number;
  #tail: Tail | undefined;
  #loss: Error | undefined;

  /** @param nextNumber greater than that of any segment there is */
  constructor(directory: string, nextNumber: number, reservePath?: string) {
    this.directory = directory;
    this.reserve = reservePath === undefined ? undefined : new Reserve(reservePath);
    this.#nextNumber = nextNumber;
  }

  /** Oldest first. */
  get closed(): readonly ClosedSegment[] {
    return this.#closed;
  }

  /** All up to now, oldest first, but for a tail without a record: it is removed when writing to it fails. */
  get all(): readonly ClosedSegment[] {
    return this.#tail?.isEmpty === false ? [...this.#closed, this.#tail.soFar] : this.#closed;
  }

  /** How many there are. */
  get count(): number {
    return this.#closed.length + (this.#tail === undefined ? 0 : 1);
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#closedBytes + (this.#tail?.length ?? 0);
  }

  /** The number that the next segment will have. */
  get nextNumber(): number {
    return this.#nextNumber;
  }

  /** Begins to count after the newest segment; what only has the name of one has no say. */
  countFrom(newest: number): void {
    this.#nextNumber = newest + 1;
  }

  /** Sets what closed segments there are, oldest first. */
  setClosed(closed: readonly ClosedSegment[]): void {
    this.#closed = [...closed];
    this.#closedBytes = bytesOf(closed);
  }

  /** Leaves one out, whose file is gone. */
  leaveOut({ path, number }: ClosedSegment): void {
    this.setClosed(this.#closed.filter((segment) => segment.path !== path));
    this.homes.remove(number);
  }

  /** What broke a tail, until {@link Segments.forgetLoss}: what was appended since the last sync may be gone. */
  get loss(): Error | undefined {
    return this.#loss;
  }

  forgetLoss(): void {
    this.#loss = undefined;
  }

  /**
   * @param segmentBytes from this length on, another segment is begun
   * @param isLast whether {@link Segments.sync} is called next
   * @throws an error of the system; part of the records may be there then
   */
  async append(batch: Batch, segmentBytes: number, isLast = false): Promise<void> {
    if (this.isReserved) throw Object.assign(new Error("the disk is being cleaned"), { code: "ENOSPC" });
    if (this.#tail !== undefined && this.#tail.length >= segmentBytes) await this.#endTail();
    await this.#write((this.#tail ??= await this.#newTail()), batch, isLast);
  }

  /**
   * Appends what cleaning has found to the reserve, on a disk that has no room, until {@link Segments.endReserved}.
   * @throws an error of the system; part of the records may be there then
   */
  async appendReserved(batch: Batch): Promise<void> {
    if (this.#tail?.isReserve !== true) {
      await this.#endTail();
      this.#tail = await this.#newTail(this.reserve);
    }
    await this.#write(this.#tail, batch);
  }

  /** Whether the reserve is being written to. */
  get isReserved(): boolean {
    return this.#tail?.isReserve === true;
  }

  /** Ends what is written to the reserve, durably, and frees what was not needed of it. */
  async endReserved(): Promise<void> {
    if (this.isReserved) await this.#endTail();
  }

  /** Makes durable what was appended. */
  async sync(): Promise<void> {
    const tail = this.#tail;
    if (tail === undefined) return;
    try {
      await tail.sync();
    } catch (error) {
      await this.#abandon(tail, error);
      throw error;
    }
  }

  /**
   * Says in the tail how far it is durable, when nothing else is written for now.
   * @throws an error of the system
   */
  async mark(): Promise<void> {
    if (this.#tail !== undefined) await this.#write(this.#tail, NOTHING);
  }

  /** Ends the tail, durably if that can be done. */
  async close(): Promise<void> {
    try {
      await this.sync();
      await this.mark();
      await this.sync();
    } catch {
      // What cannot be made durable is what it was before: saved.
    }
    if (this.#tail !== undefined) await this.#close(this.#tail);
  }

  async #write(tail: Tail, batch: Batch, isLast = false): Promise<void> {
    try {
      await tail.append(batch.records, isLast);
      this.homes.note(tail.number, batch);
    } catch (error) {
      if (tail.isBroken) await this.#abandon(tail, error);
      throw error;
    }
  }

  async #newTail(reserve?: Reserve): Promise<Tail> {
    const whole = this.#closed.filter(({ length, synced }) => length === synced);
    const marks = whole.map(({ number, length }) => ({ segment: number, length }));
    const tail = await Tail.create(this.directory, this.#nextNumber, marks, this.#writer, reserve);
    this.#nextNumber += 1;
    return tail;
  }

  async #endTail(): Promise<void> {
    await this.sync();
    if (this.#tail !== undefined) await this.#close(this.#tail);
  }

  /** Goes on without a tail that is broken: what is in it may still be read one day. */
  async #abandon(tail: Tail, error: unknown): Promise<void> {
    this.#loss = error instanceof Error ? error : new Error(String(error));
    this.homes.forget(tail.number);
    if (tail.isEmpty) {
      this.#tail = undefined;
      await tail.close();
      await unlink(tail.soFar.path).catch(() => undefined);
      return;
    }
    const { path, length } = await this.#close(tail);
    // Once more: what was written in part takes the room away from the next try.
    await truncate(path, length).catch(() => undefined);
  }

  /** At any moment it is the tail or one of the closed: a backup begins when it likes. */
  async #close(tail: Tail): Promise<ClosedSegment> {
    const closed = tail.soFar;
    this.#tail = undefined;
    this.#closed.push(closed);
    this.#closedBytes += closed.length;
    this.homes.close(closed.number);
    await tail.close();
    return closed;
  }
}
