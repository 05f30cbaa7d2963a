/**
 * MULTI and WATCH of one connection: the commands that wait for EXEC, and the keys that must not have changed by then.
 *
 * A watched key is compared when EXEC comes, by the version of its last write and by whether it can be read. So a
 * write of another node counts as one of this node does, and so does the end of a key's life; nothing has to be told
 * of writes.
 */
import type { Bytes } from "../core/bytes.js";
import { compareVersions, type Version } from "../core/version.js";
import type { Keyspace } from "./keyspace.js";

/** Most commands that one transaction has. */
export const QUEUED_MAX = 65_536;
/** Bytes of their arguments, and of the keys that one connection watches. */
export const QUEUED_BYTES_MAX = 64 * 1_048_576;
/** Most keys that one connection watches. */
export const WATCHED_MAX = 65_536;
/** What a command, an argument or a key takes besides its bytes. */
const ITEM_BYTES = 64;

/** A key as it was when it was watched. Of its record only the version is kept, and not its value. */
interface Watched {
  /** Undefined when nothing was ever known of the key. */
  readonly version: Version | undefined;
  readonly isReadable: boolean;
}

/** @typeParam Queued a command that waits for EXEC */
export class Transaction<Queued> {
  #queue: Queued[] | undefined;
  #queueBytes = 0;
  #isSpoilt = false;
  readonly #watched = new Map<Bytes, Watched>();
  #watchedBytes = 0;

  /** Between MULTI and EXEC or DISCARD. */
  get isOpen(): boolean {
    return this.#queue !== undefined;
  }

  /** How many commands wait; -1 outside of a transaction. */
  get length(): number {
    return this.#queue?.length ?? -1;
  }

  /** What the commands and the watched keys hold. */
  get bytes(): number {
    return this.#queueBytes + this.#watchedBytes;
  }

  open(): void {
    this.#queue = [];
  }

  /** @throws {RangeError} no more commands, or bytes, may wait: the transaction is spoilt */
  push(queued: Queued, args: readonly Bytes[]): void {
    if (this.#queue === undefined || this.#isSpoilt) return;
    let bytes = ITEM_BYTES;
    for (const arg of args) bytes += arg.length + ITEM_BYTES;
    if (this.#queue.length >= QUEUED_MAX) {
      throw new RangeError(`a transaction has at most ${String(QUEUED_MAX)} commands`);
    }
    if (this.#queueBytes + bytes > QUEUED_BYTES_MAX) {
      throw new RangeError(`the commands of a transaction have at most ${String(QUEUED_BYTES_MAX)} bytes`);
    }
    this.#queue.push(queued);
    this.#queueBytes += bytes;
  }

  /** A command was refused while others wait: EXEC will carry out none of them. */
  spoil(): void {
    if (this.#queue === undefined) return;
    this.#isSpoilt = true;
    this.#queue = [];
    this.#queueBytes = 0;
  }

  /** @throws {RangeError} no more keys may be watched */
  watch(keyspace: Keyspace, key: Bytes): void {
    if (this.#watched.has(key)) return;
    const bytes = key.length + ITEM_BYTES;
    if (this.#watched.size >= WATCHED_MAX || this.#watchedBytes + bytes > QUEUED_BYTES_MAX) {
      throw new RangeError(
        `a connection watches at most ${String(WATCHED_MAX)} keys of ${String(QUEUED_BYTES_MAX)} bytes`,
      );
    }
    const last = keyspace.lastWrite(key);
    this.#watched.set(key, {
      version: last === undefined ? undefined : { stamp: last.stamp, writer: last.writer },
      isReadable: keyspace.get(key) !== undefined,
    });
    this.#watchedBytes += bytes;
  }

  unwatch(): void {
    this.#watched.clear();
    this.#watchedBytes = 0;
  }

  /** Ends it, whatever waits, and forgets the watched keys. */
  close(): void {
    this.#queue = undefined;
    this.#queueBytes = 0;
    this.#isSpoilt = false;
    this.unwatch();
  }

  /**
   * Ends it.
   * @returns the commands to carry out, or why none may be
   */
  take(keyspace: Keyspace): readonly Queued[] | "spoilt" | "changed" {
    const queue = this.#queue ?? [];
    const isSpoilt = this.#isSpoilt;
    const isChanged = [...this.#watched].some(([key, was]) => hasChanged(keyspace, key, was));
    this.close();
    if (isSpoilt) return "spoilt";
    return isChanged ? "changed" : queue;
  }
}

/** A key that had expired by the time of WATCH may be cleared away meanwhile: that leaves its version. */
function hasChanged(keyspace: Keyspace, key: Bytes, was: Watched): boolean {
  if ((keyspace.get(key) !== undefined) !== was.isReadable) return true;
  const now = keyspace.lastWrite(key);
  if (now === undefined) return false;
  return was.version === undefined || compareVersions(now, was.version) !== 0;
}
