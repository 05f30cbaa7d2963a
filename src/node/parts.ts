/** What a node is made of, opened together: the replica, its sockets and its data directory. */
import { join } from "node:path";
import createDebug from "debug";
import type { Input } from "../core/effect.js";
import { murmur3 } from "../core/hash.js";
import { mintId } from "../core/identity.js";
import { Replica } from "../core/replica.js";
import { BeaconSocket } from "../net/beacon-socket.js";
import { Mesh } from "../net/mesh.js";
import { Log } from "../storage/log.js";
import { decodeBeacon, encodeCall, isCall } from "../wire/beacon.js";
import { monoMs, random } from "./ambient.js";
import { Calls } from "./calls.js";
import { DataDir, LOG_NAME, RESERVE_NAME } from "./data-dir.js";
import { Disk } from "./disk.js";
import type { NodeOptions } from "./options.js";
import { software } from "./software.js";

const debug = createDebug("lankv:node");

export interface Parts {
  readonly options: NodeOptions;
  readonly replica: Replica;
  readonly mesh: Mesh;
  readonly beacons: BeaconSocket;
  /** Undefined = nothing is kept on disk. */
  readonly dataDir: DataDir | undefined;
  readonly disk: Disk | undefined;
  /** What was not for this node, by reason. */
  readonly ignored: ReadonlyMap<string, number>;
  /** The addresses that the mesh is bound to; undefined = all of the machine. */
  readonly hosts: readonly string[] | undefined;
}

/**
 * Opens all, or nothing: what was opened is closed again when the rest fails.
 * @param onInput called with everything that comes from the network
 * @throws {LankvError} LANKV_PORT, LANKV_DATA_DIR, LANKV_DATA_FORMAT, LANKV_DATA_CLUSTER, LANKV_IN_USE
 */
export async function openParts(options: NodeOptions, onInput: (input: Input) => void): Promise<Parts> {
  const opened: { close(): Promise<void> }[] = [];
  const ignored = new Map<string, number>();
  const late: { calls?: Calls } = {};
  const count = (reason: string): void => {
    ignored.set(reason, (ignored.get(reason) ?? 0) + 1);
    debug("ignored: %s", reason);
  };
  try {
    const dataDir = options.dataDir === undefined ? undefined : await DataDir.open(options.dataDir);
    if (dataDir !== undefined) opened.push(dataDir);
    const keptId = await dataDir?.readNodeId();
    const nodeId = keptId ?? mintId(random);
    await dataDir?.claimFor(options.cluster, options.isClusterNamed);
    // That its disk is full is no reason for a node not to serve what it holds.
    if (keptId === undefined) await dataDir?.writeNodeId(nodeId);
    const writer = mintId(random);
    const cluster = murmur3(Buffer.from(options.cluster).toString("latin1"), 0);
    const { beaconPort, interfaces, peers, discovery } = options;
    const beacons = await BeaconSocket.open(
      { port: beaconPort, interfaces, peers, call: encodeCall(cluster, mintId(random)), discovery, monoMs },
      (datagram, from, port) => {
        const beacon = decodeBeacon(datagram, cluster);
        if (typeof beacon === "string") count(`beacon: ${beacon}`);
        else if (isCall(beacon)) late.calls?.handle(from, port);
        else onInput({ type: "beacon", beacon, from });
      },
    );
    opened.push(beacons);
    const hosts = interfaces === undefined ? undefined : beacons.networks().map(({ address }) => address);
    const mesh = await Mesh.open(
      { writer, port: options.port, hosts, monoMs },
      {
        onMessage: (message) => {
          onInput({ type: "message", message });
        },
        onSubscription: (peer, present) => {
          onInput({ type: "subscription", writer: peer, present });
        },
        onMalformed: () => {
          count("message: malformed");
        },
      },
    );
    const { name, advertise } = options;
    const self = { nodeId, writer, name, cluster, port: mesh.port, advertise, software };
    const replica = new Replica({
      ...self,
      random,
      ...(dataDir === undefined ? {} : { fsync: options.fsync }),
    });
    late.calls = new Calls(replica, beacons);
    const disk = dataDir === undefined ? undefined : await openDisk(dataDir, replica, options);
    return { options, replica, mesh, beacons, dataDir, disk, ignored, hosts };
  } catch (error) {
    for (const part of opened.reverse()) await part.close();
    throw error;
  }
}

async function openDisk(
  dataDir: DataDir,
  { map, saving }: Replica,
  { fsync, cluster }: NodeOptions,
): Promise<Disk | undefined> {
  if (saving === undefined) return undefined;
  const place = { directory: join(dataDir.path, LOG_NAME), reserve: join(dataDir.path, RESERVE_NAME) };
  const storage = await Log.open(place, {
    get records() {
      return map.records;
    },
    get bytes() {
      return map.bytes;
    },
    isSuperseded: (record) => saving.isSuperseded(record),
    slots: {
      of: (record) => saving.slotOf(record),
      at: (slot) => map.storedAt(slot),
      bytesAt: (slot) => map.bytesAt(slot),
    },
  });
  return new Disk({ storage, saving, fsync, cluster, damages: dataDir.damages });
}
