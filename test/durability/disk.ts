/**
 * A disk that can lose power: what a trace of system calls may have left on it at any moment.
 *
 * Certain is what was synced: the bytes of a file that were written before an fsync or fdatasync of it began that has ended,
 * those of a write that has ended through a descriptor that was opened with O_DSYNC, and no others,
 * and the names of a directory that were changed before an fsync of that directory. Everything else is open, and a seed
 * decides it in one of two ways:
 *
 * - `ordered`, as a journaling file system does it (ext4, data=ordered): changes of names survive up to a moment, in their
 *   order. Of each file the unsynced bytes survive up to a place, at the boundary of a sector.
 * - `harsh`, more than any file system in use would do: each change of names survives or does not, by itself. Of
 *   unsynced bytes each sector is new, or old, or holds what some other file once had there, or noise; the size
 *   is any between.
 *
 * In both, a sector is written as a whole or not at all, and synced bytes are never harmed.
 */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Random } from "../sim/random.js";
import { stringsOf, type Call, type TraceEvent } from "./trace.js";

export type Loss = "ordered" | "harsh";

const SECTOR_BYTES = 512;
/** How much of the past is kept to be found where nothing was written. */
const STALE_MAX = 256;
const STALE_BYTES_MAX = 8 * SECTOR_BYTES;

interface Change {
  readonly call: Call;
  /** Where bytes go; a truncation: the size. */
  readonly offset: number;
  /** Undefined = a truncation. */
  readonly bytes: Buffer | undefined;
}

/** Bytes that grow and shrink in place. */
class Content {
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  change({ offset, bytes }: Change): void {
    const end = offset + (bytes?.length ?? 0);
    if (end > this.#bytes.length) {
      const longer = Buffer.alloc(2 * end);
      this.bytes.copy(longer);
      this.#bytes = longer;
    }
    if (bytes === undefined) {
      this.#bytes.fill(0, Math.min(end, this.#length));
      this.#length = end;
    } else {
      bytes.copy(this.#bytes, offset);
      this.#length = Math.max(this.#length, end);
    }
  }

  set(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#length = bytes.length;
  }

  copy(): Content {
    const copy = new Content();
    copy.#bytes = Buffer.from(this.#bytes);
    copy.#length = this.#length;
    return copy;
  }
}

class File {
  readonly synced = new Content();
  unsynced: Change[] = [];
  /** As the process sees it. */
  size = 0;

  /** Durably. */
  hold(bytes: Buffer): void {
    this.synced.set(bytes);
    this.size = bytes.length;
  }
}

class Directory {
  synced = new Map<string, File | Directory>();
  names = new Map<string, File | Directory>();
}

/** A change of names, in one directory or, a rename, in two. */
interface Naming {
  readonly call: Call;
  readonly directory: Directory;
  /** What gets or loses the name. */
  readonly entry: File | Directory;
  /** The name that goes. */
  readonly from: string | undefined;
  /** The name that comes. */
  readonly to: string | undefined;
}

interface Opened {
  readonly entry: File | Directory;
  readonly isAppending: boolean;
  /** Each write makes its own bytes durable. */
  readonly isThrough: boolean;
  position: number;
}

export class Disk {
  readonly #rootPath: string;
  readonly #root = new Directory();
  readonly #opened = new Map<number, Opened>();
  readonly #ended = new WeakSet<Call>();
  readonly #syncing = new Map<Call, { file?: readonly Change[]; naming?: readonly Naming[] }>();
  #naming: Naming[] = [];
  /** Synced sectors of the past, for those that a disk did not write. */
  #stale: Buffer[] = [];

  /** @param rootPath what the process does elsewhere does not count */
  private constructor(rootPath: string) {
    this.#rootPath = rootPath;
  }

