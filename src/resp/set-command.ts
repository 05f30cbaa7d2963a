/** SET and its relatives: one write with its conditions, decided on this node. */
import type { Bytes } from "../core/bytes.js";
import type { RecordHead } from "../core/record.js";
import { compareVersions, textToVersion, versionToText } from "../core/version.js";
import { CommandError, ONE_KEY, type Command, type Context } from "./command.js";
import { EXPIRY_FORMS, toPositiveExpiry, type ExpiryForm } from "./expiry.js";
import { OK, type Reply } from "./reply.js";
import { expiryOf, isAllowed, readSetOptions, type SetOption } from "./set-options.js";
import { write } from "./write.js";

const SET_OPTIONS: readonly SetOption[] = ["NX", "XX", "GET", "EX", "PX", "EXAT", "PXAT", "KEEPTTL"];
const LANKV_SET_OPTIONS: readonly SetOption[] = [
  ...(["NX", "XX", "EX", "PX", "EXAT", "PXAT"] as const),
  ...(["KEEPTTL", "IFVERSION", "IFOLDER"] as const),
];

const EXPIRY_SYNTAX =
  "EX seconds | PX milliseconds | EXAT unix-time-seconds | PXAT unix-time-milliseconds | KEEPTTL";

export const setCommands: readonly Command[] = [
  {
    name: "set",
    arity: -3,
    flags: ["write"],
    keys: ONE_KEY,
    summary: "Writes a value; an expiry that it had is gone unless KEEPTTL is given",
    syntax: `key value [NX | XX] [GET] [${EXPIRY_SYNTAX}]`,
    group: "string",
    guarantee: "everywhere",
    since: "1.0.0",
    complexity: "O(1)",
    note: "NX, XX, GET and KEEPTTL look at the copy on this node: two nodes can both succeed with NX, and the later write wins. That is no lock.",
    handler: (args, context) => (args.length > 2 ? setWithOptions(args, context) : setPlain(args, context)),
  },
  {
    name: "setnx",
    arity: 3,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Writes a value if the key holds none; returns whether it did",
    syntax: "key value",
    group: "string",
    guarantee: "this node",
    since: "1.0.0",
    complexity: "O(1)",
    note: "Two nodes can both succeed, and the later write wins: that is no lock.",
    handler: (args, context) => {
      if (context.keyspace.get(args[0] ?? "") !== undefined) return 0;
      setPlain(args, context);
      return 1;
    },
  },
  {
    name: "setex",
    arity: 4,
    flags: ["write"],
    keys: ONE_KEY,
    summary: "Writes a value that expires after so many seconds",
    syntax: "key seconds value",
    group: "string",
    guarantee: "everywhere",
    since: "2.0.0",
    complexity: "O(1)",
    handler: (args, context) => setExpiring(args, context, EXPIRY_FORMS.EX, "setex"),
  },
  {
    name: "psetex",
    arity: 4,
    flags: ["write"],
    keys: ONE_KEY,
    summary: "Writes a value that expires after so many milliseconds",
    syntax: "key milliseconds value",
    group: "string",
    guarantee: "everywhere",
    since: "2.6.0",
    complexity: "O(1)",
    handler: (args, context) => setExpiring(args, context, EXPIRY_FORMS.PX, "psetex"),
  },
  {
    name: "getset",
    arity: 3,
    flags: ["write", "fast"],
    keys: ONE_KEY,
    summary: "Writes a value and returns the one before",
    syntax: "key value",
    group: "string",
    guarantee: "this node",
    since: "1.0.0",
    complexity: "O(1)",
    handler: (args, context) => {
      const before = context.keyspace.value(args[0] ?? "") ?? null;
      setPlain(args, context);
      return before;
    },
  },
];

export const lankvSetCommand: Command = {
  name: "lankv.set",
  arity: -3,
  flags: ["write"],
  keys: ONE_KEY,
  summary: "Writes a value and returns the version of the write, or null when a condition does not hold",
  syntax: `key value [NX | XX] [IFVERSION version] [IFOLDER version] [${EXPIRY_SYNTAX}]`,
  group: "lankv",
  guarantee: "everywhere",
  complexity: "O(1)",
  note:
    "IFVERSION holds when the copy on this node has that version of the key, IFOLDER when the last write to the key " +
    "that this node knows of, a delete included, is older than that version. As NX and XX, they are no lock.",
  handler: (args, context) => {
    const { keyspace } = context;
    const key = args[0] ?? "";
    const options = readSetOptions(args, 2, LANKV_SET_OPTIONS);
    const expiresAtMs = expiryOf(options, keyspace, "lankv.set");
    const held = keyspace.get(key);
    const version = options.get("IFVERSION");
    if (!isAllowed(options, held)) return null;
    if (version !== undefined && (held === undefined || versionToText(held) !== version)) return null;
    if (!isOlder(keyspace.lastWrite(key), options.get("IFOLDER"))) return null;
    const keptAtMs = options.has("KEEPTTL") ? held?.expiresAtMs : undefined;
    const record = write(context, key, args[1] ?? "", expiresAtMs ?? keptAtMs);
    tellSet(context, key, expiresAtMs);
    return versionToText(record);
  },
};

/** Whether IFOLDER, if given, allows a write over the last one. */
function isOlder(last: RecordHead | undefined, than: Bytes | undefined): boolean {
  if (than === undefined) return true;
  const version = textToVersion(than);
  if (version === undefined) throw new CommandError("ERR invalid version");
  return last === undefined || compareVersions(last, version) < 0;
}

function setPlain(args: readonly Bytes[], context: Context): Reply {
  const key = args[0] ?? "";
  write(context, key, args[1] ?? "");
  context.notify("$", "set", key);
  return OK;
}

function setWithOptions(args: readonly Bytes[], context: Context): Reply {
  const { keyspace } = context;
  const key = args[0] ?? "";
  const options = readSetOptions(args, 2, SET_OPTIONS);
  const expiresAtMs = expiryOf(options, keyspace, "set");
  const held = keyspace.get(key);
  const before = held?.value ?? null;
  if (!isAllowed(options, held)) return options.has("GET") ? before : null;
  const keptAtMs = options.has("KEEPTTL") ? held?.expiresAtMs : undefined;
  write(context, key, args[1] ?? "", expiresAtMs ?? keptAtMs);
  tellSet(context, key, expiresAtMs);
  return options.has("GET") ? before : OK;
}

function setExpiring(args: readonly Bytes[], context: Context, form: ExpiryForm, command: string): Reply {
  const key = args[0] ?? "";
  const expiresAtMs = toPositiveExpiry(form, args[1], context.keyspace.nowMs(), command);
  write(context, key, args[2] ?? "", expiresAtMs);
  tellSet(context, key, expiresAtMs);
  return OK;
}

function tellSet(context: Context, key: Bytes, expiresAtMs: number | undefined): void {
  context.notify("$", "set", key);
  if (expiresAtMs !== undefined) context.notify("g", "expire", key);
}
