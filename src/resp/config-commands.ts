/** CONFIG: reads and changes what the server is set to, until it ends. */
import type { Bytes } from "../core/bytes.js";
import { syntaxError } from "./arguments.js";
import { CommandError, type Command, type Handler } from "./command.js";
import type { Parameter } from "./config.js";
import { globToPredicate } from "./glob.js";
import { withHelp } from "./help.js";
import { MapReply, OK } from "./reply.js";

const get: Handler = (patterns, { server }) => {
  const accepts = patterns.map((pattern) => globToPredicate(pattern.toLowerCase()));
  const chosen = [...server.config.parameters.values()].filter(({ name }) =>
    accepts.some((isWanted) => isWanted(name)),
  );
  return new MapReply(chosen.flatMap((parameter) => [parameter.name, parameter.get()]));
};

/** All or nothing: none is set before all have been read. */
const set: Handler = (args, { server }) => {
  if (args.length % 2 !== 0) throw syntaxError();
  const chosen = new Map<Parameter, Bytes>();
  for (let at = 0; at < args.length; at += 2) {
    const name = args[at] ?? "";
    const parameter = server.config.parameters.get(name.toLowerCase());
    if (parameter === undefined) {
      throw new CommandError(`ERR Unknown option or number of arguments for CONFIG SET - '${name}'`);
    }
    if (chosen.has(parameter)) throw refused(name, "duplicate parameter");
    chosen.set(parameter, args[at + 1] ?? "");
  }
  const changes = [...chosen].map(([parameter, text]) => readOf(parameter, text));
  for (const change of changes) change();
  return OK;
};

function readOf(parameter: Parameter, text: Bytes): () => void {
  try {
    return parameter.read(text);
  } catch (error) {
    if (error instanceof RangeError) throw refused(parameter.name, error.message);
    throw error;
  }
}

function refused(name: Bytes, reason: string): CommandError {
  return new CommandError(`ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`);
}

const subcommands: readonly Command[] = [
  {
    name: "config|get",
    arity: -3,
    flags: ["admin", "loading"],
    summary: "The parameters that match patterns, and their values",
    syntax: "pattern [pattern ...]",
    group: "server",
    guarantee: "connection",
    since: "2.0.0",
    complexity: "O(N) where N is the number of parameters",
    note: "Only what means something here: the bounds on clients, `notify-keyspace-events`, and what is constant.",
    handler: get,
  },
  {
    name: "config|set",
    arity: -4,
    flags: ["admin", "loading"],
    summary: "Sets parameters until the server ends",
    syntax: "parameter value [parameter value ...]",
    group: "server",
    guarantee: "connection",
    since: "2.0.0",
    complexity: "O(N) where N is the number of parameters given",
    note: "On this node only.",
    handler: set,
  },
  {
    name: "config|resetstat",
    arity: 2,
    flags: ["admin", "loading"],
    summary: "Counts from 0 again what INFO shows as counted",
    syntax: "",
    group: "server",
    guarantee: "connection",
    since: "2.0.0",
    complexity: "O(1)",
    handler: (_, { server }) => {
      server.stats.reset();
      return OK;
    },
  },
];

export const configCommand: Command = {
  name: "config",
  arity: -2,
  flags: [],
  summary: "What the server is set to",
  syntax: "subcommand",
  group: "server",
  guarantee: "connection",
  since: "2.0.0",
  complexity: "Depends on subcommand.",
  subcommands: withHelp("config", subcommands),
  handler: () => null,
};
