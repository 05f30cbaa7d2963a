/** Before a node closes: the peers take what was written here lately. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Replica } from "../core/replica.js";
import { monoMs } from "./ambient.js";

/** How long closing waits for the peers to take what was written here since one last took something; and in all. */
const HANDOVER_MS = 2_000;
const HANDOVER_MAX_MS = 8_000;
/** How often it looks whether they have. */
const LOOK_EVERY_MS = 10;

/**
 * The wait until every peer that is up has confirmed the whole stream; somebody else makes the replica ask for it.
 *
 * A peer takes something when it confirms more, and also when it asks for something: what it pulls may stay in doubt
 * until the last of it is there.
 */
export class HandOver {
  readonly #endMs: number;
  #untilMs: number;
  #taken: number;

  constructor(
    private readonly replica: Replica,
    nowMs: number,
  ) {
    this.#endMs = nowMs + HANDOVER_MAX_MS;
    this.#untilMs = nowMs + HANDOVER_MS;
    this.#taken = this.#takenSoFar();
  }

  /** Whether it goes on. */
  isAwaited(nowMs: number): boolean {
    const taken = this.#takenSoFar();
    if (taken !== this.#taken) this.#untilMs = Math.min(nowMs + HANDOVER_MS, this.#endMs);
    this.#taken = taken;
    return nowMs < this.#untilMs && this.#isLacking();
  }

  #takenSoFar(): number {
    return this.replica.presence.linked.reduce((sum, peer) => sum + peer.confirmed + peer.answers, 0);
  }

  /** Whether a peer may still need this node to get what was written here. */
  #isLacking(): boolean {
    const { presence: peers, head } = this.replica;
    return peers.linked.some(
      ({ presence, isLeaving, confirmed }) => presence === "up" && !isLeaving && confirmed < head,
    );
  }
}

export async function handOver(replica: Replica): Promise<void> {
  const wait = new HandOver(replica, monoMs());
  while (wait.isAwaited(monoMs())) await sleep(LOOK_EVERY_MS);
}
