/**
 * Who this node is. The node id lives in the data directory; when two processes run with one id, the directory was
 * copied, and the one with the greater writer takes a new id. A beacon is not enough for that: it may be the
 * last word of this node's own previous run, or from anybody. The other process must speak over the mesh.
 */
import type { Beacon, NodeId } from "./message.js";
import type { Writer } from "./version.js";

/** What does not change while a process runs, but for the node id. */
export interface Self {
  readonly nodeId: NodeId;
  readonly writer: Writer;
  readonly name: string;
  /** MurmurHash3 of the cluster's name, seed 0. */
  readonly cluster: number;
  /** The PUB port. */
  readonly port: number;
  /** Address that peers should connect to; "" = the one that beacons come from. */
  readonly advertise: string;
  readonly software: string;
}

/** How long the other process must have been heard before it is believed to live. */
export const TWIN_AFTER_MS = 1_500;

export class Identity {
  #self: Self;
  readonly #random: () => number;
  /** The other process with this node's id, and when it was first heard. */
  #twin: { readonly writer: Writer; readonly sinceMs: number } | undefined;

  constructor(self: Self, random: () => number) {
    const { nodeId, writer, name, cluster, port, advertise, software } = self;
    this.#self = { nodeId, writer, name, cluster, port, advertise, software };
    this.#random = random;
  }

  get self(): Self {
    return this.#self;
  }

  /** @returns the new node id when this node had to take one */
  handleBeacon(beacon: Beacon, nowMs: number): NodeId | undefined {
    if (beacon.nodeId !== this.#self.nodeId || beacon.goodbye) return undefined;
    // The greater one is not my business: of three, it would hide the smaller one from me for ever.
    if (this.#self.writer < beacon.writer) return undefined;
    if (this.#twin?.writer !== beacon.writer) this.#twin = { writer: beacon.writer, sinceMs: nowMs };
    if (nowMs - this.#twin.sinceMs < TWIN_AFTER_MS) return undefined;
    this.#twin = undefined;
    this.#self = { ...this.#self, nodeId: mintId(this.#random) };
    return this.#self.nodeId;
  }
}

/** A fresh id of 64 random bits, as 16 lower-case hexadecimal digits. */
export function mintId(random: () => number): string {
  let id = "";
  for (let i = 0; i < 4; i += 1) {
    id += Math.floor(random() * 0x1_0000)
      .toString(16)
      .padStart(4, "0");
  }
  return id;
}
