/** Whether there is a network that beacons can go out to, and what kind it is. */
import { interfaceNames, type Network } from "../../net/interfaces.js";
import { fail, ok, some, warn, type Finding } from "./finding.js";
import { isInContainer, type Link } from "./links.js";
import type { Subject } from "./subject.js";

/** The networks that are used and have a broadcast address; those of one address count once. */
export function broadcastingNetworks(
  networks: readonly Network[],
  links: ReadonlyMap<string, Link>,
): readonly Network[] {
  const byAddress = new Map<string, Network>();
  for (const network of networks) {
    const { broadcast, isLoopback } = network;
    const isAble = isLoopback || links.get(network.interface)?.hasBroadcast !== false;
    if (broadcast !== undefined && isAble && !byAddress.has(broadcast)) byAddress.set(broadcast, network);
  }
  return [...byAddress.values()];
}

export function checkNetworks(subject: Subject, links: ReadonlyMap<string, Link>): readonly Finding[] {
  const { networks, interfaces, peerHosts, discovery } = subject;
  const unknown = interfaces?.find((name) => !interfaceNames().includes(name));
  if (unknown !== undefined) {
    const has = interfaceNames().join(", ");
    return [
      fail(
        "network",
        `There is no network interface ${unknown} with an IPv4 address. ${troublesOf(links, [unknown])}`.trim(),
        `Name one of those that have one (${has === "" ? "none" : has}), or give ${unknown} an address.`,
      ),
    ];
  }
  const outer = interfaces === undefined ? networks.filter(({ isLoopback }) => !isLoopback) : networks;
  if (outer.length === 0) {
    const troubles = troublesOf(links, [...links.keys()]);
    return [
      fail(
        "network",
        `This machine is on no network: no interface but loopback has an IPv4 address. ${troubles}`.trim(),
        "Plug the cable in, or join the Wi-Fi, and see with 'ip address' that there is an address.",
      ),
    ];
  }
  const able = broadcastingNetworks(outer, links);
  if (discovery && able.length === 0) {
    return [withoutBroadcast(outer, peerHosts)];
  }
  return [checkReach(outer, able, links), ...checkDiscovery(subject)];
}

function checkReach(
  outer: readonly Network[],
  able: readonly Network[],
  links: ReadonlyMap<string, Link>,
): Finding {
  const shown = outer.map((network) => {
    const { interface: name, address, broadcast } = network;
    return `${name} ${address} (${able.includes(network) ? `broadcast ${broadcast ?? ""}` : "no broadcast of its own"})`;
  });
  if (able.length > 0 && able.every((network) => links.get(network.interface)?.isInner === true)) {
    return warn(
      "network",
      `${shown.join(", ")}: only bridges to containers or virtual machines on this machine, and no LAN.`,
      "Join the LAN: plug the cable in, or join the Wi-Fi.",
    );
  }
  return ok("network", `${shown.join(", ")}.`);
}

function withoutBroadcast(outer: readonly Network[], peerHosts: readonly string[]): Finding {
  const shown = outer.map(({ interface: name, address }) => `${name} ${address}`).join(", ");
  const finding = `No interface has broadcast, which finds the others: ${shown}.`;
  if (peerHosts.length > 0) return ok("network", `${finding} Only --peer is called.`);
  return fail(
    "network",
    finding,
    "A tunnel or VPN carries no broadcasts: name a node at its other end with --peer HOST, on one of the two.",
  );
}

function checkDiscovery({ discovery, peerHosts }: Subject): readonly Finding[] {
  if (discovery || peerHosts.length > 0) return [];
  return [
    warn(
      "network",
      "With --no-discovery and without --peer, this node finds nobody by itself.",
      "Name a node with --peer HOST, or have the others name this one.",
    ),
  ];
}

/** @param isAlone whether no other node was found, of which this may be the reason */
export function checkContainer(
  { networks }: Subject,
  links: ReadonlyMap<string, Link>,
  isAlone: boolean,
): readonly Finding[] {
  const outer = networks.filter(({ isLoopback }) => !isLoopback);
  const hasHostNetwork = [...links.values()].some(({ isHardware }) => isHardware);
  if (outer.length === 0 || hasHostNetwork || !isInContainer()) return [];
  const shown = outer.map(({ interface: name, address }) => `${name} ${address}`).join(", ");
  const finding = `This is a container on a network of its own (${shown}): it hears only the containers there.`;
  if (!isAlone) return [ok("container", finding)];
  return [
    warn(
      "container",
      finding,
      "To join the LAN, give it the host's network ('docker run --network host', in compose 'network_mode: host'), or name " +
        "nodes of the LAN with --peer HOST; docs/containers.md has both.",
    ),
  ];
}

/** Why devices are of no use: in words, or "". */
function troublesOf(links: ReadonlyMap<string, Link>, names: readonly string[]): string {
  const named = interfaceNames();
  const troubles = names.flatMap((name) => {
    const link = links.get(name);
    if (link === undefined || link.isLoopback || named.includes(name)) return [];
    if (!link.isUp) return [`${name} is switched off`];
    return [link.hasCarrier ? `${name} has no IPv4 address` : `${name} has no carrier: is the cable in?`];
  });
  return troubles.length === 0 ? "" : `${some(troubles)}.`;
}
