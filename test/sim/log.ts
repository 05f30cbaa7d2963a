/** What happened, a line an event. Always hashed, so that two runs can be compared; kept only when asked. */
import { createHash } from "node:crypto";

export class Log {
  readonly #hash = createHash("sha256");
  readonly #print: ((line: string) => void) | undefined;
  #lines = 0;
  #pending: string[] = [];

  /** @param print gets each line as it comes; undefined = lines are only hashed */
  constructor(print?: (line: string) => void) {
    this.#print = print;
  }

  get lines(): number {
    return this.#lines;
  }

  add(nowMs: number, who: string, what: string): void {
    const line = `${nowMs.toFixed(3)} ${who} ${what}`;
    this.#lines += 1;
    this.#print?.(line);
    this.#pending.push(line);
    if (this.#pending.length >= 256) this.#drain();
  }

  /** SHA-256 of all lines. To be called once, at the end. */
  digest(): string {
    this.#drain();
    return this.#hash.digest("hex");
  }

  #drain(): void {
    for (const line of this.#pending) this.#hash.update(line).update("\n");
    this.#pending = [];
  }
}
