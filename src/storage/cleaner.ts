/**
 * Keeps a log from growing for ever: what is superseded in the oldest segment goes with it, after the rest has been
 * appended anew.
 *
 * A segment is *emptied* when all its records that still count have been appended; its file goes once they are
 * durable, and with them every record that supersedes one of the others. When a segment that is being written to breaks,
 * both are uncertain, and all that is emptied by then is gone through again.
 *
 * On a disk that is full there is little room to append to. Cleaning begins earlier where there is little, and goes on when
 * a save has failed for want of it: a segment whose records have no room elsewhere is emptied into the reserve, which is made
 * again from what became free. Without one it is passed over, for one that needs no room.
 *
 * A segment that cannot be opened is passed over, too, and told of for as long as that lasts: one file that is out of reach must
 * not keep the others from being cleaned. One that is gone has taken with it what counted in it: that is damage, and all is
 * saved once more.
 *
 * The sync that lets a file go is that of a save. But a process that is killed every few seconds may never come to the next one, and
 * each would empty again what the one before had emptied: so for what an earlier process has left, cleaning syncs by itself, and
 * where that is too much, the first save is done when a first file is gone.
 *
 * A record may be there many times: saved again after a failure or damage, or appended by a process that was killed
 * before it removed the file. So one counts only where it was appended last (homes.ts). By that a segment of this process is
 * emptied from memory. It has to be read when it is of an earlier process, or there is little room: memory may hold more than
 * the segment does.
 *
 * It is done in steps of a portion of a segment, in the pauses between saves, and at a pace: for each byte saved, four are
 * gone through before the next save begins, which supersedes nothing until then. Going round, oldest first, two are gone through
 * for each one that is freed when half of them count, so the pace keeps the size near its bound whatever is written.
 */
import { setImmediate } from "node:timers/promises";
import createDebug from "debug";
import { isExcess, isTight, liveBytesOf } from "./excess.js";
import type { Batch } from "./homes.js";
import { FilePass, SlotPass, type Emptied, type Pass } from "./pass.js";
import { isFull, Reach } from "./reach.js";
import { bytesOf, SEGMENT_BYTES_MAX, segmentBytesFor, type ClosedSegment } from "./segment.js";
import type { Segments } from "./segments.js";
import { setAside } from "./set-aside.js";
import { Surplus } from "./surplus.js";
import type { Contents, Damage } from "./storage.js";

const debug = createDebug("lankv:storage");

/** The room is asked for after so many bytes saved. */
const LOOK_BYTES = 262_144;
/** Bytes gone through for each that is saved. */
const PACE = 4;
/** So many emptied files are not kept waiting for a sync that may never be asked for. */
const EMPTIED_MAX = 2;

export class Cleaner {
  /** What it can get at, and what not. */
  readonly reach = new Reach();
  readonly #segments: Segments;
  readonly #contents: Contents;
  readonly #onDamage: (damage: Damage) => void;
  /** Going through the oldest segment. */
  #pass: Pass | undefined;
  /** Those whose files go after the next sync, and those whose files may go now. */
  #emptied: Emptied[] = [];
  #removable: Emptied[] = [];
  /** Undefined = nothing is under way. */
  #running: Promise<void> | undefined;
  /** Bytes to go through for those that were saved. */
  #owed = 0;
  #isPaused = false;
  #isClosed = false;
  /** Whether the disk is tight, and bytes to save until that is looked at. */
  #isTight = false;
  #lookIn = 0;
  /** That is asked for while a save is under way: the next would have to wait for it. */
  #looking: Promise<boolean> | undefined;
  /** Segments that could not be emptied, until the round is over or a save has failed once more. */
  readonly #passedOver = new Set<string>();
  /** Whether what was loaded is known to be durable, so that something may go for its sake, and syncs do not fail. */
  #maySync = false;
  /** Whether an earlier process has left more than there should be, of which nothing is freed yet; undefined before the first save. */
  #isBehindhand: boolean | undefined;
  /** Whether the reserve was used, and is to be made again. */
  #isReserveUsed = false;
  /** Files stay where they are while somebody copies them. */
  #holds = 0;
  readonly #surplus = new Surplus();
  /** The newest closed segment when this round began. */
  #roundEnd = -1;
  /** The newest closed segment when the first round began. */
  #inheritedTo = -1;

