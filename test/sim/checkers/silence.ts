/** Invariant 6: with equal roots and no writes, nothing but beacons and ticks is sent. */
import { Violation, type Checker, type Published } from "../checker.js";

/** How long after all copies are equal the last answers may take, and mending connections that only seem to work. */
export const SETTLE_MS = 8_000;
/** How long after that everybody waits for receipts. */
export const LOOK_BACK_MS = 4_000;

export class SilenceChecker implements Checker {
  readonly name = "silence";
  #fromMs = Infinity;

  converged({ atMs }: { readonly atMs: number }): void {
    this.#fromMs = atMs + SETTLE_MS + LOOK_BACK_MS;
  }

  published({ process, message, atMs }: Published): void {
    if (atMs < this.#fromMs || message.type === "tick") return;
    throw new Violation(this.name, `${process.name} sent a ${message.type} though all copies are equal`);
  }
}
