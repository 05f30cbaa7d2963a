/** How many files the system lets this process hold open, for each connection is one. */
import { readFile } from "node:fs/promises";

/** How many are kept for the node itself: two connections to each peer, its other sockets, and what it reads. */
const RESERVED_MAX = 256;

/**
 * How many clients may be connected at once, so that the node keeps what it needs: the limit less 256, or half of a
 * limit below 512. Infinity where the system does not say what the limit is; only Linux does.
 */
export async function connectionsMax(): Promise<number> {
  if (process.platform !== "linux") return Infinity;
  return connectionsOf(await readFile("/proc/self/limits", "utf8").catch(() => ""));
}

/** @param limits the text of /proc/self/limits */
export function connectionsOf(limits: string): number {
  const [, soft] = /^Max open files +(\d+) /m.exec(limits) ?? [];
  if (soft === undefined) return Infinity;
  const files = Number(soft);
  return Math.max(1, files - Math.min(RESERVED_MAX, Math.ceil(files / 2)));
}