  constructor(segments: Segments, contents: Contents, onDamage: (damage: Damage) => void) {
    this.#segments = segments;
    this.#contents = contents;
    this.#onDamage = onDamage;
  }

  /** From this length on, another segment is to be begun. */
  get segmentBytes(): number {
    return segmentBytesFor(this.#live);
  }

  /** How much is kept for cleaning a disk that has no room: enough for any of the segments, for it may be the one to empty. */
  get #reserveBytes(): number {
    return Math.max(this.segmentBytes, ...this.#segments.closed.map(({ length }) => length));
  }

  /** Whether files wait for a sync to go. */
  get needsSync(): boolean {
    return this.#emptied.length >= EMPTIED_MAX;
  }

  /** To be called before a save. @returns resolves when nothing is under way any more; undefined = nothing is */
  pause(): Promise<void> | undefined {
    this.#isPaused = true;
    if (this.#lookIn <= 0) this.#looking ??= isTight(this.#segments.directory, this.segmentBytes);
    return this.#running;
  }

  /**
   * A save has succeeded. What is owed for it is done, for which the next one waits, and then what else there is in the background.
   * @returns what this save has to wait for, too, if anything
   */
  resume(savedBytes: number, wasSynced: boolean): Promise<void> | undefined {
    this.#isPaused = false;
    this.#surplus.handleSaved(savedBytes);
    this.#owed = Math.min(this.#owed + PACE * savedBytes, SEGMENT_BYTES_MAX);
    this.#lookIn -= savedBytes;
    if (wasSynced) {
      this.#maySync = true;
      this.#removable.push(...this.#emptied.splice(0));
    }
    const isFirst = this.#isBehindhand === undefined;
    if (!isFirst && this.#isIdle) {
      this.#owed = 0;
      return undefined;
    }
    const owed = this.#doOwed();
    this.#goOnAfter(owed);
    return isFirst || this.#mustFreeOne ? owed : undefined;
  }

  /** A save has found no room, and what was loaded is durable. What can be freed is, in the background. */
  reclaim(): void {
    this.#maySync = true;
    this.#isPaused = false;
    this.#isTight = true;
    this.#surplus.tryAgain();
    this.#lookIn = 0;
    this.#looking = undefined;
    this.#passedOver.clear();
    // By then the records of that save count as unsaved again.
    this.#goOnAfter(setImmediate());
  }

  /** What was appended since the last sync may be gone: what was gone through since then counts as untouched. */
  async reset(): Promise<void> {
    this.#emptied = [];
    await this.#endPass();
  }

  /** Lets no file go until the function that it returns is called. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await this.#segments.reserve?.rest();
    await this.#endPass();
  }

  /** Goes on in the background after this. */
  #goOnAfter(first: Promise<void>): void {
    const running = first.then(() => this.#run(() => !this.#isPaused));
    this.#running = running.finally(() => (this.#running = undefined));
  }

  async #doOwed(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#isTight = await this.#looking;
      this.#looking = undefined;
      this.#lookIn = LOOK_BYTES;
    }
    this.#isBehindhand ??= this.#isDue;
    await this.#run(() => this.#owed > 0 || this.#mustFreeOne);
    this.#owed = Math.max(this.#owed, 0);
  }