  /** A disk that holds, durably, what is now in another directory. */
  static of(rootPath: string, contents: string): Disk {
    const disk = new Disk(rootPath);
    const fill = (directory: Directory, at: string): void => {
      for (const item of readdirSync(at, { withFileTypes: true })) {
        if (!item.isDirectory() && !item.isFile()) continue;
        const entry = item.isDirectory() ? new Directory() : new File();
        if (entry instanceof Directory) fill(entry, path.join(at, item.name));
        else entry.hold(readFileSync(path.join(at, item.name)));
        directory.names.set(item.name, entry);
        directory.synced.set(item.name, entry);
      }
    };
    fill(disk.#root, contents);
    return disk;
  }

  /** The process has ended; what it wrote is where it was. */
  endProcess(): void {
    this.#opened.clear();
    this.#syncing.clear();
  }

  apply({ is, call }: TraceEvent): void {
    if (is === "begin") this.#begin(call);
    else this.#end(call);
  }

  /** Writes into a directory what may be there after a loss of power now. */
  rebuild(into: string, loss: Loss, random: Random): void {
    const survives = this.#survivingNames(loss, random);
    const names = new Map<Directory, Map<string, File | Directory>>();
    const namesOf = (directory: Directory): Map<string, File | Directory> => {
      const own = names.get(directory) ?? new Map(directory.synced);
      names.set(directory, own);
      return own;
    };
    for (const change of survives) rename(namesOf(change.directory), change);
    const write = (directory: Directory, at: string): void => {
      mkdirSync(at, { recursive: true });
      for (const [name, entry] of namesOf(directory)) {
        if (entry instanceof Directory) write(entry, path.join(at, name));
        else writeFileSync(path.join(at, name), this.#content(entry, loss, random));
      }
    };
    write(this.#root, into);
  }

  #begin(call: Call): void {
    switch (call.name) {
      case "close":
        this.#opened.delete(call.fd);
        return;
      case "write":
      case "writev":
      case "pwrite64":
      case "pwritev":
      case "pwritev2":
        this.#write(call);
        return;
      case "ftruncate":
        this.#truncate(call);
        return;
      case "fdatasync":
      case "fsync":
        this.#beginSync(call);
        return;
      case "rename":
      case "renameat":
      case "renameat2":
      case "unlink":
      case "unlinkat":
      case "mkdir":
      case "mkdirat":
      case "rmdir":
        this.#changeNames(call);
        return;
      case "open":
      case "openat":
        // What it does is known when it has ended; nothing else can use the file before.
        return;
      default:
        assert(!this.#concerns(call), `no model of ${call.name}(${call.text.slice(0, 200)}`);
    }
  }

  #end(call: Call): void {
    this.#ended.add(call);
    if (call.name === "openat" || call.name === "open") this.#open(call);
    if (call.result === undefined || call.result < 0) {
      if (call.name.startsWith("rename") || call.name.startsWith("unlink") || call.name.endsWith("dir"))
        this.#undoNaming(call);
      this.#syncing.delete(call);
      return;
    }
    const opened = this.#opened.get(call.fd);
    const covered = this.#syncing.get(call);
    this.#syncing.delete(call);
    if (covered?.file !== undefined && opened?.entry instanceof File)
      this.#endSync(opened.entry, covered.file);
    if (covered?.naming !== undefined) this.#endNaming(covered.naming);
    if (!isWriting(call) || !(opened?.entry instanceof File)) return;
    const file = opened.entry;
    this.#cutShort(file, call, call.result);
    if (opened.isThrough)
      this.#endSync(
        file,
        file.unsynced.filter((change) => change.call === call),
      );
  }

  #open(call: Call): void {
    const at = this.#place(stringsOf(call)[0]);
    if (at === undefined || call.result === undefined || call.result < 0) return;
    const { directory, name } = at;
    let entry = name === "" ? directory : directory.names.get(name);
    if (entry === undefined) {
      if (call.text.includes("O_RDONLY") && !call.text.includes("O_CREAT")) return;
      entry = new File();
      directory.names.set(name, entry);
      this.#naming.push({ call, directory, entry, from: undefined, to: name });
    } else if (entry instanceof File && call.text.includes("O_TRUNC")) {
      entry.unsynced.push({ call, offset: 0, bytes: undefined });
      entry.size = 0;
    }
    const isThrough = /O_D?SYNC/.test(call.text);
    const isAppending = call.text.includes("O_APPEND");
    this.#opened.set(call.result, { entry, isAppending, isThrough, position: 0 });
  }

