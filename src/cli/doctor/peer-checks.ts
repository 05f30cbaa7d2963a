/** The other nodes: who is there, who hears this machine, and whether messages get through. */
import { connect } from "node:net";
import type { Beacon } from "../../core/message.js";
import type { Network } from "../../net/interfaces.js";
import { toPrintableText } from "../printable.js";
import type { Ear, HeardNode } from "./ear.js";
import { counted, fail, ok, some, warn, type Finding } from "./finding.js";
import type { Subject } from "./subject.js";

type Json = Readonly<Record<string, unknown>>;

/** How long a TCP connection may take, and its first byte. */
const CONNECT_MS = 2_000;
/** Nodes that have only just met are not linked yet. */
const LINK_MS = 5_000;
/** Every connection of ZeroMQ begins with this byte. */
const GREETING = 0xff;

/** What came of a TCP connection to a node's port for messages. */
type Reach = "open" | "refused" | "silent" | "not ZeroMQ";

/** All that is known of one other node. */
interface Acquaintance {
  readonly name: string;
  readonly address: string;
  /** HOST and port that messages come from. */
  readonly host: string;
  readonly port: number;
  readonly isHeard: boolean;
  readonly hasAnswered: boolean;
  /** What the daemon says of it; undefined = it does not know it, or there is no daemon. */
  readonly known: Json | undefined;
  readonly software: string;
}

interface PeerOptions {
  readonly ear: Ear;
  readonly subject: Subject;
  /** The daemon's peers, asked for after the calls. */
  readonly known: readonly Json[];
  /** How long was listened. */
  readonly listenedMs: number;
  /** The daemon's writer: it is no peer of itself. */
  readonly ownWriter: string | undefined;
  readonly ownUptimeMs: number;
  readonly links: readonly Network[];
}

/** @returns the nodes of the cluster that are there, without this machine's own daemon */
export function othersOf(ear: Ear, ownWriter: string | undefined): readonly HeardNode[] {
  return [...ear.nodes.values()].filter(({ beacon }) => beacon.writer !== ownWriter);
}

export async function checkPeers(options: PeerOptions): Promise<readonly Finding[]> {
  const { ear, known, ownWriter } = options;
  const others = othersOf(ear, ownWriter);
  const met = others.map((node) => toAcquaintance(node, known));
  const missed = known.filter(({ nodeId }) => others.every(({ beacon }) => beacon.nodeId !== nodeId));
  const reached = await Promise.all(
    met.map(async (one) => ({ one, reach: await reachOf(one.host, one.port) })),
  );
  return [
    summary(options, met, missed),
    ...reached.flatMap(({ one, reach }) => checkPeer(one, reach, options)),
    ...missed.map((peer) => checkMissed(peer)),
    ...ear.hosts.filter(({ text }) => options.subject.peerHosts.includes(text)).flatMap(checkNamed),
  ];

  function checkNamed({ text, address, hasAnswered }: Ear["hosts"][number]): readonly Finding[] {
    const { beaconPort } = options.subject;
    if (hasAnswered) return [];
    if (address === undefined) {
      return [
        fail(
          "peer",
          `--peer ${text}: the name stands for no IPv4 address.`,
          "Give its address instead of its name.",
        ),
      ];
    }
    return [
      fail(
        "peer",
        `--peer ${text}: no node answers there.`,
        `See on that machine that lankv runs in the same cluster ('lankv status'), and let UDP port ` +
          `${text.split(":")[1] ?? String(beaconPort)} in there; 'lankv doctor' there tells more.`,
      ),
    ];
  }
}

function summary(
  { subject, listenedMs, links }: PeerOptions,
  met: readonly Acquaintance[],
  missed: readonly Json[],
): Finding {
  const cluster = `"${toPrintableText(subject.cluster)}"`;
  const up = missed.filter(({ state }) => state === "up").map(({ name }) => toPrintableText(String(name)));
  const names = [...met.map(({ name, address }) => `${name} (${address})`), ...up];
  if (names.length === 0) {
    return fail(
      "peers",
      `No other node of the cluster ${cluster} was heard within ${String(listenedMs / 1_000)} s.`,
      "First mend what else is found here. If nothing is: start 'lankv serve' on another machine of this network; if one " +
        "runs there, run 'lankv doctor' there, too. A firewall between the machines, or a Wi-Fi that keeps its clients " +
        "apart ('client isolation'), hides them from each other: let UDP through, or name one with --peer HOST.",
    );
  }
  const found = `${counted(names.length, "other node")} of the cluster ${cluster}: ${some(names)}`;
  const isHere = (address: string): boolean => links.some((network) => network.address === address);
  const isOnNetwork = subject.networks.some(({ isLoopback }) => !isLoopback);
  if (isOnNetwork && up.length === 0 && met.every(({ address }) => isHere(address))) {
    return warn(
      "peers",
      `${found}; all on this machine, and none on another.`,
      "Start 'lankv serve' on another machine of this network; if one runs there, run 'lankv doctor' there, too.",
    );
  }
  return ok("peers", `${found}.`);
}

