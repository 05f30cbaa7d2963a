/**
 * Makes this process' disk fail: writes that are short or fail half-way, cuts and syncs that fail, the end of the process,
 * and the loss of power, after which what was not synced is there in part. What a failed sync leaves can be read, and no later
 * sync makes it durable, of whatever process, unless it is written once more. The files are real; the calls on them are caught.
 *
 * By chance it is a file system on which writes through to the disk are known to work, or another one. Such a write fails as a
 * write does, or as a sync; of what was written in another way before it, it makes nothing durable.
 */
import { constants, readdirSync, readFileSync, statSync } from "node:fs";
import fs, {
  open,
  readdir,
  readFile,
  stat,
  statfs,
  truncate,
  unlink,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import type { Stats } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { mock } from "node:test";
import type { Random } from "../sim/random.js";

const unlinkFile = unlink;

type Write = (
  this: FileHandle,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<{ readonly bytesWritten: number; readonly buffer: Buffer }>;

interface Range {
  readonly from: number;
  readonly to: number;
}

/** Kinds of file systems, as statfs(2) calls them: one on which writes go through, and one of which that is not known. */
const EXT4 = 0xef53;
const UNKNOWN = 0;

/** The bytes of files, by their names. */
export type Image = ReadonlyMap<string, Buffer>;

export class FaultyDisk {
  readonly #random: Random;
  /** By file: how many bytes are durable, and which of them are not for all that. */
  readonly #synced = new Map<string, number>();
  readonly #poisoned = new Map<string, Range[]>();
  /** Whether a file is open to write through to the disk. */
  readonly #through = new WeakMap<FileHandle, boolean>();
  /** Whether writes through to the disk are known to work; undefined = by chance. */
  writesThrough: boolean | undefined;
  #mayFail = false;
  #isDead = false;
  #doSyncsFail = false;
  #turnsMax = 0;
  #room: { readonly directory: string; readonly bytes: number } | undefined;

  private constructor(random: Random) {
    this.#random = random;
  }

  /** @param anyFile something that can be opened, to get hold of what all open files have in common */
  static async begin(random: Random, anyFile: string): Promise<FaultyDisk> {
    const handle = await open(anyFile, "r");
    await handle.close();
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    const disk = new FaultyDisk(random);
    const write = Reflect.get(prototype, "write") as unknown as Write;
    const datasync = Reflect.get(prototype, "datasync");
    const cut = Reflect.get(prototype, "truncate");
    const partly: Write = async function (this: FileHandle, buffer, offset, length, position) {
      await disk.#dawdle();
      if (!(await disk.#hasRoomFor(length))) throw failure("ENOSPC");
      const isFailing = disk.#fails(0.5) || (disk.#doSyncsFail && disk.#goesThrough(this));
      const most = isFailing || random.chance(0.2) ? random.below(length + 1) : length;
      const part = isFailing ? most : Math.max(most, 1);
      if (part > 0) await write.call(this, buffer, offset, part, position);
      disk.#handleWritten(this, await this.stat(), { from: position, to: position + part }, isFailing);
      await disk.#dawdle();
      if (isFailing) throw failure(random.chance(0.5) ? "ENOSPC" : "EIO");
      return { bytesWritten: part, buffer };
    };
    mock.method(prototype, "write", partly as unknown as FileHandle["write"]);
    mock.method(prototype, "datasync", async function (this: FileHandle) {
      await disk.#dawdle();
      const { id, size } = identityOf(await this.stat());
      if (disk.#fails(0.5) || disk.#doSyncsFail) {
        disk.#poison(id, { from: disk.#synced.get(id) ?? 0, to: size });
        throw failure(random.chance(0.2) ? "ENOSPC" : "EIO");
      }
      await datasync.call(this);
      disk.#synced.set(id, size);
      await disk.#dawdle();
    });
    mock.method(prototype, "truncate", async function (this: FileHandle, length?: number) {
      await disk.#dawdle();
      if (disk.#fails(0.3)) throw failure("EIO");
      await cut.call(this, length);
      disk.#cure(identityOf(await this.stat()).id, length ?? 0, Infinity);
    });
    const askAbout = statfs;
    mock.method(fs, "statfs", async (path: string) => {
      const { bavail, bsize } = await askAbout(path);
      return { bavail, bsize, type: (disk.writesThrough ?? random.chance(0.5)) ? EXT4 : UNKNOWN };
    });
    syncBuiltinESMExports();
    return disk;
  }

  end(): void {
    mock.reset();
    syncBuiltinESMExports();
  }

  /** Whoever asks how much room there is hears from now on that there is next to none. */
  seemFull(): void {
    mock.method(fs, "statfs", () => Promise.resolve({ bavail: 0, bsize: 4_096 }));
    syncBuiltinESMExports();
  }

  /** Each call takes up to so many turns of the event loop before it has its effect, and as many after it. */
  set turnsMax(turnsMax: number) {
    this.#turnsMax = turnsMax;
  }

  /** Calls back before a file is removed, which waits for it. */
  onUnlink(listener: (path: string) => void): void {
    mock.method(fs, "unlink", async (path: string) => {
      await this.#dawdle();
      if (this.#isDead) throw failure("EIO");
      listener(path);
      await unlinkFile(path);
      await this.#dawdle();
    });
    syncBuiltinESMExports();
  }

  /**
   * What is in a directory at this moment: all that can be read, or what is certain to be there after a loss of power.
   * @param without a file that is left out
   */
  imageOf(directory: string, isPowerLost: boolean, without: string): Image {
    const image = new Map<string, Buffer>();
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (path === without) continue;
      const { id } = identityOf(statSync(path));
      const bytes = readFileSync(path);
      if (!isPowerLost) image.set(name, bytes);
      else {
        this.#losePoisoned(bytes, id);
        image.set(name, bytes.subarray(0, this.#synced.get(id) ?? 0));
      }
    }
    return image;
  }

  /** Calls may fail from now on. */
  set mayFail(mayFail: boolean) {
    this.#mayFail = mayFail;
  }

  /** All syncs fail from now on, and all writes through to the disk. */
  set doSyncsFail(doSyncsFail: boolean) {
    this.#doSyncsFail = doSyncsFail;
  }

  /** The files of a directory have so many bytes of room together. */
  setRoom(directory: string, bytes: number): void {
    this.#room = { directory, bytes };
  }

  /** From now on the process is as good as ended: nothing that it does has an effect. */
  set isDead(isDead: boolean) {
    this.#isDead = isDead;
  }

  /** Of what is not durable, pages are there or not, as it comes; a file that never was may be gone. */
  async cutPower(directory: string): Promise<void> {
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      const { id, size } = identityOf(await stat(path));
      const synced = this.#synced.get(id);
      if (synced === undefined && this.#random.chance(0.5)) {
        await unlink(path);
        continue;
      }
      const bytes = await readFile(path);
      this.#losePoisoned(bytes, id);
      await writeFile(path, bytes);
      this.#poisoned.delete(id);
      await this.#tear(path, Math.min(synced ?? 0, size), size);
    }
  }

  async #dawdle(): Promise<void> {
    for (let turns = this.#random.below(this.#turnsMax + 1); turns > 0; turns -= 1) await setImmediate();
  }

  /** A write through to the disk has no effect on what was written before it in another way. */
  #handleWritten(handle: FileHandle, stats: Stats, { from, to }: Range, isFailing: boolean): void {
    const { id } = identityOf(stats);
    this.#cure(id, from, to);
    if (!this.#goesThrough(handle) || from === to) return;
    const synced = this.#synced.get(id) ?? 0;
    if (isFailing) this.#poison(id, { from, to });
    else if (from <= synced) this.#synced.set(id, Math.max(synced, to));
  }

  /** This is lost without a word. */
  #poison(id: string, range: Range): void {
    this.#poisoned.set(id, [...(this.#poisoned.get(id) ?? []), range]);
  }

  /** What was lost without a word is overwritten, or cut off. */
  #cure(id: string, from: number, to: number): void {
    const lost = this.#poisoned.get(id) ?? [];
    const left = lost.flatMap((range) => [
      { from: range.from, to: Math.min(range.to, from) },
      { from: Math.max(range.from, to), to: range.to },
    ]);
    this.#poisoned.set(
      id,
      left.filter((range) => range.from < range.to),
    );
  }

  #goesThrough(handle: FileHandle): boolean {
    let isThrough = this.#through.get(handle);
    if (isThrough === undefined) {
      const [, flags = ""] =
        /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${String(handle.fd)}`, "utf8")) ?? [];
      isThrough = (Number.parseInt(flags, 8) & constants.O_DSYNC) !== 0;
      this.#through.set(handle, isThrough);
    }
    return isThrough;
  }

  #losePoisoned(bytes: Buffer, id: string): void {
    for (const { from, to } of this.#poisoned.get(id) ?? [])
      bytes.fill(0, Math.min(from, bytes.length), Math.min(to, bytes.length));
  }

  async #tear(path: string, synced: number, size: number): Promise<void> {
    const end = synced + this.#random.below(size - synced + 1);
    const bytes = await readFile(path);
    for (let page = synced; page < size; page = (Math.floor(page / 4096) + 1) * 4096) {
      if (this.#random.chance(0.3)) bytes.fill(0, page, Math.min(size, (Math.floor(page / 4096) + 1) * 4096));
    }
    await writeFile(path, bytes);
    if (this.#random.chance(0.5)) await truncate(path, end);
    // What is there after the power is back is on the disk.
    const { id, size: left } = identityOf(await stat(path));
    this.#synced.set(id, left);
  }

  async #hasRoomFor(length: number): Promise<boolean> {
    if (this.#room === undefined) return true;
    const { directory, bytes } = this.#room;
    const files = await Promise.all(
      (await readdir(directory)).map(async (name) => stat(join(directory, name)).catch(() => undefined)),
    );
    return files.reduce((sum, file) => sum + (file?.size ?? 0), length) <= bytes;
  }

  #fails(probability: number): boolean {
    if (this.#isDead) throw failure("EIO");
    return this.#mayFail && this.#random.chance(probability);
  }
}

/** The number of an inode is used again when its file is gone. */
function identityOf({ ino, birthtimeMs, size }: Stats): { readonly id: string; readonly size: number } {
  return { id: `${String(ino)} ${String(birthtimeMs)}`, size };
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: made to fail`), { code });
}
