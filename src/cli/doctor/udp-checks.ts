/** Whether beacons leave this machine and come in, and what comes in that is not of this cluster. */
import { murmur3 } from "../../core/hash.js";
import { toPrintableText } from "../printable.js";
import type { Ear, Site } from "./ear.js";
import { counted, fail, ok, some, warn, type Finding } from "./finding.js";
import type { Subject } from "./subject.js";

function openUdp(port: number): string {
  const shown = String(port);
  return (
    `Let UDP port ${shown} in and out on this machine: 'ufw allow ${shown}/udp', 'firewall-cmd --permanent ` +
    `--add-port=${shown}/udp && firewall-cmd --reload', or what your firewall has for it.`
  );
}

/** @param daemonAnswered undefined = there is no daemon */
export function checkUdp(
  ear: Ear,
  subject: Subject,
  daemonAnswered: boolean | undefined,
): readonly Finding[] {
  const findings = ear.sites.map((site) => checkSite(site, subject.beaconPort));
  const isWell = findings.every(({ status }) => status === "ok");
  if (daemonAnswered === false && isWell && findings.length > 0) {
    findings.push(
      fail(
        "udp",
        `The daemon does not answer on UDP port ${String(subject.beaconPort)}, though beacons reach this machine.`,
        "See with 'lankv status' that it uses these networks, and restart it.",
      ),
    );
  }
  return findings;
}

function checkSite({ network, bindCode, sendCode, isHeard }: Site, port: number): Finding {
  const { interface: name, address, broadcast = "" } = network;
  const where = `${name} (${address})`;
  const what = `a beacon to ${broadcast}, UDP port ${String(port)},`;
  if (bindCode !== "") {
    return fail(
      "udp",
      `${where}: nothing can be heard, for the port cannot be bound (${bindCode}).`,
      `'ss -ulpn sport = :${String(port)}' names the program that holds it. Stop it, or choose another port on every ` +
        "node with --beacon-port.",
    );
  }
  if (sendCode === "EPERM" || sendCode === "EACCES") {
    return fail(
      "udp",
      `${where}: ${what} is refused by this machine's firewall as it goes out.`,
      openUdp(port),
    );
  }
  if (sendCode !== "") {
    return fail(
      "udp",
      `${where}: ${what} cannot leave (${sendCode}).`,
      "See with 'ip route' that this network has a route.",
    );
  }
  if (!isHeard) {
    return fail(
      "udp",
      `${where}: ${what} does not come back to this machine itself: its own firewall drops it.`,
      openUdp(port),
    );
  }
  return ok("udp", `${where}: ${what} leaves and comes in.`);
}

/**
 * Nodes of other clusters and of other versions, and other programs on the port.
 * @param isAlone whether no node of the own cluster was found, of which this may be the reason
 * @param ignored what the daemon has ignored since its start, by reason
 */
export function checkStrangers(
  ear: Ear,
  { cluster, beaconPort }: Subject,
  isAlone: boolean,
  ignored: Readonly<Record<string, unknown>>,
): readonly Finding[] {
  const findings: Finding[] = [];
  const since = (reason: string): number => Number(ignored[`beacon: ${reason}`] ?? 0);
  const others = [...ear.otherClusters.values()].map(
    ({ beacon, address }) => `${toPrintableText(beacon.name)} (${address}, ${toClusterName(beacon.cluster)})`,
  );
  const own = `This one is "${toPrintableText(cluster)}"`;
  if (others.length > 0) {
    const finding = `${counted(others.length, "node")} of another cluster: ${some(others)}. ${own}.`;
    const mend = "If they belong together, start all of them with the same --cluster NAME.";
    findings.push(isAlone ? fail("cluster", finding, mend) : ok("cluster", finding));
  } else if (since("other cluster") > 0) {
    const heard = counted(since("other cluster"), "beacon");
    findings.push(
      ok("cluster", `The daemon has heard ${heard} of other clusters, and none was heard now. ${own}.`),
    );
  }
  const versions = [...ear.otherVersions].map(
    ([address, version]) => `${address} (version "${toPrintableText(version)}")`,
  );
  if (versions.length > 0 || since("other protocol version") > 0) {
    const who =
      versions.length > 0
        ? some(versions)
        : `${counted(since("other protocol version"), "beacon")} since its start`;
    const finding = `Nodes with another version of the protocol, which this one does not understand: ${who}.`;
    findings.push(
      (isAlone ? fail : warn)("protocol", finding, "Install the same version of lankv on every machine."),
    );
  }
  const strange = [...ear.foreign].map(([address, count]) => `${String(count)} from ${address}`);
  const sinceStart = since("not lankv") + since("malformed");
  if (strange.length > 0 || sinceStart > 0) {
    const what = strange.length > 0 ? some(strange) : `${String(sinceStart)} since the daemon's start`;
    findings.push(
      warn(
        "foreign",
        `Datagrams on UDP port ${String(beaconPort)} that are not lankv's: ${what}. They are ignored.`,
        "Another program uses the port. If that is much, choose the same other port on every node with --beacon-port.",
      ),
    );
  }
  return findings;
}

/** A beacon has only the hash of its cluster's name. */
function toClusterName(hash: number): string {
  return hash === murmur3("default", 0)
    ? 'cluster "default"'
    : `cluster ${hash.toString(16).padStart(8, "0")}`;
}
