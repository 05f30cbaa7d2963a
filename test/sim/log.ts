/** What happened, a line an event: hashed, so that two runs can be compared, or printed, or both, or not even made. */
import { createHash, type Hash } from "node:crypto";

export class Log {
  readonly #hash: Hash | undefined;
  readonly #print: ((line: string) => void) | undefined;
  #lines = 0;
  #pending: string[] = [];

  /**
   * @param isHashed whether there is to be a digest
   * @param print gets each line as it comes; undefined = nobody does
   */
  constructor(isHashed: boolean, print?: (line: string) => void) {
    this.#hash = isHashed ? createHash("sha256") : undefined;
    this.#print = print;
  }

  /** Whether anybody wants lines. Making them takes a tenth of the time of a run. */
  get isWanted(): boolean {
    return this.#hash !== undefined || this.#print !== undefined;
  }

  get lines(): number {
    return this.#lines;
  }

  add(nowMs: number, who: string, what: string): void {
    if (!this.isWanted) return;
    const line = `${nowMs.toFixed(3)} ${who} ${what}`;
    this.#lines += 1;
    this.#print?.(line);
    if (this.#hash === undefined) return;
    this.#pending.push(line);
    if (this.#pending.length >= 256) this.#drain();
  }

  /** SHA-256 of all lines; undefined when they were not hashed. To be called once, at the end. */
  digest(): string | undefined {
    this.#drain();
    return this.#hash?.digest("hex");
  }

  #drain(): void {
    for (const line of this.#pending) this.#hash?.update(`${line}\n`);
    this.#pending = [];
  }
}
