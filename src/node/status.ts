/** What a node tells about itself, its peers and its conflicts. */
import type { Conflict } from "../core/conflicts.js";
import type { Peer } from "../core/peer.js";
import type { Departed } from "../core/presence.js";
import type { KvRecord } from "../core/record.js";
import { stampToWallMs, versionToText } from "../core/version.js";
import { monoMs } from "./ambient.js";
import type { ConflictStatus, Entry, PeerStatus, Status } from "./lankv.js";
import type { Node } from "./node.js";
import { software } from "./software.js";
import { toText, toUint8Array } from "./text.js";

export function statusOf(node: Node): Status {
  const { replica, options } = node;
  const { nodeId, name, writer, port } = replica.self;
  const up = [...replica.presence.peers.values()].filter((peer) => peer.presence === "up");
  return {
    nodeId,
    name,
    cluster: options.cluster,
    writer,
    state: replica.state,
    synced: replica.isSynced,
    keys: replica.map.values,
    expiring: replica.map.expiring,
    bytes: replica.map.bytes,
    root: replica.map.root,
    peers: up.length,
    head: replica.head,
    conflicts: replica.conflicts.count,
    uptimeMs: Math.round(monoMs() - node.startedAtMs),
    version: software,
    addresses: node.addresses,
    port,
    beaconPort: options.beaconPort,
    interfaces: options.interfaces ?? null,
    discovery: options.discovery,
    peerHosts: options.peers,
    dataDir: options.dataDir ?? null,
    loading: node.disk?.loading ?? null,
    storage: node.disk?.status() ?? null,
    clockCorrectionMs: Math.round(replica.clockOffsetMs),
    ignored: Object.fromEntries(node.ignored),
  };
}

/** Everybody who is here, then those who left without a goodbye. */
export function peersOf(node: Node): readonly PeerStatus[] {
  const { peers, departed } = node.replica.presence;
  return [...[...peers.values()].map(peerStatus), ...departed.map(departedStatus)];
}

export function peerStatus(peer: Peer): PeerStatus {
  const { vitals } = peer;
  return {
    nodeId: peer.nodeId,
    name: peer.name,
    address: peer.endpoint.slice("tcp://".length),
    state: peer.presence,
    phase: vitals.state,
    linked: peer.isLinked,
    behind: peer.stream?.behind ?? 0,
    rttMs: peer.rttMs === undefined ? null : Math.round(peer.rttMs * 100) / 100,
    keys: vitals.keys,
    root: vitals.root,
    clockOffsetMs: Math.round(peer.clockOffsetMs),
    version: peer.software,
  };
}

function departedStatus({ nodeId, name, hosts, vitals }: Departed): PeerStatus {
  return {
    nodeId,
    name,
    address: hosts.at(-1) ?? "",
    state: "gone",
    phase: vitals.state,
    linked: false,
    behind: 0,
    rttMs: null,
    keys: vitals.keys,
    root: vitals.root,
    clockOffsetMs: 0,
    version: "",
  };
}

export function conflictsOf(node: Node): readonly ConflictStatus[] {
  return node.replica.conflicts.list().map(conflictStatus);
}

export function conflictStatus({ winner, loser, foundAtMs }: Conflict): ConflictStatus {
  return { key: toText(winner.key), foundAt: foundAtMs, winner: toEntry(winner), loser: toEntry(loser) };
}

export function toEntry(record: KvRecord): Entry {
  return {
    key: toText(record.key),
    value: toText(record.value),
    bytes: toUint8Array(record.value),
    version: versionToText(record),
    origin: record.writer,
    updatedAt: stampToWallMs(record.stamp),
    expiresAt: record.expiresAtMs,
  };
}
