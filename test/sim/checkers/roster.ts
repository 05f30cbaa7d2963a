/**
 * After the heal everybody is live and knows exactly those who are there; no two processes keep one node id; and whoever
 * waited for a key was told the end of it in time.
 */
import type { ReadEffect, ReadInput } from "../../received.js";
import type { Process } from "../process.js";
import { Violation, type Checker, type Scene, type Stepped } from "../checker.js";

/** How late the end of a wait may be told by a process that is not blocked. */
const LATE_MS = 100;

export class RosterChecker implements Checker {
  readonly name = "roster";
  readonly #waits = new Map<Process, Map<string, number>>();
  /** By node id, every process that ever had it. */
  readonly #bearers = new Map<string, Set<Process>>();

  ended(process: Process): void {
    this.#waits.delete(process);
  }

  stepped({ process, input, effects, now }: Stepped): void {
    this.#noteWaits(process, input, effects);
    const { nodeId } = process.replica.self;
    const bearers = this.#bearers.get(nodeId) ?? new Set<Process>();
    this.#bearers.set(nodeId, bearers.add(process));
    if (effects.some((effect) => effect.type === "identity")) this.#expectTwin(process);
    if (input.type !== "wake") return;
    for (const [key, untilMs] of this.#waits.get(process) ?? []) {
      if (now.monoMs > untilMs + LATE_MS) throw new Violation("seeks", `${process.name} still seeks ${key}`);
    }
  }

  #noteWaits(process: Process, input: ReadInput, effects: readonly ReadEffect[]): void {
    if (input.type === "seek") {
      const waits = this.#waits.get(process) ?? new Map<string, number>();
      this.#waits.set(process, waits);
      waits.set(input.key, Math.max(waits.get(input.key) ?? 0, input.untilMs));
    }
    for (const effect of effects) if (effect.type === "sought") this.#waits.get(process)?.delete(effect.key);
  }

  /** A node id is given up only for another process that has it. */
  #expectTwin(process: Process): void {
    for (const bearers of this.#bearers.values()) {
      if (bearers.has(process) && bearers.size > 1) return;
    }
    throw new Violation("identity", `${process.name} took a new node id though it had no twin`);
  }

  finished({ alive }: Scene): void {
    const ids = new Map<string, Process>();
    for (const process of alive) {
      const twin = ids.get(process.replica.self.nodeId);
      if (twin !== undefined)
        throw new Violation("identity", `${process.name} and ${twin.name} have one node id`);
      ids.set(process.replica.self.nodeId, process);
      if (process.replica.state !== "live")
        throw new Violation("live", `${process.name} is ${process.replica.state}`);
      const { presence } = process.replica;
      const known = [...presence.peers.keys()].sort().join();
      const there = alive
        .filter((other) => other !== process)
        .map(({ writer }) => writer)
        .sort()
        .join();
      if (known !== there)
        throw new Violation(this.name, `${process.name} knows ${known}; there are ${there}`);
      if (presence.linked.length !== alive.length - 1)
        throw new Violation(
          this.name,
          `${process.name} is linked to ${String(presence.linked.length)} peers`,
        );
    }
  }
}
