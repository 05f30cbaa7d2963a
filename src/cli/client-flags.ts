/** The flags of `lankv serve` that bound what Redis clients may take, from the table that CONFIG uses. */
import { InvalidArgumentError, type Option } from "commander";
import { BOUNDS, type Bound, type Limits } from "../resp/limits.js";
import { flag, readCount, readSeconds, readSize } from "./flags.js";

const KINDS = {
  count: { argument: "<n>", read: readCount, show: String },
  seconds: {
    argument: "<duration>",
    read: readSeconds,
    show: (seconds: number) => (seconds === 0 ? "0" : `${String(seconds)}s`),
  },
  bytes: { argument: "<size>", read: readSize, show: (bytes: number) => `${String(bytes / 1_048_576)}MiB` },
} as const;

export interface ClientFlags {
  readonly maxClients?: number;
  /** Seconds. */
  readonly clientTimeout?: number;
  /** Bytes, as the two below. */
  readonly clientQueryLimit?: number;
  readonly clientOutputLimit?: number;
  readonly clientsMemory?: number;
}

export function clientOptions(): readonly Option[] {
  return BOUNDS.flatMap((bound) => (bound.flag === undefined ? [] : toOption(bound.flag, bound)));
}

/** The limits that were given. */
export function toLimits(flags: ClientFlags): Partial<Limits> {
  const given: Readonly<Partial<Record<keyof Limits, number | undefined>>> = {
    clientsMax: flags.maxClients,
    idleSecondsMax: flags.clientTimeout,
    requestBytesMax: flags.clientQueryLimit,
    unsentBytesMax: flags.clientOutputLimit,
    clientBytesMax: flags.clientsMemory,
  };
  const limits: Partial<Limits> = {};
  for (const { limit } of BOUNDS) {
    const value = given[limit];
    if (value !== undefined) limits[limit] = value;
  }
  return limits;
}

function toOption(name: string, { meaning, unit, min, max, initial }: Bound): Option {
  const { argument, read, show } = KINDS[unit];
  return flag(`--${name} ${argument}`, `${meaning} (default: ${show(initial)})`, (text) => {
    const value = read(text);
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be from ${show(min)} to ${show(max)}.`);
  });
}
