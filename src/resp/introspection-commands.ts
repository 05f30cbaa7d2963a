/** COMMAND: what the table says of itself. */
import type { Bytes } from "../core/bytes.js";
import { syntaxError } from "./arguments.js";
import { CommandError, type Command, type CommandTable, type Handler } from "./command.js";
import { globToPredicate } from "./glob.js";
import { withHelp } from "./help.js";
import { Constant, MapReply, SetReply, Simple, textToBytes, type Reply } from "./reply.js";
import { parseSyntax, type Argument } from "./syntax.js";

const listNames: Handler = (args, { table }) => {
  const all = [...table.values()].flatMap((command) => [command, ...(command.subcommands ?? [])]);
  if (args.length === 0) return all.map(({ name }) => name);
  const [option = "", by = "", value = ""] = args;
  if (option.toUpperCase() !== "FILTERBY" || args.length !== 3) throw syntaxError();
  return all.filter(toFilter(by.toUpperCase(), value.toLowerCase())).map(({ name }) => name);
};

/** COMMAND GETKEYS: the keys among the arguments of a whole command. */
const keysIn: Handler = (args, { table }) => {
  const command = find(args.slice(0, 2).join("|"), table) ?? find(args[0] ?? "", table);
  if (command === undefined) throw new CommandError("ERR Invalid command specified");
  const { arity, keys } = command;
  if (keys === undefined) throw new CommandError("ERR The command has no key arguments");
  if (arity < 0 ? args.length < -arity : args.length !== arity) {
    throw new CommandError("ERR Invalid number of arguments specified for command");
  }
  const last = keys.last < 0 ? args.length + keys.last : keys.last;
  return args.filter((_, at) => at >= keys.first && at <= last && (at - keys.first) % keys.step === 0);
};

const describeMany: Handler = (args, { table }) =>
  args.length === 0
    ? [...table.values()].map(descriptionOf)
    : args.map((name) => descriptionOf(find(name, table)));

/** A name that is given again is documented once. */
const documentMany: Handler = (args, { table }) => {
  const commands = new Set(
    args.length === 0 ? table.values() : args.flatMap((name) => find(name, table) ?? []),
  );
  return new MapReply([...commands].flatMap((command) => [command.name, documentationOf(command)]));
};

export const commandCommand: Command = {
  name: "command",
  arity: -1,
  flags: ["loading"],
  summary: "Arity, flags and key positions of all commands",
  syntax: "",
  group: "server",
  guarantee: "connection",
  since: "2.8.13",
  complexity: "O(N) where N is the number of commands",
  handler: describeMany,
  subcommands: withHelp("command", [
    {
      name: "command|count",
      arity: 2,
      flags: ["loading"],
      summary: "How many commands there are",
      syntax: "",
      group: "server",
      guarantee: "connection",
      since: "2.8.13",
      complexity: "O(1)",
      handler: (_, { table }) => table.size,
    },
    {
      name: "command|list",
      arity: -2,
      flags: ["loading"],
      summary: "The names of commands and subcommands",
      syntax: "[FILTERBY <MODULE module-name | ACLCAT category | PATTERN pattern>]",
      group: "server",
      guarantee: "connection",
      since: "7.0.0",
      complexity: "O(N) where N is the number of commands",
      handler: listNames,
    },
    {
      name: "command|info",
      arity: -2,
      flags: ["loading"],
      summary: "Arity, flags and key positions of commands",
      syntax: "[command-name [command-name ...]]",
      group: "server",
      guarantee: "connection",
      since: "2.8.13",
      complexity: "O(N) where N is the number of commands named",
      handler: describeMany,
    },
    {
      name: "command|docs",
      arity: -2,
      flags: ["loading"],
      summary: "What commands do, since when, and their arguments",
      syntax: "[command-name [command-name ...]]",
      group: "server",
      guarantee: "connection",
      since: "7.0.0",
      complexity: "O(N) where N is the number of commands named",
      handler: documentMany,
    },
    {
      name: "command|getkeys",
      arity: -3,
      flags: ["loading"],
      summary: "The keys among the arguments of a command",
      syntax: "command [argument [argument ...]]",
      group: "server",
      guarantee: "connection",
      since: "2.8.13",
      complexity: "O(N) where N is the number of arguments",
      handler: keysIn,
    },
  ]),
};