  #write(call: Call): void {
    const opened = this.#opened.get(call.fd);
    if (!(opened?.entry instanceof File)) return;
    const file = opened.entry;
    const bytes = Buffer.concat(stringsOf(call));
    const isPlaced = call.name.startsWith("pwrite");
    const given = /, (\d+)(?:\)|,? <unfinished| *$)/.exec(call.text.slice(-60))?.[1];
    const offset = opened.isAppending ? file.size : isPlaced ? Number(given) : opened.position;
    assert(Number.isSafeInteger(offset), `${call.name} has an offset: ${call.text.slice(-60)}`);
    if (!isPlaced) opened.position = offset + bytes.length;
    file.unsynced.push({ call, offset, bytes });
    file.size = Math.max(file.size, offset + bytes.length);
  }

  /** A call wrote less than it was asked to. */
  #cutShort(file: File, call: Call, length: number): void {
    file.unsynced = file.unsynced.map((change) =>
      change.call === call && change.bytes !== undefined && change.bytes.length > length
        ? { ...change, bytes: change.bytes.subarray(0, length) }
        : change,
    );
    const ends = file.unsynced.map(({ offset, bytes }) => offset + (bytes?.length ?? 0));
    if (file.unsynced.some((change) => change.call === call))
      file.size = Math.max(file.synced.length, ...ends);
  }

  #truncate(call: Call): void {
    const opened = this.#opened.get(call.fd);
    if (!(opened?.entry instanceof File)) return;
    const size = Number(/, (\d+)/.exec(call.text)?.[1]);
    opened.entry.unsynced.push({ call, offset: size, bytes: undefined });
    opened.entry.size = size;
  }

  #beginSync(call: Call): void {
    const entry = this.#opened.get(call.fd)?.entry;
    if (entry instanceof File)
      this.#syncing.set(call, { file: entry.unsynced.filter((change) => this.#ended.has(change.call)) });
    if (entry instanceof Directory) {
      const naming = this.#naming.filter((change) => change.directory === entry);
      this.#syncing.set(call, { naming: naming.filter((change) => this.#ended.has(change.call)) });
    }
  }

  #endSync(file: File, covered: readonly Change[]): void {
    if (this.#stale.length < STALE_MAX && file.synced.length >= SECTOR_BYTES)
      this.#stale.push(Buffer.from(file.synced.bytes.subarray(0, STALE_BYTES_MAX)));
    for (const change of covered) file.synced.change(change);
    file.unsynced = file.unsynced.filter((change) => !covered.includes(change));
  }

  #changeNames(call: Call): void {
    const paths = stringsOf(call);
    const first = this.#place(paths[0]);
    if (call.name.startsWith("rename")) {
      const second = this.#place(paths[1]);
      const entry = first?.directory.names.get(first.name);
      if (first === undefined || second === undefined || entry === undefined) return;
      assert.equal(first.directory, second.directory, "no model of a rename from one directory to another");
      this.#change({ call, directory: first.directory, entry, from: first.name, to: second.name });
      return;
    }
    if (first === undefined) return;
    const { directory, name } = first;
    if (call.name.startsWith("mkdir")) {
      if (!directory.names.has(name))
        this.#change({ call, directory, entry: new Directory(), from: undefined, to: name });
      return;
    }
    const entry = directory.names.get(name);
    if (entry !== undefined) this.#change({ call, directory, entry, from: name, to: undefined });
  }

  #change(change: Naming): void {
    rename(change.directory.names, change);
    this.#naming.push(change);
  }

  /** A call that failed has changed nothing. */
  #undoNaming(call: Call): void {
    const change = this.#naming.find((one) => one.call === call);
    if (change === undefined) return;
    this.#naming = this.#naming.filter((one) => one !== change);
    rename(change.directory.names, { ...change, from: change.to, to: change.from });
  }

  #endNaming(covered: readonly Naming[]): void {
    for (const change of covered) rename(change.directory.synced, change);
    this.#naming = this.#naming.filter((change) => !covered.includes(change));
  }

  #survivingNames(loss: Loss, random: Random): Naming[] {
    if (loss === "harsh") {
      // Extremes are likelier than chance alone would make them.
      const share = random.pick([0, 0.5, 0.5, 1]) ?? 0.5;
      return this.#naming.filter(() => random.chance(share));
    }
    return this.#naming.slice(0, random.wholeBetween(0, this.#naming.length));
  }

  #content(file: File, loss: Loss, random: Random): Buffer {
    return loss === "harsh" ? this.#harshContent(file, random) : orderedContent(file, random);
  }

  #harshContent(file: File, random: Random): Buffer {
    const share = random.pick([0, 0.2, 0.5, 0.8, 1]) ?? 0.5;
    const isDirty = random.chance(0.5);
    const content = file.synced.copy();
    let least = content.length;
    for (const change of file.unsynced) {
      if (change.bytes === undefined) {
        if (!random.chance(share)) continue;
        content.change(change);
        least = Math.min(least, content.length);
        continue;
      }
      for (const piece of sectors(change)) {
        if (random.chance(share)) content.change(piece);
        else if (isDirty && piece.offset >= content.length && random.chance(0.5))
          content.change({ ...piece, bytes: this.#dirt(piece.bytes?.length ?? 0, random) });
      }
    }
    const size = random.chance(0.5) ? content.length : random.wholeBetween(least, content.length);
    return content.bytes.subarray(0, size);
  }

  /** What was on the disk before, or noise. */
  #dirt(length: number, random: Random): Buffer {
    const stale = random.chance(0.7) ? random.pick(this.#stale) : undefined;
    if (stale === undefined || stale.length < length) return random.bytes(length);
    const from = SECTOR_BYTES * random.below(Math.floor((stale.length - length) / SECTOR_BYTES) + 1);
    return stale.subarray(from, from + length);
  }

  #concerns(call: Call): boolean {
    if (call.name === "io_uring_setup") return true;
    if (this.#opened.has(call.fd)) return true;
    return stringsOf(call).some((bytes) => bytes.toString().startsWith(`${this.#rootPath}/`));
  }

  /** The directory of a path, and the name in it, "" for the root; undefined when it is not on this disk. */
  #place(bytes: Buffer | undefined): { directory: Directory; name: string } | undefined {
    const given = bytes?.toString();
    if (given === this.#rootPath) return { directory: this.#root, name: "" };
    if (given?.startsWith(`${this.#rootPath}/`) !== true) return undefined;
    const parts = path.relative(this.#rootPath, given).split("/");
    let directory = this.#root;
    for (const part of parts.slice(0, -1)) {
      const next = directory.names.get(part);
      if (!(next instanceof Directory)) return undefined;
      directory = next;
    }
    const name = parts.at(-1) ?? "";
    return { directory, name };
  }
}

function isWriting(call: Call): boolean {
  return call.name.startsWith("write") || call.name.startsWith("pwrite");
}

function rename(names: Map<string, File | Directory>, { entry, from, to }: Naming): void {
  if (from !== undefined) {
    // An earlier change did not survive, and so this one has nothing to change.
    if (names.get(from) !== entry) return;
    names.delete(from);
  }
  if (to !== undefined) names.set(to, entry);
}

function sectors({ call, offset, bytes = Buffer.alloc(0) }: Change): Change[] {
  const pieces: Change[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + SECTOR_BYTES - ((offset + from) % SECTOR_BYTES));
    pieces.push({ call, offset: offset + from, bytes: bytes.subarray(from, to) });
    from = to;
  }
  return pieces;
}

function orderedContent(file: File, random: Random): Buffer {
  const pieces = file.unsynced.flatMap((change) => (change.bytes === undefined ? [change] : sectors(change)));
  const survive = pieces.slice(0, random.chance(0.2) ? pieces.length : random.wholeBetween(0, pieces.length));
  const content = file.synced.copy();
  for (const piece of survive) content.change(piece);
  return content.bytes;
}
