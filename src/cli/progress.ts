/** A line on a terminal that counts. */
import type { GlobalFlags } from "./flags.js";

const DRAW_EVERY_MS = 100;

export class Progress {
  readonly #verb: string;
  readonly #total: number | undefined;
  readonly #isShown: boolean;
  #done = 0;
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

  end(): void {
    if (!this.#isShown) return;
    this.#draw();
    process.stderr.write("\n");
  }

  #draw(): void {
    const of = this.#total === undefined ? "" : ` of ${this.#total.toLocaleString("en")}`;
    process.stderr.write(`\r${this.#verb} ${this.#done.toLocaleString("en")}${of} keys`);
  }
}
