/** Waiting until a node is live, or has no network to become live in, has its peers, and holds what they hold. */
import { setTimeout as sleep } from "node:timers/promises";
import { LankvError } from "../core/error.js";
import { monoMs } from "./ambient.js";
import type { ReadyOptions } from "./lankv.js";
import type { Node } from "./node.js";

/** How often the conditions are looked at: roots change without an event. */
const LOOK_EVERY_MS = 20;

/** @throws {LankvError} LANKV_TIMEOUT, LANKV_CLOSED */
export async function ready(node: Node, options: ReadyOptions = {}): Promise<void> {
  const { peers = 0, synced = false, timeoutMs = Infinity, signal } = options;
  const untilMs = monoMs() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    if (node.isClosed)
      throw new LankvError("LANKV_CLOSED", "This node is closed, and nobody can wait for it any more.");
    const lacking = whatLacks(node, peers, synced);
    if (lacking === undefined) return;
    if (monoMs() >= untilMs) {
      throw new LankvError("LANKV_TIMEOUT", `Not ready after ${String(timeoutMs)} ms: ${lacking}`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** @returns what is not so yet, in sentences without the first one's capital; undefined = all is */
function whatLacks({ disk, replica }: Node, peers: number, synced: boolean): string | undefined {
  if (disk?.loading !== undefined)
    return "the node is loading its keys from disk. 'lankv status' says how far it is.";
  const linked = replica.presence.linked.length;
  if (replica.state !== "live" && replica.state !== "offline") return `the node is ${replica.state}.`;
  if (linked < peers)
    return `${String(linked)} of ${String(peers)} peers are linked. 'lankv peers' says who is there, 'lankv doctor' why others are not.`;
  if (synced && !replica.isSynced)
    return "not everybody who is up holds the same yet. Wait longer, or see with 'lankv peers' who is behind.";
  return undefined;
}
