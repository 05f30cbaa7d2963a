import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { system } from "./isolated.js";

const FILLER = "filler";

/** A real file system of few megabytes, that can be filled up and made read-only. */
export class SmallDisk implements Disposable {
  readonly path: string;

  constructor(directory: string, megabytes: number) {
    this.path = path.join(directory, "small");
    mkdirSync(this.path);
    system("mount", "-t", "tmpfs", "-o", `size=${String(megabytes)}m`, "tmpfs", this.path);
  }

  /** Leaves no room. */
  fill(): void {
    const filler = openSync(path.join(this.path, FILLER), "a");
    try {
      for (const bytes of [1_048_576, 4_096]) {
        const chunk = Buffer.alloc(bytes);
        // A disk that is full takes a part, or nothing.
        for (let written = bytes; written === bytes;) written = writeSome(filler, chunk);
      }
    } finally {
      closeSync(filler);
    }
  }

  makeRoom(): void {
    rmSync(path.join(this.path, FILLER));
  }

  makeReadOnly(): void {
    system("mount", "-o", "remount,ro", this.path);
  }

  [Symbol.dispose](): void {
    system("umount", "--lazy", this.path);
  }
}

function writeSome(file: number, chunk: Buffer): number {
  try {
    return writeSync(file, chunk);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOSPC") return 0;
    throw error;
  }
}
