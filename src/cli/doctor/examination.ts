/** All checks but that of Node.js, in order. */
import { setTimeout as pause } from "node:timers/promises";
import { murmur3 } from "../../core/hash.js";
import { readNetworks } from "../../net/interfaces.js";
import { checkClock } from "./clock-check.js";
import { checkData } from "./data-check.js";
import { Ear } from "./ear.js";
import type { DoctorFlags } from "./flags.js";
import { readLinks } from "./links.js";
import { broadcastingNetworks, checkContainer, checkNetworks } from "./network-checks.js";
import { checkPeers, othersOf } from "./peer-checks.js";
import { checkPorts } from "./port-checks.js";
import { checkZeromq } from "./program-checks.js";
import type { Report } from "./report.js";
import { peersOf, statusOf, toSubject, type Subject } from "./subject.js";
import { checkStrangers, checkUdp } from "./udp-checks.js";

/** How long others are listened for: each sends a beacon every second. */
const LISTEN_MS = 3_000;
/** Time between two calls. */
const CALL_EVERY_MS = 250;

export async function examine(flags: DoctorFlags, report: Report): Promise<void> {
  report.add([await checkZeromq()]);
  const { subject, findings } = await toSubject(flags);
  try {
    report.add(findings);
    report.add(await checkData(subject));
    report.add(await checkPorts(subject));
    await examineLan(subject, flags.timeout ?? LISTEN_MS, report);
  } finally {
    subject.daemon?.client.close();
  }
}

async function examineLan(subject: Subject, listenMs: number, report: Report): Promise<void> {
  const { beaconPort, daemon, discovery } = subject;
  const links = readLinks();
  report.add(checkNetworks(subject, links));
  const networks = discovery ? broadcastingNetworks(subject.networks, links) : [];
  const ear = await Ear.open({ cluster: toHash(subject.cluster), port: beaconPort, networks });
  try {
    report.pause(`listening on UDP port ${String(beaconPort)} for ${String(listenMs / 1_000)} s ...`);
    for (const host of subject.peerHosts) await ear.add(host);
    for (const { address } of await peersOf(daemon)) {
      const [host = ""] = String(address).split(":");
      if (host !== "") await ear.add(host);
    }
    await listen(ear, listenMs);
  } finally {
    await ear.close();
  }
  const status = daemon === undefined ? {} : await statusOf(daemon);
  const ownWriter = typeof status["writer"] === "string" ? status["writer"] : undefined;
  const own = ownWriter === undefined ? undefined : ear.nodes.get(ownWriter)?.hasAnswered === true;
  const others = othersOf(ear, ownWriter);
  report.add(checkUdp(ear, subject, own));
  const [known, ownUptimeMs] = [await peersOf(daemon), Number(status["uptimeMs"] ?? 0)];
  // Who is behind an address translation is heard by the daemon only.
  const isAlone = others.length === 0 && known.every(({ linked }) => linked !== true);
  report.add(checkContainer(subject, links, isAlone));
  report.add(checkStrangers(ear, subject, isAlone, toCounts(status["ignored"])));
  const all = readNetworks();
  report.add(
    await checkPeers({ ear, subject, known, listenedMs: listenMs, ownWriter, ownUptimeMs, links: all }),
  );
  const offsets = others.map(({ beacon, clockOffsetMs }) => ({ name: beacon.name, offsetMs: clockOffsetMs }));
  report.add(checkClock(offsets, Date.now()));
}

/** Calls in turn by broadcast and by unicast, since a node answers only one of two calls that come at once. */
async function listen(ear: Ear, forMs: number): Promise<void> {
  const endsAtMs = performance.now() + forMs;
  for (let turn = 0; performance.now() < endsAtMs; turn += 1) {
    if (turn % 2 === 0) ear.callAll();
    else ear.callEach();
    await pause(Math.max(0, Math.min(CALL_EVERY_MS, endsAtMs - performance.now())));
  }
}

function toHash(cluster: string): number {
  return murmur3(Buffer.from(cluster).toString("latin1"), 0);
}

function toCounts(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
