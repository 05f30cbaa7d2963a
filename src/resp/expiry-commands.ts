/** Commands on when keys expire. */
import type { Bytes } from "../core/bytes.js";
import { CommandError, ONE_KEY, type Command, type Handler } from "./command.js";
import { EXPIRY_FORMS, toExpiry, type ExpiryForm } from "./expiry.js";
import type { Keyspace } from "./keyspace.js";
import { setExpiry } from "./write.js";

const NOTE =
  "Writes the key anew with the value held here: of this and a SET at once on another node the later wins.";

const CONDITIONS = ["NX", "XX", "GT", "LT"];

/** EXPIRE in the form of its name. */
function expire(
  name: string,
  form: ExpiryForm,
  details: Pick<Command, "summary" | "syntax" | "since">,
): Command {
  return {
    ...details,
    name,
    arity: -3,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    group: "generic",
    guarantee: "this node",
    complexity: "O(1)",
    note: NOTE,
    handler: (args, context) => {
      const conditions = readConditions(args);
      const { keyspace } = context;
      const atMs = toExpiry(form, args[1], keyspace.nowMs(), name);
      const held = keyspace.get(args[0] ?? "");
      if (held === undefined || !isAllowed(conditions, atMs, held.expiresAtMs)) return 0;
      setExpiry(context, held, atMs);
      return 1;
    },
  };
}

/** TTL and its relatives: what is shown of the time at which a key expires. */
function tell(name: string, details: Pick<Command, "summary" | "since">, toShown: ToShown): Command {
  return {
    ...details,
    name,
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    syntax: "key",
    group: "generic",
    guarantee: "reads",
    complexity: "O(1)",
    handler: (args, { keyspace }) => {
      const held = keyspace.get(args[0] ?? "");
      if (held === undefined) return -2;
      return held.expiresAtMs === undefined ? -1 : toShown(held.expiresAtMs, keyspace);
    },
  };
}

type ToShown = (expiresAtMs: number, keyspace: Keyspace) => number;

const persist: Handler = (args, context) => {
  const held = context.keyspace.get(args[0] ?? "");
  if (held?.expiresAtMs === undefined) return 0;
  setExpiry(context, held, undefined);
  return 1;
};

export const expiryCommands: readonly Command[] = [
  expire("expire", EXPIRY_FORMS.EX, {
    summary: "Lets a key expire after so many seconds",
    syntax: "key seconds [NX | XX | GT | LT]",
    since: "1.0.0",
  }),
  expire("pexpire", EXPIRY_FORMS.PX, {
    summary: "Lets a key expire after so many milliseconds",
    syntax: "key milliseconds [NX | XX | GT | LT]",
    since: "2.6.0",
  }),
  expire("expireat", EXPIRY_FORMS.EXAT, {
    summary: "Lets a key expire at a time, in Unix seconds",
    syntax: "key unix-time-seconds [NX | XX | GT | LT]",
    since: "1.2.0",
  }),
  expire("pexpireat", EXPIRY_FORMS.PXAT, {
    summary: "Lets a key expire at a time, in Unix milliseconds",
    syntax: "key unix-time-milliseconds [NX | XX | GT | LT]",
    since: "2.6.0",
  }),
  {
    name: "persist",
    arity: 2,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Lets a key expire no more; returns whether it would have",
    syntax: "key",
    group: "generic",
    guarantee: "this node",
    since: "2.2.0",
    complexity: "O(1)",
    note: NOTE,
    handler: persist,
  },
  tell(
    "ttl",
    { summary: "Seconds until a key expires; -1 = never, -2 = it is missing", since: "1.0.0" },
    (atMs, keyspace) => toSeconds(Math.max(0, atMs - keyspace.nowMs())),
  ),
  tell(
    "pttl",
    { summary: "Milliseconds until a key expires; -1 = never, -2 = it is missing", since: "2.6.0" },
    (atMs, keyspace) => Math.max(0, atMs - keyspace.nowMs()),
  ),
  tell(
    "expiretime",
    { summary: "When a key expires, in Unix seconds; -1 = never, -2 = it is missing", since: "7.0.0" },
    (atMs) => toSeconds(atMs),
  ),
  tell(
    "pexpiretime",
    { summary: "When a key expires, in Unix milliseconds; -1 = never, -2 = it is missing", since: "7.0.0" },
    (atMs) => atMs,
  ),
];

/** As Redis rounds. */
function toSeconds(ms: number): number {
  return Math.floor((ms + 500) / 1000);
}

function readConditions(args: readonly Bytes[]): ReadonlySet<string> {
  const conditions = new Set<string>();
  for (const arg of args.slice(2)) {
    const name = arg.toUpperCase();
    if (!CONDITIONS.includes(name)) throw new CommandError(`ERR Unsupported option ${arg}`);
    conditions.add(name);
  }
  if (conditions.has("NX") && conditions.size > 1) {
    throw new CommandError("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (conditions.has("GT") && conditions.has("LT")) {
    throw new CommandError("ERR GT and LT options at the same time are not compatible");
  }
  return conditions;
}

/** A key that never expires counts as one that expires after every other. */
function isAllowed(conditions: ReadonlySet<string>, atMs: number, heldAtMs: number | undefined): boolean {
  if (conditions.has("NX") && heldAtMs !== undefined) return false;
  if (conditions.has("XX") && heldAtMs === undefined) return false;
  if (conditions.has("GT") && (heldAtMs === undefined || atMs <= heldAtMs)) return false;
  return !(conditions.has("LT") && heldAtMs !== undefined && atMs >= heldAtMs);
}
