/**
 * The machine's network devices as Linux describes them, also those without an address. Elsewhere, and where /sys is not
 * mounted, there are none to read, and what depends on them is taken to be well.
 */
import { readdirSync, readFileSync, existsSync } from "node:fs";
import { join } from "node:path";

const DEVICES = "/sys/class/net";
/** Bits of a device's flags. */
const UP = 0x1;
const BROADCAST = 0x2;
const LOOPBACK = 0x8;

export interface Link {
  readonly name: string;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  /** False on tunnels, which have one other end. */
  readonly hasBroadcast: boolean;
  readonly isLoopback: boolean;
  /** It is a device of the machine's hardware, or of a virtual machine's. */
  readonly isHardware: boolean;
  /** A bridge that no device of the machine's hardware is part of, such as docker0: it leads to containers only. */
  readonly isInner: boolean;
}

export function readLinks(): ReadonlyMap<string, Link> {
  const names = existsSync(DEVICES) ? readdirSync(DEVICES) : [];
  return new Map(names.filter((name) => read(name, "flags") !== "").map((name) => [name, toLink(name)]));
}

/** Whether this process is in a container, as far as that shows. */
export function isInContainer(env: NodeJS.ProcessEnv = process.env): boolean {
  return existsSync("/.dockerenv") || existsSync("/run/.containerenv") || (env["container"] ?? "") !== "";
}

function toLink(name: string): Link {
  const flags = Number(read(name, "flags"));
  return {
    name,
    isUp: (flags & UP) !== 0,
    hasCarrier: read(name, "carrier") === "1",
    hasBroadcast: (flags & BROADCAST) !== 0,
    isLoopback: (flags & LOOPBACK) !== 0,
    isHardware: existsSync(join(DEVICES, name, "device")),
    isInner: isInnerBridge(name),
  };
}

function isInnerBridge(name: string): boolean {
  if (!existsSync(join(DEVICES, name, "bridge"))) return false;
  const ports = readdirSync(join(DEVICES, name, "brif"));
  return ports.every((port) => !existsSync(join(DEVICES, port, "device")));
}

/** What a device's file holds; "" when that cannot be read, as the carrier of a device that is down. */
function read(name: string, file: string): string {
  try {
    return readFileSync(join(DEVICES, name, file), "latin1").trim();
  } catch (error) {
    if (error instanceof Error) return "";
    throw error;
  }
}
