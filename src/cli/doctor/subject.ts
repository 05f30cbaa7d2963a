/** What is examined: the daemon that runs, or the one that `lankv serve` would start with the same flags. */
import { isIP } from "node:net";
import { hostname } from "node:os";
import { codeOf } from "../../net/claim-socket.js";
import { readNetworks, type Network } from "../../net/interfaces.js";
import { LankvError } from "../../core/error.js";
import { resolveOptions } from "../../node/options.js";
import { software } from "../../node/software.js";
import { REPLY_MS, type Client } from "../client.js";
import { connectToDaemon } from "../connect.js";
import { toPrintableText } from "../printable.js";
import { toObject, toObjects } from "../replies.js";
import { fail, ok, warn, type Finding } from "./finding.js";
import type { DoctorFlags } from "./flags.js";

type Json = Readonly<Record<string, unknown>>;

/** Default TCP port for Redis clients. */
const REDIS_PORT = 7379;

/** The daemon, by its own word. */
export interface RunningDaemon {
  readonly client: Client;
  readonly status: Json;
}

export interface Subject {
  readonly cluster: string;
  readonly beaconPort: number;
  readonly discovery: boolean;
  /** HOST or HOST:PORT. */
  readonly peerHosts: readonly string[];
  /** Undefined = nothing is kept on disk. */
  readonly dataDir: string | undefined;
  /** The PUB port; 0 = a free one. */
  readonly port: number;
  /** 0 = none. */
  readonly redisPort: number;
  readonly bind: string;
  /** Names that the flags or the daemon give; undefined = all. */
  readonly interfaces: readonly string[] | undefined;
  /** The machine's networks that are used. */
  readonly networks: readonly Network[];
  readonly daemon: RunningDaemon | undefined;
}

/**
 * Finds the daemon, if there is one, and what the flags leave to it.
 * @throws {RangeError} a flag outside its bounds
 */
export async function toSubject(
  flags: DoctorFlags,
): Promise<{ readonly subject: Subject; readonly findings: readonly Finding[] }> {
  const { cluster, beaconPort, peer: peers, discovery, port, dataDir, memory } = flags;
  const options = resolveOptions({
    ...(cluster === undefined ? {} : { cluster }),
    ...(beaconPort === undefined ? {} : { beaconPort }),
    ...(peers === undefined ? {} : { peers }),
    ...(port === undefined ? {} : { port }),
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(memory === undefined ? {} : { memory }),
    discovery,
  });
  const { redisPort = REDIS_PORT, bind = "127.0.0.1" } = flags;
  const given: Subject = {
    ...{ ...options, peerHosts: options.peers, redisPort, bind, daemon: undefined },
    networks: networksOf(flags.interface),
    interfaces: flags.interface,
  };
  try {
    const daemon = await findDaemon(flags);
    const findings = [aboutDaemon(daemon.status, flags)];
    return { subject: asDaemonHasIt(given, daemon, flags), findings };
  } catch (error) {
    if (!(error instanceof LankvError)) throw error;
    return { subject: given, findings: [noDaemon(error)] };
  }
}

function networksOf(interfaces: readonly string[] | undefined): readonly Network[] {
  const networks = readNetworks();
  return interfaces === undefined
    ? networks
    : networks.filter((network) => interfaces.includes(network.interface));
}

export async function peersOf(daemon: RunningDaemon | undefined): Promise<readonly Json[]> {
  return daemon === undefined ? [] : toObjects(await daemon.client.call("LANKV.PEERS"));
}

export async function statusOf(daemon: RunningDaemon): Promise<Json> {
  return toObject(await daemon.client.call("LANKV.STATUS"));
}

async function findDaemon(flags: DoctorFlags): Promise<RunningDaemon> {
  if (flags.url !== undefined && isElsewhere(flags.url)) {
    throw new LankvError(
      "LANKV_NO_DAEMON",
      "--url names a daemon on another machine, and only this machine is examined. Run 'lankv doctor' there.",
    );
  }
  const client = await connectToDaemon({ ...flags, timeout: REPLY_MS });
  try {
    return { client, status: toObject(await client.call("LANKV.STATUS")) };
  } catch (error) {
    client.close();
    throw error;
  }
}

function isElsewhere(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "localhost";
  if (host === "localhost" || host === hostname() || host === "::1" || host.startsWith("127.")) return false;
  return isIP(host) !== 4 || readNetworks().every(({ address }) => address !== host);
}

/** What runs counts for more than what the flags say of a daemon that they would start. */
function asDaemonHasIt(given: Subject, daemon: RunningDaemon, flags: DoctorFlags): Subject {
  const { cluster, beaconPort, discovery, dataDir, port } = daemon.status;
  const { interfaces: itsInterfaces } = daemon.status;
  const interfaces = flags.interface ?? (Array.isArray(itsInterfaces) ? toTexts(itsInterfaces) : undefined);
  return {
    ...given,
    daemon,
    cluster: flags.cluster ?? (typeof cluster === "string" ? cluster : given.cluster),
    beaconPort: flags.beaconPort ?? (typeof beaconPort === "number" ? beaconPort : given.beaconPort),
    discovery: flags.discovery && discovery !== false,
    peerHosts: [...new Set([...given.peerHosts, ...toTexts(daemon.status["peerHosts"])])],
    dataDir: typeof dataDir === "string" ? dataDir : undefined,
    port: typeof port === "number" ? port : given.port,
    interfaces,
    networks: networksOf(interfaces),
  };
}

function aboutDaemon(status: Json, flags: DoctorFlags): Finding {
  const text = (name: string): string => toPrintableText(String(status[name]));
  const who = `${text("name")} (${text("nodeId")}) runs, lankv ${text("version")}, ${text("state")}`;
  if (flags.cluster !== undefined && flags.cluster !== status["cluster"]) {
    return warn(
      "daemon",
      `${who}, in the cluster "${text("cluster")}", and not in "${toPrintableText(flags.cluster)}".`,
      "Restart it with that --cluster, or leave --cluster out here.",
    );
  }
  if (flags.beaconPort !== undefined && flags.beaconPort !== status["beaconPort"]) {
    return warn(
      "daemon",
      `${who}, with its beacons on UDP port ${text("beaconPort")}, and not on ${String(flags.beaconPort)}.`,
      "Restart it with that --beacon-port, or leave --beacon-port out here.",
    );
  }
  if (status["version"] !== software) {
    return warn("daemon", `${who}; this command is of lankv ${software}.`, "Restart the daemon.");
  }
  return ok("daemon", `${who}, in the cluster "${text("cluster")}".`);
}

/** A message says first what happened, and then what to do. */
function noDaemon(error: LankvError): Finding {
  const end = error.message.indexOf(". ");
  const finding = end < 0 ? error.message : error.message.slice(0, end + 1);
  const mend = end < 0 ? "Start one with 'lankv serve'." : error.message.slice(end + 2);
  // None there is no fault: the rest says how one would fare. One that is there, and cannot be asked, is.
  const isThere = error.code !== "LANKV_NO_DAEMON" || ["EACCES", "EPERM"].includes(codeOf(error.cause));
  return isThere ? fail("daemon", finding, mend) : warn("daemon", finding, mend);
}

function toTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