  /** Whether there is nothing to do. */
  get #isIdle(): boolean {
    const isStill = this.#pass === undefined && this.#removable.length === 0 && this.#emptied.length === 0;
    const isRoomKnown =
      this.#lookIn > 0 && this.#segments.reserve?.isLongEnough(this.#reserveBytes) !== false;
    return isStill && isRoomKnown && !this.#segments.isReserved && !this.#isDue;
  }

  get #live(): number {
    return liveBytesOf(this.#contents);
  }

  /** Segments that are emptied. */
  get #gone(): ClosedSegment[] {
    return [...this.#emptied, ...this.#removable].map(({ segment }) => segment);
  }

  /** Those that are not. */
  get #full(): ClosedSegment[] {
    const gone = new Set(this.#gone.map(({ path }) => path));
    return this.#segments.all.filter(({ path }) => !gone.has(path));
  }

  /** Asked for with each save, so they are not listed for it. */
  get #isDue(): boolean {
    const { bytes, count } = this.#segments;
    const gone = this.#gone;
    const held = { bytes: bytes - bytesOf(gone), count: count - gone.length };
    return isExcess(held, this.#live, this.#isTight, this.#surplus);
  }

  /**
   * Goes on while there is something to do, and it may. Not when a segment that was being written to has broken: what supersedes
   * the rest may be gone with it, until the next save has told so.
   */
  async #run(mayGoOn: () => boolean): Promise<void> {
    try {
      while (!this.#isClosed && this.#segments.loss === undefined && mayGoOn()) {
        if (this.#removable.length > 0 && this.#holds === 0) await this.#removeFiles();
        // There may be no room for more than there was.
        if (this.#isTight && this.#pass?.mayBeLonger === true) await this.#endPass();
        if (this.#pass === undefined) await this.#endReserved();
        if (this.#pass === undefined && (await this.#growReserve())) continue;
        this.#pass ??= this.#isDue ? await this.#beginPass() : undefined;
        if (this.#pass === undefined) {
          if (this.#hasInherited && this.#maySync && mayGoOn()) {
            await this.#sync();
            continue;
          }
          this.#owed = 0;
          return;
        }
        await this.#pass.look();
        // Only between saves: what a save is being given is not there yet.
        if (mayGoOn()) await this.#append(this.#pass);
        // On a full disk no save will succeed before the files are gone.
        const isUrgent =
          this.#isTight || this.#mustFreeOne
            ? this.#emptied.length > 0
            : this.#hasInherited && this.needsSync;
        if (isUrgent && this.#maySync && !this.#isPaused) await this.#sync();
      }
    } catch (error) {
      // The disk is full or failing, which the next save tells. What was to be appended is tried again after it.
      debug("cleaning stops until the next save: %O", error);
      this.#owed = 0;
    }
  }

  async #beginPass(): Promise<Pass | undefined> {
    for (const segment of this.#full) {
      if (this.#passedOver.has(segment.path)) continue;
      if (!this.#segments.closed.includes(segment)) return undefined;
      if (segment.number > this.#roundEnd) this.#beginRound();
      const pass = await this.#passThrough(segment);
      if (pass !== undefined) return pass;
    }
    return undefined;
  }

  /** Undefined when the segment is out of reach for now, or gone. It is opened though it may not have to be read, to know that. */
  async #passThrough(segment: ClosedSegment): Promise<Pass | undefined> {
    const { path, length, number } = segment;
    const handle = await this.reach.open(path);
    if (handle === "gone") {
      this.#segments.leaveOut(segment);
      this.#tell({ path, bytesLost: length, recordsSaved: 0, isSetAside: false, isMissing: true });
      return undefined;
    }
    if (handle === undefined) {
      this.#passedOver.add(path);
      return undefined;
    }
    const { homes } = this.#segments;
    const { slots: memory } = this.#contents;
    const slots = this.#isTight ? undefined : homes.slotsOf(number);
    if (slots === undefined || memory === undefined)
      return new FilePass(segment, handle, homes, this.#contents);
    await handle.close();
    return new SlotPass(segment, slots, homes, memory);
  }

  /** Others may be damaged, too: nothing more goes for the sake of what is in them. */
  #tell(damage: Damage): void {
    this.#segments.homes.forgetAll();
    this.#onDamage(damage);
  }

  #beginRound(): void {
    const newest = this.#segments.closed.at(-1)?.number ?? -1;
    if (this.#roundEnd < 0) this.#inheritedTo = newest;
    this.#roundEnd = newest;
    this.#surplus.beginRound(bytesOf(this.#full), this.#live);
    this.#passedOver.clear();
  }

  /** Whether a segment of an earlier process is emptied, and waits for a sync to go. */
  get #hasInherited(): boolean {
    return this.#emptied.some(({ segment }) => segment.number <= this.#inheritedTo);
  }

  /** Whether a save is not done before a first file is gone. */
  get #mustFreeOne(): boolean {
    return this.#isBehindhand === true && this.#maySync && this.#holds === 0;
  }

  async #sync(): Promise<void> {
    // After one that fails, the next is that of a save: each costs all that was saved since the last one.
    this.#maySync = false;
    await this.#segments.sync();
    this.#maySync = true;
    this.#removable.push(...this.#emptied.splice(0));
  }

  async #append(pass: Pass): Promise<void> {
    const { segment } = pass;
    const batch = pass.counting(this.#isTight);
    if (batch.records.length > 0 && !(await this.#hasRoomFor(batch, segment))) return;
    this.#owed -= pass.advance();
    if (!pass.isDone) return;
    await this.#endPass();
    await this.#endReserved();
    this.#emptied.push({ segment, damage: pass.damage });
  }

  /** Appends the records, when the disk is full to the reserve; when that has no room either, the segment is passed over. */
  async #hasRoomFor(batch: Batch, segment: ClosedSegment): Promise<boolean> {
    try {
      if (this.#segments.isReserved) await this.#segments.appendReserved(batch);
      else await this.#segments.append(batch, this.segmentBytes);
      return true;
    } catch (error) {
      if (!this.#isTight || !isFull(error) || this.#segments.loss !== undefined) throw error;
      if (!this.#segments.isReserved && segment.length <= (this.#segments.reserve?.bytes ?? 0)) {
        await this.#segments.appendReserved(batch);
        return true;
      }
      this.#passedOver.add(segment.path);
      await this.#endPass();
      return false;
    }
  }

  async #endReserved(): Promise<void> {
    if (!this.#segments.isReserved) return;
    await this.#segments.endReserved();
    this.#isReserveUsed = true;
  }

  /**
   * What the reserve has freed comes first to the reserve; else some room is left to what is saved, which does not wait for it.
   * @returns whether something was done
   */
  async #growReserve(): Promise<boolean> {
    const { reserve } = this.#segments;
    if (reserve === undefined) return false;
    if (!this.#isTight && !this.#isReserveUsed) {
      reserve.begin(this.#reserveBytes, this.segmentBytes);
      return false;
    }
    await reserve.rest();
    const leave = this.#isReserveUsed ? 0 : this.segmentBytes;
    const hasGrown = await reserve.grow(this.#reserveBytes, leave);
    if (!hasGrown) this.#isReserveUsed = false;
    return hasGrown;
  }

  async #endPass(): Promise<void> {
    const pass = this.#pass;
    this.#pass = undefined;
    await pass?.close();
  }

  async #removeFiles(): Promise<void> {
    this.#isBehindhand = false;
    const removable = this.#removable.splice(0);
    // At once: who copies files meanwhile is not told of these.
    for (const { segment } of removable) this.#segments.leaveOut(segment);
    for (const { segment, damage } of removable) {
      if (damage === undefined) {
        await this.reach.remove(segment.path);
        continue;
      }
      const path = await setAside(segment.path);
      const isSetAside = path !== undefined;
      this.#tell({ ...damage, path: path ?? segment.path, isSetAside, isMissing: false });
    }
  }
}
