/** The bounds on clients that can be set at start and, by CONFIG SET, while the server runs. */

export interface Limits {
  /** Most connections at once, 1 to 65 535; the next is told so and closed. Default: 1 000. */
  clientsMax: number;
  /** Seconds of silence after which a connection ends, 0 to a year; 0 = never. Subscribers, and who waits for the disk, are exempt. Default: 0. */
  idleSecondsMax: number;
  /** Seconds that the next byte of a request that has begun may take, 1 to a day; then the connection ends. Default: 60. */
  stallSecondsMax: number;
  /** Bytes of the longest argument, 1 to 256 MiB. A little above the longest value, which is refused in words. Default: 16 MiB. */
  argumentBytesMax: number;
  /** Bytes of all arguments of a request, 1 to 256 MiB. Default: 64 MiB. */
  requestBytesMax: number;
  /** Bytes that may wait for a subscriber that does not read, 1 MiB to 1 GiB; then the connection ends. Default: 32 MiB. */
  unsentBytesMax: number;
  /** Bytes that the buffers of all clients may hold, 16 MiB to 64 GiB; then the client that holds most is cut off. Default: 512 MiB. */
  clientBytesMax: number;
}

/** How a limit is called, and what it may be. */
export interface Bound {
  readonly limit: keyof Limits;
  /** Its name in CONFIG. */
  readonly parameter: string;
  /** The long name of the flag of `lankv serve` that sets it; undefined = none does. */
  readonly flag?: string;
  /** What is bounded, and what happens beyond. */
  readonly meaning: string;
  readonly unit: "bytes" | "seconds" | "count";
  readonly min: number;
  readonly max: number;
  readonly initial: number;
}

const MIB = 1_048_576;

export const BOUNDS: readonly Bound[] = [
  {
    limit: "clientsMax",
    parameter: "maxclients",
    flag: "max-clients",
    meaning: "clients at once; the next is told so, and its connection ends",
    unit: "count",
    min: 1,
    max: 65_535,
    initial: 1_000,
  },
  {
    limit: "idleSecondsMax",
    parameter: "timeout",
    flag: "client-timeout",
    meaning:
      "silence after which a client's connection ends, 0 = never; subscribers, and who waits for the disk, may be silent",
    unit: "seconds",
    min: 0,
    max: 31_536_000,
    initial: 0,
  },
  {
    limit: "stallSecondsMax",
    parameter: "lankv-request-timeout",
    meaning: "silence in the middle of a request after which the connection ends",
    unit: "seconds",
    min: 1,
    max: 86_400,
    initial: 60,
  },
  {
    limit: "argumentBytesMax",
    parameter: "proto-max-bulk-len",
    meaning: "the longest argument of a request; then the connection ends",
    unit: "bytes",
    min: MIB,
    max: 256 * MIB,
    initial: 16 * MIB,
  },
  {
    limit: "requestBytesMax",
    parameter: "client-query-buffer-limit",
    flag: "client-query-limit",
    meaning: "all arguments of a request; then the connection ends",
    unit: "bytes",
    min: MIB,
    max: 256 * MIB,
    initial: 64 * MIB,
  },
  {
    limit: "unsentBytesMax",
    parameter: "client-output-buffer-limit",
    flag: "client-output-limit",
    meaning: "what waits for a subscriber that does not read; then its connection ends",
    unit: "bytes",
    min: MIB,
    max: 1_024 * MIB,
    initial: 32 * MIB,
  },
  {
    limit: "clientBytesMax",
    parameter: "maxmemory-clients",
    flag: "clients-memory",
    meaning: "the buffers of all clients; then the client that holds most is cut off",
    unit: "bytes",
    min: 16 * MIB,
    max: 65_536 * MIB,
    initial: 512 * MIB,
  },
];

/** @param connectionsMax as many clients as the process can hold; Infinity = it does not say */
export function boundsWithin(connectionsMax: number): readonly Bound[] {
  return BOUNDS.map((bound) =>
    bound.limit === "clientsMax" && connectionsMax < bound.max
      ? { ...bound, max: connectionsMax, initial: Math.min(bound.initial, connectionsMax) }
      : bound,
  );
}

/** @throws {RangeError} one of the given is outside its bounds */
export function toLimits(given: Partial<Limits>, bounds: readonly Bound[] = BOUNDS): Limits {
  const limits: Limits = {
    clientsMax: 0,
    idleSecondsMax: 0,
    stallSecondsMax: 0,
    argumentBytesMax: 0,
    requestBytesMax: 0,
    unsentBytesMax: 0,
    clientBytesMax: 0,
  };
  for (const { limit, min, max, initial } of bounds) {
    const value = given[limit] ?? initial;
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(
        `${limit} must be a whole number from ${String(min)} to ${String(max)}, not ${String(value)}`,
      );
    }
    limits[limit] = value;
  }
  return limits;
}
