/**
 * What is heard on the LAN: beacons of others, and answers to calls.
 *
 * A call is a beacon that asks who is there and makes nobody a peer (docs/protocol.md). It goes out from a socket of its
 * own, where the answers come to, and comes back by broadcast to show that this machine's firewall lets beacons out and in.
 * Beacons of others are heard on sockets that are bound to the broadcast addresses: one bound to the wildcard would
 * take the unicasts of a daemon that runs on the same port.
 */
import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIPv4 } from "node:net";
import { mintId } from "../../core/identity.js";
import type { Beacon } from "../../core/message.js";
import { codeOf } from "../../net/claim-socket.js";
import type { Network } from "../../net/interfaces.js";
import { random } from "../../node/ambient.js";
import { decodeBeacon, encodeCall, isCall } from "../../wire/beacon.js";

/** How many nodes, and sources of anything else, are remembered; a LAN has fewer, a troublemaker can make up more. */
const HEARD_MAX = 256;

/** A node of the cluster. */
export interface HeardNode {
  readonly beacon: Beacon;
  /** Where it was heard from first. */
  readonly address: string;
  /** Its broadcasts arrive here. */
  isHeard: boolean;
  /** It answered a call, so it hears this machine. */
  hasAnswered: boolean;
  /** Its clock less this machine's, milliseconds. */
  readonly clockOffsetMs: number;
}

/** A network's broadcast address, and what came of it. */
export interface Site {
  readonly network: Network;
  /** The system's name of why nothing can be heard there; "" = it can. */
  readonly bindCode: string;
  /** The system's name of why a call did not leave; "" = it did. */
  sendCode: string;
  /** The own call came back. */
  isHeard: boolean;
}

/** A host that is called by unicast. */
export interface CalledHost {
  /** As it was given: HOST or HOST:PORT. */
  readonly text: string;
  /** Undefined = its name stands for no IPv4 address. */
  readonly address: string | undefined;
  readonly port: number;
  hasAnswered: boolean;
}

export interface EarOptions {
  /** Hash of the cluster's name. */
  readonly cluster: number;
  readonly port: number;
  readonly networks: readonly Network[];
}

export class Ear {
  /** By writer. */
  readonly nodes = new Map<string, HeardNode>();
  /** Nodes of other clusters, by writer. */
  readonly otherClusters = new Map<string, { readonly beacon: Beacon; readonly address: string }>();
  /** The version of the protocol that each address speaks which speaks another. */
  readonly otherVersions = new Map<string, string>();
  /** How many datagrams of each address were not lankv's. */
  readonly foreign = new Map<string, number>();
  readonly sites: Site[] = [];
  readonly hosts: CalledHost[] = [];
  readonly #options: EarOptions;
  readonly #writer = mintId(random);
  readonly #caller: Socket;
  readonly #sockets: Socket[];

  private constructor(options: EarOptions, caller: Socket) {
    this.#options = options;
    this.#caller = caller;
    this.#sockets = [caller];
  }

  static async open(options: EarOptions): Promise<Ear> {
    const caller = createSocket("udp4");
    caller.bind(0);
    await once(caller, "listening");
    caller.setBroadcast(true);
    const ear = new Ear(options, caller);
    caller.on("message", (datagram, { address }) => {
      ear.#handleAnswer(datagram, address);
    });
    caller.on("error", () => undefined);
    for (const network of options.networks) await ear.#listen(network);
    return ear;
  }

  /** Adds a host to those that are called by unicast. */
  async add(text: string): Promise<void> {
    const [name = "", port] = text.split(":");
    if (this.hosts.length >= HEARD_MAX || this.hosts.some((host) => host.text === text)) return;
    const address = isIPv4(name) ? name : await resolve(name);
    this.hosts.push({
      text,
      address,
      port: port === undefined ? this.#options.port : Number(port),
      hasAnswered: false,
    });
  }

