/**
 * The UDP socket of the beacons.
 *
 * Bound to the wildcard with address reuse, so that several nodes on one host each hear every broadcast. A datagram
 * goes to the broadcast address of every network, to the hosts named with `peers`, and to the hosts that the core
 * names where no broadcast reaches them. The hosts named with `peers` are called as well: their answers come to the
 * address and port that the call came from, through any NAT in between, and show the address at which they are
 * reached. A name whose address is not known yet is left out until it is. Sending into a network that has just gone
 * away fails in a callback; the socket survives it, and the next second is another try.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import createDebug from "debug";
import { LankvError } from "../core/error.js";
import { readNetworks, type Network } from "./interfaces.js";
import { Resolver } from "./resolver.js";

const debug = createDebug("lankv:beacon");

/** How long the machine's networks are taken to be what they were when a datagram comes in. */
const NETWORKS_MS = 1_000;
/** How long closing waits for what was sent to leave. */
const LINGER_MS = 500;

export interface BeaconSocketOptions {
  readonly port: number;
  /** Names of the interfaces to use; undefined = all. */
  readonly interfaces: readonly string[] | undefined;
  /** HOST or HOST:PORT, beaconed to whatever the networks are. */
  readonly peers: readonly string[];
  /** What asks them who is there. */
  readonly call: Buffer;
  /** Whether to broadcast. */
  readonly discovery: boolean;
  /** Monotonic milliseconds. */
  readonly monoMs: () => number;
}

/** Called with each datagram and the address and port that it came from. */
export type OnDatagram = (datagram: Buffer, from: string, port: number) => void;

interface NamedPeer {
  readonly host: string;
  readonly port: number;
}

export class BeaconSocket {
  /** Is told when the machine's networks can be read no more: once, until they can again. */
  onUnreadable: (error: Error) => void = () => undefined;
  readonly #socket: Socket;
  readonly #options: BeaconSocketOptions;
  readonly #peers: readonly NamedPeer[];
  readonly #resolver: Resolver;
  /** The machine's networks, as they were when they could be read last. */
  #networks: readonly Network[] = [];
  #networksUntilMs = -Infinity;
  #isUnreadable = false;
  /** Datagrams on their way to the system, which takes them in a later turn. */
  readonly #leaving = new Set<Promise<void>>();
  #isClosed = false;

  private constructor(socket: Socket, options: BeaconSocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#peers = options.peers.map((text) => toNamedPeer(text, options.port));
    this.#resolver = new Resolver(options.monoMs);
    // The first beacon that finds the address known goes there.
    for (const { host } of this.#peers) this.#resolver.known(host);
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
    socket.on("message", (datagram, { address, port }: RemoteInfo) => {
      if (beacons.#isWelcome(address)) onDatagram(datagram, address, port);
    });
    return beacons;
  }

  /** The networks that are used now. */
  networks(): readonly Network[] {
    const { interfaces } = this.#options;
    const networks = this.#readNetworks();
    return interfaces === undefined
      ? networks
      : networks.filter((each) => interfaces.includes(each.interface));
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
      const address = this.#resolver.known(host);
      if (address === undefined) continue;
      const isReached = discovery && networks.some((network) => network.contains(address));
      if (!isReached) this.#sendTo(datagram, address, port);
    }
    for (const peer of this.#peers) {
      const address = this.#resolver.known(peer.host);
      if (address === undefined) continue;
      this.#sendTo(datagram, address, peer.port);
      this.#sendTo(this.#options.call, address, peer.port);
    }
  }

  /** To one socket, and to nobody else. */
  answer(datagram: Buffer, address: string, port: number): void {
    if (!this.#isClosed) this.#sendTo(datagram, address, port);
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

  /** The system needs a free file descriptor for it: a process that has none left takes them to be what they were. */
  #readNetworks(): readonly Network[] {
    try {
      this.#networks = readNetworks();
      this.#isUnreadable = false;
    } catch (cause) {
      if (!this.#isUnreadable) {
        this.#isUnreadable = true;
        const reason = cause instanceof Error ? cause.message : String(cause);
        this.onUnreadable(
          new Error(
            `The machine's addresses cannot be read; they are taken to be what they were. ${reason}`,
            {
              cause,
            },
          ),
        );
      }
    }
    return this.#networks;
  }

  #sendTo(datagram: Buffer, address: string, port: number): void {
    const left = new Promise<void>((resolve) => {
      this.#socket.send(datagram, port, address, (error) => {
        if (error !== null) debug("to %s: %s", address, error.message);
        resolve();
      });
    });
    this.#leaving.add(left);
    void left.then(() => this.#leaving.delete(left));
  }

  /** With chosen interfaces, what comes from the network of another one is not for this node. */
  #isWelcome(from: string): boolean {
    const { interfaces, monoMs } = this.#options;
    if (interfaces === undefined) return true;
    const nowMs = monoMs();
    if (nowMs >= this.#networksUntilMs) {
      this.#readNetworks();
      this.#networksUntilMs = nowMs + NETWORKS_MS;
    }
    const senders = this.#networks.filter((network) => network.contains(from));
    return senders.length === 0 || senders.some((network) => interfaces.includes(network.interface));
  }
}

function toNamedPeer(text: string, defaultPort: number): NamedPeer {
  const [host = "", port] = text.split(":");
  return { host, port: port === undefined ? defaultPort : Number(port) };
}
