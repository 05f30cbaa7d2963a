/** SET and LANKV.SET: one write with its conditions, decided on this node. */
import type { Bytes } from "../core/bytes.js";
import type { KvRecord } from "../core/record.js";
import { versionToText } from "../core/version.js";
import { EXPIRES_MAX_MS } from "../wire/records.js";
import { isOneOf, readOptions, syntaxError, toInteger } from "./arguments.js";
import { CommandError, ONE_KEY, type Command } from "./command.js";
import type { Keyspace } from "./keyspace.js";
import { OK } from "./reply.js";

const BARE = ["NX", "XX", "GET", "KEEPTTL"];
const EXPIRIES = ["EX", "PX", "EXAT", "PXAT"] as const;

interface SetDemand {
  readonly nx: boolean;
  readonly xx: boolean;
  readonly get: boolean;
  readonly ifVersion: string | undefined;
  readonly expiresAtMs: (held: KvRecord | undefined) => number | undefined;
}

const PLAIN: SetDemand = {
  nx: false,
  xx: false,
  get: false,
  ifVersion: undefined,
  expiresAtMs: () => undefined,
};

export const setCommands: readonly Command[] = [
  {
    name: "set",
    arity: -3,
    flags: ["write"],
    keys: ONE_KEY,
    summary: "Writes a value: SET key value [NX|XX] [GET] [EX s|PX ms|EXAT s|PXAT ms|KEEPTTL]",
    syntax: "",
    group: "string",
    guarantee: "everywhere",
    handler: (args, { keyspace }) => {
      const key = args[0] ?? "";
      const demand = args.length === 2 ? PLAIN : readDemand(args, keyspace, "set");
      const held = demand === PLAIN ? undefined : keyspace.get(key);
      const isDone = write(keyspace, key, args[1] ?? "", demand, held) !== undefined;
      if (demand.get) return held?.value ?? null;
      return isDone ? OK : null;
    },
  },
  {
    name: "lankv.set",
    arity: -3,
    flags: ["write"],
    keys: ONE_KEY,
    summary:
      "Writes a value and returns the version of the write: as SET, and with IFVERSION version; null when a condition fails",
    syntax: "",
    group: "string",
    guarantee: "everywhere",
    handler: (args, { keyspace }) => {
      const key = args[0] ?? "";
      const demand = readDemand(args, keyspace, "lankv.set");
      const record = write(keyspace, key, args[1] ?? "", demand, keyspace.get(key));
      return record === undefined ? null : versionToText(record);
    },
  },
];

/** @returns undefined when a condition does not hold: nothing was written */
function write(
  keyspace: Keyspace,
  key: Bytes,
  value: Bytes,
  demand: SetDemand,
  held: KvRecord | undefined,
): KvRecord | undefined {
  if (demand.nx && held !== undefined) return undefined;
  if (demand.xx && held === undefined) return undefined;
  if (demand.ifVersion !== undefined && (held === undefined || versionToText(held) !== demand.ifVersion)) {
    return undefined;
  }
  return keyspace.set(key, value, demand.expiresAtMs(held));
}

function readDemand(args: readonly Bytes[], keyspace: Keyspace, command: string): SetDemand {
  const given = new Map<string, Bytes>();
  for (const [name, value] of readOptions(args, 2, BARE)) {
    if (given.has(name)) throw syntaxError();
    given.set(name, value);
  }
  const ends = [...given.keys()].filter((name) => name === "KEEPTTL" || isOneOf(name, EXPIRIES));
  const isKnown = (name: string): boolean =>
    BARE.includes(name) || isOneOf(name, EXPIRIES) || (name === "IFVERSION" && command === "lankv.set");
  const contradicts = (given.has("NX") && given.has("XX")) || ends.length > 1;
  if (contradicts || ![...given.keys()].every(isKnown)) throw syntaxError();
  const end = ends[0];
  let expiresAtMs: SetDemand["expiresAtMs"] = () => undefined;
  if (end === "KEEPTTL") {
    expiresAtMs = (held) => held?.expiresAtMs;
  } else if (end !== undefined) {
    const atMs = readExpiry(end, given.get(end), keyspace.nowMs(), command);
    expiresAtMs = () => atMs;
  }
  return {
    nx: given.has("NX"),
    xx: given.has("XX"),
    get: given.has("GET"),
    ifVersion: given.get("IFVERSION"),
    expiresAtMs,
  };
}

function readExpiry(option: string, text: Bytes | undefined, nowMs: number, command: string): number {
  const amount = toInteger(text);
  const ms = option.startsWith("EX") ? amount * 1000 : amount;
  const atMs = option.endsWith("AT") ? ms : Math.round(nowMs) + ms;
  if (amount <= 0 || atMs > EXPIRES_MAX_MS) {
    throw new CommandError(`ERR invalid expire time in '${command}' command`);
  }
  return atMs;
}
