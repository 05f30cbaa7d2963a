/** What many runs came to. */
import type { RunResult } from "./run.js";
import { Tallies } from "./tallies.js";

/** By the name of the tally, what the durability of a write has to do with. */
const OF_DISKS = {
  "acknowledged as durable": "writes acknowledged as durable",
  crash: "killed processes",
  "process without power": "power cuts",
  "failed sync": "failed syncs",
  "failed save": "saves without room",
  "segments freed": "segments freed by cleaning",
} as const;

export class Survey {
  readonly #tallies = new Tallies();
  readonly #counts = new Map<string, number[]>();
  readonly #convergedMs: number[] = [];
  #simulatedMs = 0;
  #seeds = 0;
  #failures = 0;

  get seeds(): number {
    return this.#seeds;
  }

  get failures(): number {
    return this.#failures;
  }

  add({ failure, tallies, simulatedMs, convergedMs }: RunResult): void {
    this.#seeds += 1;
    if (failure !== undefined) this.#failures += 1;
    this.#tallies.addAll(tallies);
    this.#simulatedMs += simulatedMs;
    if (convergedMs !== undefined) this.#convergedMs.push(convergedMs);
    for (const name of Object.keys(OF_DISKS)) {
      const counts = this.#counts.get(name) ?? [];
      this.#counts.set(name, counts);
      counts.push(tallies.get(name));
    }
  }

  /** How much there was of each so far, in a line. */
  totalsOfDisks(): string {
    return Object.entries(OF_DISKS)
      .map(([name, what]) => `${String(this.#tallies.get(name))} ${what}`)
      .join(", ");
  }

  /** How often a seed met what tries durability, and in how many seeds it was. */
  *ofDisks(): Generator<string, void> {
    for (const [name, what] of Object.entries(OF_DISKS)) {
      const counts = this.#counts.get(name) ?? [];
      const share = counts.filter((count) => count > 0).length / counts.length;
      const [least, few, median, most] = [0, 0.1, 0.5, 1].map((part) => String(quantile(counts, part)));
      yield (
        `${String(this.#tallies.get(name))} ${what}: in ${(100 * share).toFixed(1)} % of the seeds; ` +
        `the least are ${String(least)}, a tenth has ${String(few)} at most, the median is ${String(median)}, the most are ${String(most)}`
      );
    }
  }

  toString(): string {
    const at = (part: number) => String(Math.round(quantile(this.#convergedMs, part)));
    return (
      `${String(this.#seeds - this.#failures)} seeds well, ${String(this.#failures)} failed; ` +
      `${this.#tallies.toString()}; ${(this.#simulatedMs / 3_600_000).toFixed(2)} simulated hours; ` +
      `equal after the heal: median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`
    );
  }
}

/** @param part 0..1 */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
}
