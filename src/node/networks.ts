/** The networks of the machine as a node uses them, and what follows when they change. */
import createDebug from "debug";
import type { BeaconSocket } from "../net/beacon-socket.js";
import type { Mesh } from "../net/mesh.js";
import { monoMs } from "./ambient.js";

const debug = createDebug("lankv:node");

/** How often the addresses of the machine are read. */
const NETWORK_EVERY_MS = 1_000;

export interface NetworksParts {
  readonly beacons: BeaconSocket;
  readonly mesh: Mesh;
  /** The interfaces that are used; undefined = all. */
  readonly interfaces: readonly string[] | undefined;
  /** The addresses that the mesh is bound to; undefined = all of the machine. */
  readonly hosts: readonly string[] | undefined;
  /** Is told what went wrong; it is tried again when the addresses are read again. */
  report(error: unknown): void;
}

export class Networks {
  readonly #parts: NetworksParts;
  #addresses: string;
  /** The addresses that the mesh is bound to; undefined = that failed. */
  #boundTo: string | undefined;
  #lookAtMs = 0;

  constructor(parts: NetworksParts) {
    this.#parts = parts;
    this.#boundTo = parts.hosts?.join(" ");
    this.#addresses = this.addresses.join(" ");
  }

  /** The machine's addresses on the networks that the node uses. */
  get addresses(): readonly string[] {
    return this.#parts.beacons.networks().map((network) => network.address);
  }

  get isOnline(): boolean {
    const { beacons, interfaces } = this.#parts;
    return beacons.networks().some((network) => !network.isLoopback || interfaces !== undefined);
  }

  /**
   * Looks whether the addresses have changed, if it is time to; there is no portable event for it, and the beacon reads
   * them each second anyway.
   * @returns whether they have
   */
  look(): boolean {
    if (monoMs() < this.#lookAtMs) return false;
    this.#lookAtMs = monoMs() + NETWORK_EVERY_MS;
    const hosts = this.addresses;
    const addresses = hosts.join(" ");
    if (this.#parts.interfaces !== undefined && addresses !== this.#boundTo) this.#rebind(hosts);
    if (addresses === this.#addresses) return false;
    debug("addresses: %s", addresses);
    this.#addresses = addresses;
    return true;
  }

  #rebind(hosts: readonly string[]): void {
    this.#boundTo = hosts.join(" ");
    this.#parts.mesh.bind(hosts).catch((error: unknown) => {
      this.#boundTo = undefined;
      this.#parts.report(error);
    });
  }
}
