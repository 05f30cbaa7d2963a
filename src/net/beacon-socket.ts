/**
 * The UDP socket of the beacons.
 *
 * Bound to the wildcard with address reuse, so that several nodes on one host each hear every broadcast. A datagram goes
 * to the broadcast address of every network, to the hosts named with `peers`, and to the hosts that the core names
 * where no broadcast reaches them. Sending into a network that has just gone away fails in a callback; the
 * socket survives it, and the next second is another try.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIPv4 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import createDebug from "debug";
import { LankvError } from "../core/error.js";
import { readNetworks, type Network } from "./interfaces.js";

const debug = createDebug("lankv:beacon");

/** How long the address of a named host is taken to be what it was. */
const LOOKUP_EVERY_MS = 30_000;
/** How long closing waits for what was sent to leave. */
const LINGER_MS = 500;

export interface BeaconSocketOptions {
  readonly port: number;
  /** Names of the interfaces to use; undefined = all. */
  readonly interfaces: readonly string[] | undefined;
  /** HOST or HOST:PORT, beaconed to whatever the networks are. */
  readonly peers: readonly string[];
  /** Whether to broadcast. */
  readonly discovery: boolean;
  /** Monotonic milliseconds. */
  readonly monoMs: () => number;
}

/** Called with each datagram and the address that it came from. */
export type OnDatagram = (datagram: Buffer, from: string) => void;

interface NamedPeer {
  readonly host: string;
  readonly port: number;
  address: string | undefined;
  lookUpAtMs: number;
}

export class BeaconSocket {
  readonly #socket: Socket;
  readonly #options: BeaconSocketOptions;
  readonly #peers: readonly NamedPeer[];
  /** Datagrams on their way to the system, which takes them in a later turn. */
  readonly #leaving = new Set<Promise<void>>();
  #isClosed = false;

  private constructor(socket: Socket, options: BeaconSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#peers = options.peers.map((text) => toNamedPeer(text, options.port));
  }

  /**
   * Binds the socket.
   * @throws {LankvError} LANKV_PORT: the port cannot be bound
   */
  static async open(options: BeaconSocketOptions, onDatagram: OnDatagram): Promise<BeaconSocket> {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(options.port, () => {
        socket.off("error", reject);
        resolve();
      });
    }).catch((cause: unknown) => {
      socket.close();
      throw new LankvError(
        "LANKV_PORT",
        `UDP port ${String(options.port)} cannot be bound; another program holds it alone. ` +
          "Choose the same other port on every node with --beacon-port.",
        { cause },
      );
    });
    socket.setBroadcast(true);
    const beacons = new BeaconSocket(socket, options);
    socket.on("error", (error) => {
      debug("socket: %s", error.message);
    });
    socket.on("message", (datagram, { address }: RemoteInfo) => {
      if (beacons.#isWelcome(address)) onDatagram(datagram, address);
    });
    return beacons;
  }

  /** The networks that are used now. */
  networks(): readonly Network[] {
    return readNetworks(this.#options.interfaces);
  }

  /** @param hosts addresses that want the datagram too, where no broadcast reaches them */
  send(datagram: Buffer, hosts: readonly string[]): void {
    if (this.#isClosed) return;
    const networks = this.networks();
    const { discovery, port } = this.#options;
    for (const { broadcast } of networks) {
      if (discovery && broadcast !== undefined) this.#sendTo(datagram, broadcast, port);
    }
    for (const host of hosts) {
      const isReached = discovery && networks.some((network) => isIPv4(host) && network.contains(host));
      if (!isReached) this.#sendTo(datagram, host, port);
    }
    for (const peer of this.#peers) this.#sendToNamed(datagram, peer);
  }

  /** Sends what waits, the goodbye among it, and frees the socket. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.race([Promise.all(this.#leaving), sleep(LINGER_MS, undefined, { ref: false })]);
    await new Promise<void>((resolve) => {
      this.#socket.close(resolve);
    });
  }

  #sendTo(datagram: Buffer, host: string, port: number): void {
    const left = new Promise<void>((resolve) => {
      this.#socket.send(datagram, port, host, (error) => {
        if (error !== null) debug("to %s: %s", host, error.message);
        resolve();
      });
    });
    this.#leaving.add(left);
    void left.then(() => this.#leaving.delete(left));
  }

  #sendToNamed(datagram: Buffer, peer: NamedPeer): void {
    if (peer.address !== undefined) this.#sendTo(datagram, peer.address, peer.port);
    const nowMs = this.#options.monoMs();
    if (isIPv4(peer.host) || nowMs < peer.lookUpAtMs) return;
    peer.lookUpAtMs = nowMs + LOOKUP_EVERY_MS;
    lookup(peer.host, { family: 4 }).then(
      ({ address }) => {
        const isFirst = peer.address === undefined;
        peer.address = address;
        if (isFirst && !this.#isClosed) this.#sendTo(datagram, address, peer.port);
      },
      (error: unknown) => {
        peer.lookUpAtMs = nowMs + LOOKUP_EVERY_MS / 10;
        debug("look-up of %s: %O", peer.host, error);
      },
    );
  }

  /** With chosen interfaces, what comes from the network of another one is not for this node. */
  #isWelcome(from: string): boolean {
    if (this.#options.interfaces === undefined) return true;
    if (this.networks().some((network) => network.contains(from))) return true;
    return !readNetworks(undefined).some((network) => network.contains(from));
  }
}

function toNamedPeer(text: string, defaultPort: number): NamedPeer {
  const [host = "", port] = text.split(":");
  return {
    host,
    port: port === undefined ? defaultPort : Number(port),
    address: isIPv4(host) ? host : undefined,
    lookUpAtMs: 0,
  };
}
