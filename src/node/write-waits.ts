/** What a write of the library waits for, besides being in memory: this node's disk, and the peers. */
import { LankvError } from "../core/error.js";
import { PEERS_MAX } from "../core/presence.js";
import type { WriteOptions } from "./lankv.js";
import type { Node } from "./node.js";

const NEVER = new AbortController().signal;

/**
 * @throws {TypeError} an option of the wrong type
 * @throws {RangeError} an option outside its bounds, or one that this node cannot keep
 */
export function checkWaits(node: Node, { durable, replicas }: WriteOptions): void {
  if (durable !== undefined && typeof durable !== "boolean")
    throw new TypeError(`durable must be true or false, not ${String(durable)}`);
  if (durable === true && node.disk === undefined)
    throw new RangeError("durable cannot be kept by a node that was opened with memory: true");
  if (replicas === undefined) return;
  if (typeof replicas !== "number") throw new TypeError(`replicas must be a number, not ${typeof replicas}`);
  if (!Number.isInteger(replicas) || replicas < 0 || replicas > PEERS_MAX)
    throw new RangeError(
      `replicas must be a whole number from 0 to ${String(PEERS_MAX)}, not ${String(replicas)}`,
    );
}

/**
 * Waits for what the options say of everything written here so far.
 * @throws {LankvError} LANKV_DISK, LANKV_REPLICAS; the writes stay
 */
export async function waited(node: Node, options: WriteOptions): Promise<void> {
  const { durable = false, replicas = 0, signal = NEVER } = options;
  if (node.isTurnFull) await node.room();
  if (node.disk !== undefined && (durable || node.disk.isStrict)) await node.disk.saver.durable();
  if (replicas === 0) return;
  // Closed while the disk was waited for: the write was made, so that is not refused as a new one is.
  const confirmed = node.isClosed ? 0 : await node.confirmed(replicas, 0, signal);
  if (confirmed >= replicas) return;
  const why = signal.aborted ? "the wait was ended" : "this node was closed";
  throw new LankvError(
    "LANKV_REPLICAS",
    `Written here, but ${why} when ${String(confirmed)} of ${String(replicas)} peers had confirmed it.`,
    { cause: signal.reason, stateChanged: true },
  );
}
