/**
 * The machine's IPv4 networks, as beacons need them.
 *
 * Read afresh each time: the answer follows every change of address, interface and carrier. The directed broadcast
 * address of each interface is used, because 255.255.255.255 needs a default route and leaves by one interface
 * only. 127.255.255.255 reaches the other nodes on this host, also with the cable out.
 */
import { networkInterfaces } from "node:os";

/** One IPv4 address of an interface. */
export interface Network {
  readonly interface: string;
  readonly address: string;
  /** Directed broadcast address; undefined on a point-to-point link, which has none. */
  readonly broadcast: string | undefined;
  readonly isLoopback: boolean;
  /** Whether an IPv4 address belongs to this network. */
  contains(address: string): boolean;
}

/** @throws {Error} the system cannot tell, for example when the process may open no more files */
export function readNetworks(): readonly Network[] {
  const networks: Network[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { family, address, netmask, internal } of addresses ?? []) {
      if (family === "IPv4") networks.push(toNetwork(name, address, netmask, internal));
    }
  }
  return networks;
}

/** The names of the machine's interfaces that have an IPv4 address. */
export function interfaceNames(): readonly string[] {
  return [...new Set(readNetworks().map((network) => network.interface))];
}

function toNetwork(name: string, address: string, netmask: string, isLoopback: boolean): Network {
  const mask = isLoopback ? 0xff000000 : toNumber(netmask);
  const base = toNumber(address) & mask;
  const hosts = ~mask >>> 0;
  return {
    interface: name,
    address,
    broadcast: hosts < 3 ? undefined : toAddress((base | hosts) >>> 0),
    isLoopback,
    contains: (other) => (toNumber(other) & mask) === base,
  };
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, byte) => (sum << 8) | Number(byte), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff).join(".");
}
