/** A line on a terminal that counts. */
import type { GlobalFlags } from "./flags.js";

const DRAW_EVERY_MS = 100;

export class Progress {
  readonly #verb: string;
  readonly #total: number | undefined;
  readonly #isShown: boolean;
  #done = 0;
  #share: number | undefined;
  #drawnAtMs = 0;

  /**
   * @param verb what happened to the keys, such as "imported"
   * @param total undefined when it is not known
   */
  constructor(verb: string, total: number | undefined, { quiet }: GlobalFlags) {
    this.#verb = verb;
    this.#total = total;
    this.#isShown = process.stderr.isTTY && quiet !== true;
  }

  get done(): number {
    return this.#done;
  }

  add(count: number): void {
    this.#done += count;
    if (!this.#isShown || performance.now() - this.#drawnAtMs < DRAW_EVERY_MS) return;
    this.#drawnAtMs = performance.now();
    this.#draw();
  }

  /**
   * Shows a count and how far that is.
   * @param share 0 to 1
   */
  show(done: number, share: number): void {
    this.#share = share;
    this.add(done - this.#done);
  }

  end(): void {
    if (!this.#isShown) return;
    this.#draw();
    process.stderr.write("\n");
  }

  #draw(): void {
    const of = this.#total === undefined ? "" : ` of ${this.#total.toLocaleString("en")}`;
    const share = this.#share === undefined ? "" : ` (${String(Math.floor(this.#share * 100))} %)`;
    process.stderr.write(`\r${this.#verb} ${this.#done.toLocaleString("en")}${of} keys${share}`);
  }
}
