/**
 * Room that is kept for cleaning when the disk has none: a file of zeros, as long as a segment.
 *
 * To free a file whose records partly count, these have to be appended elsewhere first. When other programs have filled the
 * disk and every segment holds something that counts, there is no room for that, and the log could never shrink again. So
 * the file is made while there is room, and becomes a segment under another name when there is none: its blocks are written over,
 * so that nobody can take the room away in between, as they could if it were removed. The zeros behind what is written
 * mean nothing to who reads a segment.
 */
import { open, rename, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** Written at once. */
const GROW_BYTES = 262_144;

export class Reserve {
  readonly #path: string;
  /** Undefined = what there is was not looked at yet. */
  #bytes: number | undefined;
  /** Undefined = it does not grow in the background. */
  #growing: Promise<void> | undefined;
  #isToRest = false;

  /** @param path on the file system of the segments */
  constructor(path: string) {
    this.#path = path;
  }

  /** How much is kept. */
  get bytes(): number {
    return this.#bytes ?? 0;
  }

  /** Whether it is known to be as long as it should be. */
  isLongEnough(bytesWanted: number): boolean {
    return this.bytes >= bytesWanted;
  }

  /** Makes it as long as it should be, in the background, where nothing that is saved has to wait for it. */
  begin(bytesWanted: number, leave: number): void {
    this.#growing ??= this.#growAll(bytesWanted, leave).finally(() => (this.#growing = undefined));
  }

  /** Waits until it does not grow in the background any more. */
  async rest(): Promise<void> {
    this.#isToRest = true;
    await this.#growing;
    this.#isToRest = false;
  }

  /**
   * Makes it a piece longer, while it is shorter than it should be. Not while it grows in the background.
   * @param leave bytes that have to be free afterwards
   * @returns whether it may need another piece; not when the disk has no room for one
   */
  async grow(bytesWanted: number, leave: number): Promise<boolean> {
    this.#bytes ??= await stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    );
    const piece = Math.min(GROW_BYTES, bytesWanted - this.#bytes);
    if (piece <= 0) return false;
    try {
      const { bavail, bsize } = await statfs(dirname(this.#path));
      if (bavail * bsize < piece + leave) return false;
      await this.#append(piece);
      return true;
    } catch {
      // Full or failing, which the next save tells; what was written so far is looked at again.
      this.#bytes = undefined;
      return false;
    }
  }

  /**
   * Makes it a file of another name, with all its room.
   * @throws an error of the system
   */
  async become(path: string): Promise<void> {
    await this.rest();
    this.#bytes = undefined;
    await rename(this.#path, path);
  }

  async #growAll(bytesWanted: number, leave: number): Promise<void> {
    while (!this.#isToRest && (await this.grow(bytesWanted, leave)));
  }

  async #append(bytes: number): Promise<void> {
    const from = this.bytes;
    const handle = await open(this.#path, "a", 0o600);
    try {
      const zeros = Buffer.alloc(bytes);
      for (let done = 0; done < bytes;) {
        const { bytesWritten } = await handle.write(zeros, done, bytes - done, from + done);
        if (bytesWritten === 0) throw new Error("nothing could be written");
        done += bytesWritten;
      }
    } finally {
      await handle.close();
    }
    this.#bytes = from + bytes;
  }
}
