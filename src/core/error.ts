/**
 * Operational errors: what can go wrong though nobody made a mistake in calling. A caller's mistake is a
 * TypeError or RangeError; a peer's fault is counted and never thrown. docs/errors.md lists the codes, and a
 * test holds the two together.
 */

/** Stable names of what went wrong. */
export const ERROR_CODES = [
  "LANKV_CLOSED",
  "LANKV_CONDITION",
  "LANKV_DATA_CLUSTER",
  "LANKV_DATA_DIR",
  "LANKV_DATA_FORMAT",
  "LANKV_DISK",
  "LANKV_FULL",
  "LANKV_IN_USE",
  "LANKV_INTERFACE",
  "LANKV_NO_DAEMON",
  "LANKV_PASSWORD",
  "LANKV_PORT",
  "LANKV_REPLICAS",
  "LANKV_SOCKET",
  "LANKV_STAMPS",
  "LANKV_TIMEOUT",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface LankvErrorOptions {
  /** What underlies it. */
  readonly cause?: unknown;
  /** Whether anything was changed before it failed. Default: no. */
  readonly stateChanged?: boolean;
}

export class LankvError extends Error {
  override readonly name = "LankvError";
  readonly code: ErrorCode;
  /** Whether anything was changed before it failed. */
  readonly stateChanged: boolean;

  /** @param message what happened, why, and what mends it */
  constructor(code: ErrorCode, message: string, options: LankvErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.stateChanged = options.stateChanged ?? false;
  }
}