/** A node can lack both: beacons and messages take different ways. */
function checkPeer(one: Acquaintance, reach: Reach, options: PeerOptions): readonly Finding[] {
  const { name, address, port, software } = one;
  const troubles = [checkBeaconsOf(one, options), checkMessagesOf(one, reach, options)];
  const findings = troubles.filter((finding) => finding !== undefined);
  if (findings.length > 0) return findings;
  const open = `TCP port ${String(port)} is open`;
  return [
    ok("peer", `${name} (${address}): it and this machine hear each other, ${open}, lankv ${software}.`),
  ];
}

/** Beacons that are missed harm nobody while messages flow. */
function checkBeaconsOf(one: Acquaintance, { subject }: PeerOptions): Finding | undefined {
  const { name, address, isHeard, hasAnswered, known } = one;
  const judged = known?.["linked"] === true ? warn : fail;
  const who = `${name} (${address})`;
  const port = String(subject.beaconPort);
  if (!hasAnswered) {
    return judged(
      "peer",
      `${who} is heard, but does not hear this machine: it answers no call.`,
      `Let UDP port ${port} in on ${name} ('ufw allow ${port}/udp' there), and out of this machine; 'lankv doctor' ` +
        "there tells more.",
    );
  }
  const isNear = subject.networks.some((network) => network.contains(address));
  if (isHeard || !subject.discovery || !isNear) return undefined;
  return judged(
    "peer",
    `${who} answers when it is called, but its broadcasts are not heard.`,
    `Let UDP port ${port} in on this machine. If it is open: a Wi-Fi that drops broadcasts, another netmask there, or ` +
      "--no-discovery there; then name it with --peer.",
  );
}

function checkMessagesOf(
  one: Acquaintance,
  reach: Reach,
  { subject, ownUptimeMs }: PeerOptions,
): Finding | undefined {
  const { name, address, port, hasAnswered, known } = one;
  const who = `${name} (${address})`;
  if (reach !== "open") return fail("peer", `${who}: ${notReached(reach, one)}`, mendOfReach(reach, one));
  // Who does not hear this machine does not know that there is something to connect to.
  if (known === undefined || known["linked"] === true || !hasAnswered || ownUptimeMs <= LINK_MS)
    return undefined;
  const own = String(subject.port);
  return fail(
    "peer",
    `${who}: it and this machine hear each other and its TCP port ${String(port)} is open, but messages do not flow both ` +
      `ways: it cannot connect to this machine's TCP port ${own}.`,
    `Let TCP in on this machine. The port is another at each start unless 'lankv serve' is given one: --port ${own}; then ` +
      `'ufw allow ${own}/tcp'.`,
  );
}

function notReached(reach: Reach, { port, host }: Acquaintance): string {
  const where = `TCP port ${String(port)} of ${host}`;
  if (reach === "refused") return `${where} refuses connections.`;
  if (reach === "silent") return `${where} does not answer: a firewall drops what goes there.`;
  return `what answers on ${where} is not lankv.`;
}

function mendOfReach(reach: Reach, { name, port, host, address }: Acquaintance): string {
  if (host !== address)
    return `See that ${host}, which it names with --advertise, is its address, and is reached from here.`;
  const shown = String(port);
  if (reach !== "silent")
    return `See with 'lankv status' on ${name} that its node runs, and what filters TCP port ${shown}.`;
  return (
    `Let TCP in on ${name}. The port is another at each start unless 'lankv serve' is given one there: --port ${shown}; then ` +
    `'ufw allow ${shown}/tcp'.`
  );
}

/** A node that the daemon knows, and that was neither heard nor answered. */
function checkMissed({ name, address, state, linked }: Json): Finding {
  const who = `${toPrintableText(String(name))} (${toPrintableText(String(address))})`;
  if (state === "gone") {
    return warn(
      "peer",
      `${who} was here, went without a goodbye, and does not answer.`,
      "If it should be here: see that the machine runs and is on the network, and run 'lankv doctor' there.",
    );
  }
  const finding = `${who} is known to the daemon, but neither its broadcasts nor answers of it come in.`;
  const mend = "Let the beacons' UDP port in, here and there; 'lankv doctor' there tells more.";
  if (linked !== true) return fail("peer", finding, mend);
  return warn(
    "peer",
    `${finding} Messages flow both ways.`,
    `If it is behind NAT and names this machine with --peer, as in a container on a bridge, all is well. Else: ${mend.charAt(0).toLowerCase()}${mend.slice(1)}`,
  );
}

function toAcquaintance(
  { beacon, address, isHeard, hasAnswered }: HeardNode,
  known: readonly Json[],
): Acquaintance {
  return {
    name: toPrintableText(beacon.name),
    address,
    host: hostOf(beacon, address),
    port: beacon.port,
    isHeard,
    hasAnswered,
    known: known.find(({ nodeId }) => nodeId === beacon.nodeId),
    software: toPrintableText(beacon.software),
  };
}

function hostOf({ advertise }: Beacon, address: string): string {
  return advertise === "" ? address : advertise;
}

/** Connects as a peer would, and hears whether ZeroMQ greets. */
async function reachOf(host: string, port: number): Promise<Reach> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (reach: Reach): void => {
      socket.destroy();
      resolve(reach);
    };
    socket.setTimeout(CONNECT_MS, () => {
      end("silent");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      end(error.code === "ECONNREFUSED" ? "refused" : "silent");
    });
    socket.once("end", () => {
      end("not ZeroMQ");
    });
    socket.once("data", (greeting: Buffer) => {
      end(greeting[0] === GREETING ? "open" : "not ZeroMQ");
    });
  });
}
