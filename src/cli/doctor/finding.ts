/** What a check found. The names of checks and the fields are stable: scripts lean on `doctor --json`. */

/** `warn`: it works, and somebody should look; `fail`: something does not work until it is mended. */
export type FindingStatus = "ok" | "warn" | "fail";

/** In the order in which they are made. */
export const CHECKS = [
  "node",
  "zeromq",
  "daemon",
  "data",
  "beacon-port",
  "message-port",
  "redis-port",
  "network",
  "udp",
  "container",
  "cluster",
  "protocol",
  "foreign",
  "peers",
  "peer",
  "clock",
] as const;

export type CheckName = (typeof CHECKS)[number];

export interface Finding {
  readonly check: CheckName;
  readonly status: FindingStatus;
  /** What is so, in one sentence. */
  readonly finding: string;
  /** What to do about it; null when nothing is to be done. */
  readonly mend: string | null;
}

export function ok(check: CheckName, finding: string): Finding {
  return { check, status: "ok", finding, mend: null };
}

export function warn(check: CheckName, finding: string, mend: string): Finding {
  return { check, status: "warn", finding, mend };
}

export function fail(check: CheckName, finding: string, mend: string): Finding {
  return { check, status: "fail", finding, mend };
}

/** How many things a sentence names. */
const NAMED_MAX = 5;

/** `2 nodes`, `1 node`. */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** The first of a list, and how many more there are. */
export function some(names: readonly string[]): string {
  const more = names.length - NAMED_MAX;
  return names.slice(0, NAMED_MAX).join(", ") + (more > 0 ? ` and ${String(more)} more` : "");
}