  /** Calls everybody whom a broadcast reaches. */
  callAll(): void {
    for (const site of this.sites) {
      const { broadcast } = site.network;
      if (broadcast === undefined) continue;
      this.#caller.send(this.#toCall(), this.#options.port, broadcast, (error) => {
        site.sendCode = error === null ? "" : codeOf(error);
      });
    }
  }

  /** Calls every host that was added or heard. Also those that answered: a firewall may let through only such answers. */
  callEach(): void {
    const call = this.#toCall();
    for (const { address, port } of this.hosts) if (address !== undefined) this.#send(call, address, port);
    const addresses = new Set([...this.nodes.values()].map(({ address }) => address));
    for (const address of addresses) this.#send(call, address, this.#options.port);
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#sockets.map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.close(resolve);
          }),
      ),
    );
  }

  async #listen(network: Network): Promise<void> {
    const { broadcast } = network;
    if (broadcast === undefined) return;
    const bound = await bind(this.#options.port, broadcast);
    const socket = typeof bound === "string" ? undefined : bound;
    const site = { network, bindCode: typeof bound === "string" ? bound : "", sendCode: "", isHeard: false };
    this.sites.push(site);
    if (socket === undefined) return;
    this.#sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("message", (datagram, { address }) => {
      // Where a broadcast address cannot be bound, each socket hears all networks.
      if (network.contains(address)) this.#handleBroadcast(site, datagram, address);
    });
  }

  #send(call: Buffer, address: string, port: number): void {
    // What does not leave is not answered.
    this.#caller.send(call, port, address, () => undefined);
  }

  #toCall(): Buffer {
    return encodeCall(this.#options.cluster, this.#writer);
  }

  #handleAnswer(datagram: Buffer, address: string): void {
    const beacon = decodeBeacon(datagram, this.#options.cluster);
    if (typeof beacon === "string" || isCall(beacon)) return;
    for (const host of this.hosts) if (host.address === address) host.hasAnswered = true;
    const node = this.#remember(beacon, address);
    if (node !== undefined) node.hasAnswered = true;
  }

  #handleBroadcast(site: Site, datagram: Buffer, address: string): void {
    const itsCluster = datagram.length < 8 ? 0 : datagram.readUInt32BE(4);
    const beacon = decodeBeacon(datagram, itsCluster);
    if (beacon === "other protocol version") {
      note(this.otherVersions, address, datagram.toString("latin1", 3, 4));
    } else if (typeof beacon === "string") {
      note(this.foreign, address, (this.foreign.get(address) ?? 0) + 1);
    } else if (beacon.writer === this.#writer) {
      site.isHeard = true;
    } else if (isCall(beacon)) {
      return;
    } else if (beacon.goodbye) {
      this.nodes.delete(beacon.writer);
    } else if (itsCluster !== this.#options.cluster) {
      note(this.otherClusters, beacon.writer, { beacon, address });
    } else {
      const node = this.#remember(beacon, address);
      if (node !== undefined) node.isHeard = true;
    }
  }

  #remember(beacon: Beacon, address: string): HeardNode | undefined {
    const known = this.nodes.get(beacon.writer);
    if (known !== undefined) return known;
    const clockOffsetMs = beacon.wallMs - Date.now();
    note(this.nodes, beacon.writer, { beacon, address, isHeard: false, hasAnswered: false, clockOffsetMs });
    return this.nodes.get(beacon.writer);
  }
}

/** The socket, or the system's name of why there is none. */
async function bind(port: number, address: string): Promise<Socket | string> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  const code = await new Promise<string>((resolve) => {
    socket.once("error", (error) => {
      resolve(codeOf(error));
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners("error");
      resolve("");
    });
  });
  if (code === "") return socket;
  socket.close();
  // Not every system lets a broadcast address be bound.
  return code === "EADDRNOTAVAIL" && address !== "0.0.0.0" ? bind(port, "0.0.0.0") : code;
}

async function resolve(name: string): Promise<string | undefined> {
  try {
    const { address } = await lookup(name, { family: 4 });
    return address;
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

/** Keeps a value unless there are too many already. */
function note<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.size < HEARD_MAX || map.has(key)) map.set(key, value);
}
