/** Nodes behind network address translation, as containers on a bridge or machines behind a router are, name others with --peer. */
import "./namespace.js";
import { allRead, equalRoots } from "./agreement.js";
import { must } from "./command.js";
import type { Daemon } from "./daemon.js";
import type { Host } from "./host.js";
import type { Lan } from "./lan.js";
import { scenario } from "./scenario.js";

const needsNat = { needs: ["iptables"] };
/** Where messages for the node inside come in. */
const PORT = 7381;
const BEACON_PORT = 5005;

/** A host of the LAN that is a gateway, and one inside, whose datagrams and connections it translates. */
interface Gateway {
  readonly outside: Host;
  readonly inside: Host;
}

async function gateway(lan: Lan): Promise<Gateway> {
  const network = await lan.addNetwork();
  const [outside, inside] = [await lan.host(), await lan.host({ network })];
  const { address } = await outside.plug(network);
  await must("ip", "-n", inside.name, "route", "add", "default", "via", address);
  await must("ip", "netns", "exec", outside.name, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  await translate(outside, "POSTROUTING", "-o", "eth0", "-j", "MASQUERADE");
  await publish({ outside, inside }, "tcp", PORT);
  return { outside, inside };
}

async function publish({ outside, inside }: Gateway, protocol: "tcp" | "udp", port: number): Promise<void> {
  const to = `${inside.address}:${String(port)}`;
  await translate(
    outside,
    ...["PREROUTING", "-d", outside.address, "-p", protocol, "--dport", String(port)],
    ...["-j", "DNAT", "--to-destination", to],
  );
}

async function translate(host: Host, ...rule: string[]): Promise<void> {
  await must("ip", "netns", "exec", host.name, "iptables", "-t", "nat", "-A", ...rule);
}

/** A node inside that names these hosts, and says where it is reached. */
async function daemonInside({ outside, inside }: Gateway, ...named: Host[]): Promise<Daemon> {
  const peers = named.flatMap(({ address }) => ["--peer", address]);
  return inside.daemon({ flags: ["--port", String(PORT), "--advertise", outside.address, ...peers] });
}

scenario(
  "a node behind NAT names one of the LAN, which names nobody",
  async (lan) => {
    const behind = await gateway(lan);
    const open = await lan.daemon();
    const inner = await daemonInside(behind, open.host);
    await areOneStore(inner, open);
    await restart(open);
    await areOneStore(inner, open);
    await restart(inner);
    await areOneStore(inner, open);
  },
  needsNat,
);

scenario(
  "beacons that come by a relay, which shows an address of its own",
  async (lan) => {
    const behind = await gateway(lan);
    const { outside, inside } = behind;
    const relay = `const { createSocket } = require("node:dgram");
      const out = createSocket("udp4");
      createSocket("udp4").on("message", (datagram) => out.send(datagram, ${BEACON_PORT}, "${inside.address}"))
        .bind(${BEACON_PORT}, "${outside.address}");`;
    outside.start("relay", ["-e", relay]);
    const open = await lan.daemon({ flags: ["--peer", outside.address] });
    await areOneStore(await daemonInside(behind, open.host), open);
  },
  needsNat,
);

scenario(
  "both are behind NAT, and one has its beacon port published",
  async (lan) => {
    const [one, two] = [await gateway(lan), await gateway(lan)];
    await publish(two, "udp", BEACON_PORT);
    await areOneStore(await daemonInside(one, two.outside), await daemonInside(two));
  },
  needsNat,
);

/** They are linked both ways, which is what WAIT asks for, and each has what the other writes. */
async function areOneStore(...pair: readonly [Daemon, Daemon]): Promise<void> {
  for (const daemon of pair) await daemon.cliOutput("wait", "--peers", "1", "--synced", "--timeout", "60s");
  for (const daemon of pair) {
    const value = String(Math.random());
    await daemon.set(`from/${daemon.name}`, value);
    await allRead(pair, `from/${daemon.name}`, value);
  }
  await equalRoots(pair);
}

async function restart(daemon: Daemon): Promise<void> {
  await daemon.stop();
  await daemon.start();
}
