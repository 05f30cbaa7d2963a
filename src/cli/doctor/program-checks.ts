/** Whether the program can run on this machine at all. */
import { fail, ok, type Finding } from "./finding.js";

/** The oldest Node.js that lankv runs with, as package.json has it. */
export const NODE_OLDEST = "20.15";

export function checkNode(version = process.versions.node): Finding {
  if (!isOlder(version, NODE_OLDEST)) return ok("node", `Node.js ${version}.`);
  return fail(
    "node",
    `Node.js ${version} is too old: lankv needs ${NODE_OLDEST} or newer.`,
    "Install a newer Node.js, from your distribution or nodejs.org, and lankv anew with it.",
  );
}

/** The nodes' messages go through ZeroMQ, which is a native library. */
export async function checkZeromq(): Promise<Finding> {
  try {
    const { version } = await import("zeromq");
    return ok("zeromq", `ZeroMQ ${version} loads.`);
  } catch (error) {
    const { platform, arch } = process;
    if (arch === "arm") {
      return fail(
        "zeromq",
        "This is a 32-bit ARM system, and ZeroMQ has no binary for it: no node can run here.",
        "Install the 64-bit system (64-bit Raspberry Pi OS; any Raspberry Pi from the 3 on can), or use any Redis client " +
          "here with a node elsewhere.",
      );
    }
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return fail(
      "zeromq",
      `ZeroMQ does not load on ${platform} ${arch}: ${reason}`,
      "Install lankv anew on this machine ('npm install', not a copy of another machine's node_modules). There are " +
        "binaries for Linux x64 and arm64, macOS and Windows.",
    );
  }
}

function isOlder(version: string, oldest: string): boolean {
  const [has, needs] = [version, oldest].map((text) => text.split(".").map(Number));
  for (const [place, need] of needs?.entries() ?? []) {
    const part = has?.[place] ?? 0;
    if (part !== need) return part < need;
  }
  return false;
}
