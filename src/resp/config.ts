/**
 * CONFIG: what this server is set to, under the names that Redis has for it.
 *
 * Clients and tools ask for some parameters before they do anything. Those whose answer is the same for every server
 * of this kind are constants here: they can be read, and "set" only to what they are.
 */
import type { Bytes } from "../core/bytes.js";
import { BOUNDS, type Bound, type Limits } from "./limits.js";
import { readFlags, type Notifications } from "./notifications.js";

export interface Parameter {
  readonly name: string;
  get(): Bytes;
  /**
   * @returns what makes the text the parameter's value
   * @throws {RangeError} it cannot be
   */
  read(text: Bytes): () => void;
}

/** What holds for every server of this kind. */
const CONSTANTS: Readonly<Record<string, string>> = {
  "cluster-enabled": "no",
  databases: "1",
  maxmemory: "0",
  "maxmemory-policy": "noeviction",
  save: "",
};

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1_000,
  kb: 1_024,
  m: 1_000_000,
  mb: 1_048_576,
  g: 1_000_000_000,
  gb: 1_073_741_824,
};

/** What is not for subscribers has no bound of its own: its requests are not read while it does not read. */
const OTHER_OUTPUTS = "normal 0 0 0 slave 0 0 0";

export class Config {
  readonly parameters: ReadonlyMap<string, Parameter>;

  /** @param storage undefined = nothing is kept on disk */
  constructor(
    limits: Limits,
    notifications: Notifications,
    storage: { readonly fsync: "always" | "everysec" | "never" } | undefined,
    bounds: readonly Bound[] = BOUNDS,
  ) {
    const parameters = [
      constant("appendonly", storage === undefined ? "no" : "yes"),
      constant("appendfsync", storage === undefined || storage.fsync === "never" ? "no" : storage.fsync),
      ...Object.entries(CONSTANTS).map(([name, value]) => constant(name, value)),
      ...bounds.map((bound) =>
        bound.limit === "unsentBytesMax" ? outputLimit(bound, limits) : limit(bound, limits),
      ),
      notifyParameter(notifications),
    ];
    this.parameters = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  }
}

function constant(name: string, value: string): Parameter {
  return {
    name,
    get: () => value,
    read: (text) => {
      if (text.toLowerCase() !== value) throw new RangeError("can't set immutable config");
      return () => undefined;
    },
  };
}

function limit(bound: Bound, limits: Limits): Parameter {
  return {
    name: bound.parameter,
    get: () => String(limits[bound.limit]),
    read: (text) => {
      const value = bound.unit === "bytes" ? readBytes(text) : readCount(text);
      checkBound(bound, value);
      return () => {
        limits[bound.limit] = value;
      };
    },
  };
}

/** `pubsub BYTES 0 0`: of what Redis lets choose by kinds of clients, only this is a bound here. */
function outputLimit(bound: Bound, limits: Limits): Parameter {
  return {
    name: bound.parameter,
    get: () => `${OTHER_OUTPUTS} pubsub ${String(limits[bound.limit])} 0 0`,
    read: (text) => {
      const [, bytes = ""] = /^(?:normal 0 0 0 ?|slave 0 0 0 ?)*pubsub (\w+) 0 0$/.exec(text) ?? [];
      if (bytes === "") throw new RangeError("only 'pubsub BYTES 0 0' can be set");
      const value = readBytes(bytes);
      checkBound(bound, value);
      return () => {
        limits[bound.limit] = value;
      };
    },
  };
}

function notifyParameter(notifications: Notifications): Parameter {
  return {
    name: "notify-keyspace-events",
    get: () => notifications.flags,
    read: (text) => {
      readFlags(text);
      return () => {
        notifications.set(text);
      };
    },
  };
}

function checkBound({ min, max }: Bound, value: number): void {
  if (value >= min && value <= max) return;
  throw new RangeError(`argument must be between ${String(min)} and ${String(max)} inclusive`);
}

function readCount(text: Bytes): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new RangeError("argument couldn't be parsed into an integer");
}

/** A number of bytes, with a unit or without: 1mb = 1 048 576, 1m = 1 000 000. */
function readBytes(text: Bytes): number {
  const [, digits = "", unit = ""] = /^(\d{1,15})([a-z]{0,2})$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (digits !== "" && factor !== undefined) return Number(digits) * factor;
  throw new RangeError("argument must be a memory value");
}
