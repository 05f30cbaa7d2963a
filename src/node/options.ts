/** The options of a node: checked, with their defaults. */
import { hostname } from "node:os";
import { isIP } from "node:net";
import { LIMITS } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import { FSYNC_POLICIES, type FsyncPolicy } from "../core/saving.js";
import { interfaceNames } from "../net/interfaces.js";
import { ADVERTISE_BYTES_MAX, NAME_BYTES_MAX } from "../wire/beacon.js";
import { defaultDataDir } from "./data-dir.js";
import type { OpenOptions } from "./lankv.js";

/** Default UDP port of the beacons. */
export const BEACON_PORT = 5005;

export interface NodeOptions {
  readonly name: string;
  readonly cluster: string;
  /** Undefined = keep nothing on disk. */
  readonly dataDir: string | undefined;
  /** Whether somebody named it, or it is the default. */
  readonly isClusterNamed: boolean;
  /** When what is written becomes durable, if anything is kept on disk. */
  readonly fsync: FsyncPolicy;
  readonly interfaces: readonly string[] | undefined;
  readonly beaconPort: number;
  readonly peers: readonly string[];
  readonly discovery: boolean;
  /** 0 = a free one. */
  readonly port: number;
  /** "" = none. */
  readonly advertise: string;
  readonly valueBytesMax: number;
}

/** The options of `open`. */
const NAMES: Readonly<Record<keyof OpenOptions, true>> = {
  name: true,
  cluster: true,
  dataDir: true,
  memory: true,
  fsync: true,
  interfaces: true,
  beaconPort: true,
  peers: true,
  discovery: true,
  port: true,
  advertise: true,
  valueBytesMax: true,
};
export const OPTION_NAMES = Object.keys(NAMES);

/** @throws {TypeError} an option that does not exist: a slip of the pen would otherwise go unnoticed */
export function checkNames(options: unknown, names: readonly string[]): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`options must be an object, not ${options === null ? "null" : typeof options}`);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`there is no option ${unknown}, only ${names.join(", ")}`);
}

/** @throws {TypeError | RangeError} neither undefined nor a number from 0 on; Infinity is one */
export function checkAmount(name: string, value: unknown): void {
  if (value === undefined) return;
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (!(value >= 0)) throw new RangeError(`${name} must be 0 or more, not ${String(value)}`);
}

/**
 * @throws {TypeError} a value of the wrong type
 * @throws {RangeError} a value outside its bounds
 * @throws {LankvError} LANKV_INTERFACE: the machine has no such interface
 */
export function resolveOptions(options: OpenOptions): NodeOptions {
  const { memory = false, dataDir = defaultDataDir(), interfaces, peers = [], discovery = true } = options;
  const { port, advertise = "", valueBytesMax = LIMITS.valueBytesMax } = options;
  checkBoolean("memory", memory);
  checkBoolean("discovery", discovery);
  checkText("dataDir", dataDir, 1, 4096);
  if (memory && options.fsync !== undefined)
    throw new RangeError("fsync cannot be chosen together with memory, which keeps nothing on disk");
  checkInteger("valueBytesMax", valueBytesMax, 0, LIMITS.valueBytesMax);
  checkPort("port", port);
  checkPort("beaconPort", options.beaconPort);
  checkList("interfaces", interfaces);
  checkList("peers", peers);
  for (const peer of peers) checkPeer(peer);
  checkInterfaces(interfaces);
  checkText("advertise", advertise, 0, ADVERTISE_BYTES_MAX);
  if (advertise !== "" && !isHost(advertise))
    throw new RangeError(`advertise must be a host or an IPv4 address, not ${advertise}`);
  return {
    name: checkText("name", options.name ?? shortHostname(), 1, NAME_BYTES_MAX),
    cluster: checkText("cluster", options.cluster ?? "default", 1, NAME_BYTES_MAX),
    isClusterNamed: options.cluster !== undefined,
    dataDir: memory ? undefined : dataDir,
    fsync: checkFsync(options.fsync ?? "everysec"),
    interfaces,
    beaconPort: options.beaconPort ?? BEACON_PORT,
    peers,
    discovery,
    port: port ?? 0,
    advertise,
    valueBytesMax,
  };
}

function shortHostname(): string {
  const name = hostname();
  return name.length >= 1 && Buffer.byteLength(name) <= NAME_BYTES_MAX ? name : "node";
}

function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== "boolean") throw new TypeError(`${name} must be true or false, not ${String(value)}`);
}

function checkFsync(value: unknown): FsyncPolicy {
  const policy = FSYNC_POLICIES.find((each) => each === value);
  if (policy !== undefined) return policy;
  throw new RangeError(`fsync must be one of ${FSYNC_POLICIES.join(", ")}, not ${String(value)}`);
}

function checkText(name: string, value: unknown, bytesMin: number, bytesMax: number): string {
  if (typeof value !== "string") throw new TypeError(`${name} must be a string, not ${typeof value}`);
  const bytes = Buffer.byteLength(value);
  if (bytes >= bytesMin && bytes <= bytesMax) return value;
  throw new RangeError(
    `${name} must have ${String(bytesMin)} to ${String(bytesMax)} bytes, not ${String(bytes)}`,
  );
}

function checkInteger(name: string, value: unknown, min: number, max: number): void {
  if (typeof value !== "number") throw new TypeError(`${name} must be a number, not ${typeof value}`);
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(
    `${name} must be a whole number from ${String(min)} to ${String(max)}, not ${String(value)}`,
  );
}

function checkPort(name: string, value: unknown): void {
  if (value !== undefined) checkInteger(name, value, 1, 65_535);
}

function checkList(name: string, value: unknown): void {
  if (value === undefined || (Array.isArray(value) && value.every((item) => typeof item === "string")))
    return;
  throw new TypeError(`${name} must be an array of strings`);
}

function checkPeer(peer: string): void {
  const [host = "", port = "1", ...rest] = peer.split(":");
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  if (isHost(host) && isPort && rest.length === 0) return;
  throw new RangeError(`peers must be HOST or HOST:PORT (IPv4, a port from 1 to 65535), not ${peer}`);
}

function isHost(text: string): boolean {
  return isIP(text) === 4 || /^(?=.{1,253}$)[0-9A-Za-z_]([0-9A-Za-z_.-]*[0-9A-Za-z_])?$/.test(text);
}

function checkInterfaces(interfaces: readonly string[] | undefined): void {
  if (interfaces?.length === 0)
    throw new RangeError("interfaces must name at least one; leave it out for all of them");
  const known = interfaceNames();
  const unknown = interfaces?.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new LankvError(
    "LANKV_INTERFACE",
    `There is no network interface ${unknown} with an IPv4 address. This machine has: ${known.join(", ") || "none"}. ` +
      "Name one of them with --interface.",
  );
}
