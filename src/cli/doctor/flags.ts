/** The flags of `lankv doctor`: those of `lankv serve` that say where a node is and whom it looks for. */
import type { Option } from "commander";
import { flag, readList, readPort, readPortOrNone, type GlobalFlags } from "../flags.js";

export interface DoctorFlags extends GlobalFlags {
  readonly cluster?: string;
  readonly dataDir?: string;
  readonly memory?: true;
  readonly interface?: readonly string[];
  readonly beaconPort?: number;
  readonly peer?: readonly string[];
  readonly discovery: boolean;
  readonly port?: number;
  readonly redisPort?: number;
  readonly bind?: string;
}

export function doctorOptions(): readonly Option[] {
  return [
    flag("--cluster <name>", "the cluster to look for (default: the daemon's, or default)"),
    flag("--data-dir <dir>", "the data directory to look at (default: the daemon's, or the platform's)"),
    flag("--memory", "there is no data directory"),
    flag("--interface <name...>", "use only these network interfaces", readList),
    flag("--beacon-port <port>", "UDP port of the beacons (default: the daemon's, or 5005)", readPort),
    flag("--peer <host...>", "hosts that a node must answer from: HOST[:PORT]", readList),
    flag("--no-discovery", "broadcast to no network, call only --peer"),
    flag("--port <port>", "TCP port for messages between nodes (default: a free one)", readPort),
    flag("--redis-port <port>", "TCP port for Redis clients, 0 = off (default: 7379)", readPortOrNone),
    flag("--bind <address>", "address of --redis-port (default: 127.0.0.1)"),
  ];
}
