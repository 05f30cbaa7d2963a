/** Before a node closes: the peers take what was written here lately. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Replica } from "../core/replica.js";
import { monoMs } from "./ambient.js";

/** How long closing waits for the peers to take what was written here since one last took something; and in all. */
const HANDOVER_MS = 2_000;
const HANDOVER_MAX_MS = 8_000;
/** How often it looks whether they have. */
const LOOK_EVERY_MS = 10;

/** Waits until every peer that is up has confirmed the whole stream; somebody else makes the replica ask for it. */
export async function handOver(replica: Replica): Promise<void> {
  const endMs = monoMs() + HANDOVER_MAX_MS;
  let untilMs = monoMs() + HANDOVER_MS;
  let confirmed = sumOfConfirmed(replica);
  while (isAwaited(replica) && monoMs() < untilMs) {
    await sleep(LOOK_EVERY_MS);
    if (sumOfConfirmed(replica) === confirmed) continue;
    confirmed = sumOfConfirmed(replica);
    untilMs = Math.min(monoMs() + HANDOVER_MS, endMs);
  }
}

function sumOfConfirmed({ presence }: Replica): number {
  return presence.linked.reduce((sum, peer) => sum + peer.confirmed, 0);
}

/** Whether a peer may still need this node to get what was written here. */
function isAwaited({ presence: peers, head }: Replica): boolean {
  return peers.linked.some(
    ({ presence, isLeaving, confirmed }) => presence === "up" && !isLeaving && confirmed < head,
  );
}
