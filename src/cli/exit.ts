/** How the program ends: its exit codes, and the errors that choose one. */
import { LankvError } from "../core/error.js";

/** Stable: scripts lean on them. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  keyMissing: 3,
  noDaemon: 4,
  timedOut: 5,
  conditionFailed: 6,
  unhealthy: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something that the user is told in one sentence, with what mends it. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function toExitCode(error: unknown): ExitCode {
  if (error instanceof Failure) return error.exitCode;
  if (error instanceof RangeError) return EXIT.usage;
  if (!(error instanceof LankvError)) return EXIT.error;
  switch (error.code) {
    case "LANKV_CONDITION":
      return EXIT.conditionFailed;
    case "LANKV_INTERFACE":
      return EXIT.usage;
    case "LANKV_NO_DAEMON":
      return EXIT.noDaemon;
    case "LANKV_REPLICAS":
    case "LANKV_TIMEOUT":
      return EXIT.timedOut;
    default:
      return EXIT.error;
  }
}
