import { open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const PERIOD_MS = 10;

/**
 * How long a process on this machine may have to wait for its turn: how late timers are, and how long a write to a file
 * takes, which also is a turn of another thread.
 */
class Turns {
  #isWatching = false;
  #longestMs = 0;

  /** The longest that it was since the watch began. */
  get longestMs(): number {
    return this.#longestMs;
  }

  /** Begins, once, and goes on as long as the process has something to do. */
  watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    void this.#watch();
  }

  async #watch(): Promise<void> {
    const name = path.join(tmpdir(), `lankv-turns-${String(performance.timeOrigin)}`);
    const file = await open(name, "wx");
    try {
      await unlink(name);
      while (this.#isWatching) {
        const begunAtMs = performance.now();
        await pause(PERIOD_MS, undefined, { ref: false });
        await file.write("x", 0);
        this.#longestMs = Math.max(this.#longestMs, performance.now() - begunAtMs - PERIOD_MS);
      }
    } finally {
      await file.close();
    }
  }
}

export const turns = new Turns();
