/**
 * Opens and removes files for cleaning, and keeps count of those that are out of reach: one of them must not keep the others
 * from being cleaned, and somebody has to be told.
 */
import { open, unlink, type FileHandle } from "node:fs/promises";
import createDebug from "debug";
import type { Stuck } from "./storage.js";

const debug = createDebug("lankv:storage");

export class Reach {
  readonly #stuck = new Map<string, Error>();

  /** Files that could not be opened or removed when that was last tried. */
  get stuck(): readonly Stuck[] {
    return [...this.#stuck].map(([path, cause]) => ({ path, cause }));
  }

  /** @returns `gone` when there is no such file; undefined when it is out of reach for now */
  async open(path: string): Promise<FileHandle | "gone" | undefined> {
    try {
      const handle = await open(path, "r");
      this.#stuck.delete(path);
      return handle;
    } catch (error) {
      return this.#note(path, error) ? undefined : "gone";
    }
  }

  /** What cannot be removed is no part of the log any more, and found by the next start. */
  async remove(path: string): Promise<void> {
    try {
      await unlink(path);
      this.#stuck.delete(path);
    } catch (error) {
      this.#note(path, error);
    }
  }

  /** @returns whether the file is there */
  #note(path: string, error: unknown): boolean {
    if (codeOf(error) === "ENOENT") {
      this.#stuck.delete(path);
      return false;
    }
    debug("%s cannot be cleaned: %O", path, error);
    this.#stuck.set(path, error instanceof Error ? error : new Error(String(error)));
    return true;
  }
}

/** Whether an error of the system says that there is no room. */
export function isFull(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
