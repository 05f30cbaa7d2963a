/** Writes all the time, to whatever node takes it, and remembers what was acknowledged. */
import type { Entry } from "../lan/agreement.js";
import type { Container } from "./container.js";

export class Writer {
  readonly #acknowledged: Entry[] = [];
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(nodes: readonly Container[]) {
    this.#done = this.#run(nodes);
  }

  get count(): number {
    return this.#acknowledged.length;
  }

  /** @returns what was acknowledged */
  async stop(): Promise<readonly Entry[]> {
    this.#isStopped = true;
    await this.#done;
    return this.#acknowledged;
  }

  /** One write at a time, each to the next node: one that is down or does not take it is passed over. */
  async #run(nodes: readonly Container[]): Promise<void> {
    for (let n = 0; !this.#isStopped; n += 1) {
      const entry = [`writer/${String(n)}`, `value ${String(n)}`] as const;
      const taken = await nodes[n % nodes.length]?.set(...entry).then(
        () => true,
        () => false,
      );
      if (taken === true) this.#acknowledged.push(entry);
    }
  }
}
