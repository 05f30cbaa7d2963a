/**
 * The beacon: one UDP datagram of at most 512 bytes.
 *
 *     magic      4 bytes "LKV1": the program and the version of its protocol
 *     cluster    4 bytes: MurmurHash3 of the cluster's name, seed 0
 *     vitals     as below
 *     flags      1 byte: bit 0 hello, bit 1 goodbye, both for a call, rest 0
 *     port       2 bytes, 1..65535
 *     name       varint length 0..64, UTF-8
 *     advertise  varint length 0..253, ASCII
 *     software   varint length 0..32, ASCII
 *
 *     vitals (also the body of a tick)
 *     node id    8 bytes
 *     writer     8 bytes
 *     wall       6 bytes, Unix milliseconds
 *     head       varint
 *     root       8 bytes
 *     keys       varint
 *     state      1 byte: 0 seeking, 1 pulling, 2 live, 3 offline
 *
 * Numbers are big-endian. What follows the last field belongs to a later version and is ignored.
 */
import { toFrame } from "../core/bytes.js";
import { STATES, type Beacon, type Vitals } from "../core/message.js";
import { Reader } from "./reader.js";
import { Writer } from "./writer.js";

export const BEACON_BYTES_MAX = 512;
export const NAME_BYTES_MAX = 64;
export const ADVERTISE_BYTES_MAX = 253;
export const SOFTWARE_BYTES_MAX = 32;
/** Upper bound of the vitals' bytes. */
export const VITALS_BYTES_MAX = 48;

const MAGIC = "LKV";
const PROTOCOL = "1";
const HELLO = 1;
const GOODBYE = 2;

/** Why a datagram is not for this node. */
export type Foreign = "not lankv" | "other protocol version" | "malformed" | "other cluster";

export function encodeBeacon(beacon: Beacon): Buffer {
  const writer = new Writer(BEACON_BYTES_MAX);
  writer.ascii(MAGIC + PROTOCOL);
  writer.u32(beacon.cluster);
  writeVitals(writer, beacon);
  writer.u8((beacon.hello ? HELLO : 0) | (beacon.goodbye ? GOODBYE : 0));
  writer.u16(beacon.port);
  writer.text(beacon.name);
  writer.bytes(beacon.advertise);
  writer.bytes(beacon.software);
  return writer.finish();
}

/** @param cluster the hash of this node's cluster */
export function decodeBeacon(datagram: Buffer, cluster: number): Beacon | Foreign {
  if (datagram.toString("latin1", 0, 3) !== MAGIC) return "not lankv";
  if (datagram.toString("latin1", 3, 4) !== PROTOCOL) return "other protocol version";
  if (datagram.length > BEACON_BYTES_MAX) return "malformed";
  const reader = new Reader(toFrame(datagram), 4);
  const itsCluster = reader.u32();
  const vitals = readVitals(reader);
  const flags = reader.u8();
  const port = reader.u16();
  const name = reader.text(NAME_BYTES_MAX);
  const advertise = reader.bytes(ADVERTISE_BYTES_MAX);
  const software = reader.bytes(SOFTWARE_BYTES_MAX);
  if (!reader.ok || port === 0 || !isHost(advertise)) return "malformed";
  if (itsCluster !== cluster) return "other cluster";
  return {
    ...vitals,
    cluster: itsCluster,
    name,
    port,
    advertise,
    software,
    hello: (flags & HELLO) !== 0,
    goodbye: (flags & GOODBYE) !== 0,
  };
}

/**
 * A beacon that asks who is there. What it says of its sender means nothing but the cluster.
 * @param writer tells the caller its own call, should that come back; no node's
 */
export function encodeCall(cluster: number, writer: string): Buffer {
  return encodeBeacon({
    ...{ nodeId: writer, writer, wallMs: 0, head: 0, root: "0".repeat(16), keys: 0, state: "seeking" },
    ...{ cluster, port: 1, name: "", advertise: "", software: "", hello: true, goodbye: true },
  });
}

/** Whether somebody asks who is there, and wants to be told by unicast: no node, and no peer of anybody. */
export function isCall({ hello, goodbye }: Beacon): boolean {
  return hello && goodbye;
}

export function writeVitals(writer: Writer, vitals: Vitals): void {
  writer.id(vitals.nodeId);
  writer.id(vitals.writer);
  writer.u48(Math.min(Math.max(Math.floor(vitals.wallMs), 0), 2 ** 48 - 1));
  writer.varint(vitals.head);
  writer.id(vitals.root);
  writer.varint(vitals.keys);
  writer.u8(STATES.indexOf(vitals.state));
}

export function readVitals(reader: Reader): Vitals {
  const nodeId = reader.id();
  const writer = reader.id();
  const wallMs = reader.u48();
  const head = reader.varint(Number.MAX_SAFE_INTEGER);
  const root = reader.id();
  const keys = reader.varint(Number.MAX_SAFE_INTEGER);
  const state = STATES[reader.u8()];
  if (state === undefined) reader.fail();
  return { nodeId, writer, wallMs, head, root, keys, state: state ?? "seeking" };
}

/** A host name, an IPv4 or IPv6 address, or nothing: what may stand in an endpoint without changing its meaning. */
function isHost(text: string): boolean {
  return /^[0-9A-Za-z.:_%-]*$/.test(text);
}