/** @param name in any case; of a subcommand, "container|name" */
function find(name: Bytes, table: CommandTable): Command | undefined {
  const wanted = name.toLowerCase();
  const container = table.get(wanted.split("|")[0] ?? "");
  if (!wanted.includes("|")) return container;
  return container?.subcommands?.find((each) => each.name === wanted);
}

function toFilter(by: string, value: Bytes): (command: Command) => boolean {
  if (by === "MODULE") return () => false;
  if (by === "ACLCAT") return (command) => categoriesOf(command).includes(value);
  if (by !== "PATTERN") throw syntaxError();
  const matches = globToPredicate(value);
  return ({ name }) => matches(name);
}

/** As Redis names the categories of its access control lists, by what the entry says. */
function categoriesOf({ flags, group, keys }: Command): readonly string[] {
  return [
    ...(flags.includes("write") ? ["write"] : []),
    ...(flags.includes("readonly") && keys !== undefined ? ["read"] : []),
    ...(flags.includes("admin") ? ["admin", "dangerous"] : []),
    ...(flags.includes("blocking") ? ["blocking"] : []),
    ...(flags.includes("pubsub") ? ["pubsub"] : []),
    flags.includes("fast") ? "fast" : "slow",
    ...(group === "generic" ? ["keyspace"] : []),
    ...(group === "transactions" ? ["transaction"] : []),
    ...(group === "string" || group === "bitmap" || group === "connection" ? [group] : []),
  ];
}

/** What was told of a command is told again as it is, however often it is asked for. */
const descriptions = new WeakMap<Command, Constant>();
const documentations = new WeakMap<Command, Constant>();

function descriptionOf(command: Command | undefined): Reply {
  if (command === undefined) return null;
  const known = descriptions.get(command) ?? new Constant(describe(command));
  descriptions.set(command, known);
  return known;
}

function documentationOf(command: Command): Reply {
  const known = documentations.get(command) ?? new Constant(document(command));
  documentations.set(command, known);
  return known;
}

function describe(command: Command): Reply {
  const { first, last, step } = command.keys ?? { first: 0, last: 0, step: 0 };
  return [
    command.name,
    command.arity,
    new SetReply(command.flags.map((flag) => new Simple(flag))),
    first,
    last,
    step,
    new SetReply(categoriesOf(command).map((category) => new Simple(`@${category}`))),
    new SetReply([]),
    new SetReply([]),
    (command.subcommands ?? []).map(describe),
  ];
}

function document({ summary, since, group, complexity, syntax, subcommands = [] }: Command): Reply {
  const parsed = parseSyntax(syntax);
  return new MapReply([
    ...["summary", textToBytes(summary)],
    ...(since === undefined ? [] : ["since", since]),
    ...["group", group],
    ...(complexity === undefined ? [] : ["complexity", complexity]),
    ...(parsed.length === 0 ? [] : ["arguments", parsed.map(documentArgument)]),
    ...(subcommands.length === 0
      ? []
      : ["subcommands", new MapReply(subcommands.flatMap((each) => [each.name, document(each)]))]),
  ]);
}

function documentArgument({ name, type, token, isOptional, isMultiple, parts }: Argument): Reply {
  const flags = [...(isOptional ? ["optional"] : []), ...(isMultiple ? ["multiple"] : [])];
  return new MapReply([
    ...["name", name, "type", type],
    ...(type === "key" ? ["key_spec_index", 0] : []),
    ...(token === undefined ? [] : ["token", token]),
    ...(flags.length === 0 ? [] : ["flags", new SetReply(flags.map((flag) => new Simple(flag)))]),
    ...(parts === undefined ? [] : ["arguments", parts.map(documentArgument)]),
  ]);
}
