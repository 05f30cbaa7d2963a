/**
 * Answers to calls: a host asks by UDP who is there, and each node that hears it tells, to the caller alone. So the
 * caller learns who hears it, which no broadcast shows. It is no peer, and nothing here changes by it.
 */
import type { Beacon } from "../core/message.js";
import type { Replica } from "../core/replica.js";
import type { BeaconSocket } from "../net/beacon-socket.js";
import { encodeBeacon } from "../wire/beacon.js";
import { monoMs, wallMs } from "./ambient.js";

/** Least time between two answers: the address that a call comes from can be forged, and is not to be flooded. */
const ANSWER_EVERY_MS = 5;

export class Calls {
  readonly #replica: Replica;
  readonly #beacons: BeaconSocket;
  #answeredAtMs = -Infinity;

  constructor(replica: Replica, beacons: BeaconSocket) {
    this.#replica = replica;
    this.#beacons = beacons;
  }

  handle(address: string, port: number): void {
    const atMs = monoMs();
    if (atMs - this.#answeredAtMs < ANSWER_EVERY_MS) return;
    this.#answeredAtMs = atMs;
    this.#beacons.answer(encodeBeacon(toAnswer(this.#replica)), address, port);
  }
}

function toAnswer({ self, head, map, state }: Replica): Beacon {
  const vitals = { wallMs: wallMs(), head, root: map.root, keys: map.values, state };
  return { ...self, ...vitals, hello: false, goodbye: false };
}
