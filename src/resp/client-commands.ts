/** CLIENT: this connection, and the others. */
import type { Bytes } from "../core/bytes.js";
import { syntaxError } from "./arguments.js";
import { CommandError, type Client, type Command, type Context, type Handler } from "./command.js";
import { withHelp } from "./help.js";
import { NO_REPLY, OK, Verbatim } from "./reply.js";

const TYPES = ["normal", "pubsub"] as const;
type ClientType = (typeof TYPES)[number];

/** Types of clients that Redis has, and of which there are none here. */
const TYPES_OF_REDIS = ["master", "replica", "slave"];

/** @throws {CommandError} a name that would break the lines of CLIENT LIST */
export function setName(client: Client, name: Bytes): void {
  if (/[^!-~]/.test(name)) {
    throw new CommandError("ERR Client names cannot contain spaces, newlines or special characters.");
  }
  client.name = name;
}

const setInfo: Handler = ([attribute = "", value = ""], { client }) => {
  const name = attribute.toLowerCase();
  if (name !== "lib-name" && name !== "lib-ver") {
    throw new CommandError(`ERR Unrecognized option '${attribute}'`);
  }
  if (/[^!-~]/.test(value)) {
    throw new CommandError(`ERR ${name} cannot contain spaces, newlines or special characters.`);
  }
  if (name === "lib-name") client.libraryName = value;
  else client.libraryVersion = value;
  return OK;
};

const list: Handler = (args, { server }) => {
  const clients = [...server.clients()];
  const option = args[0]?.toLowerCase();
  if (option === undefined) return linesOf(clients);
  if (option === "type" && args.length === 2) {
    const type = toType(args[1] ?? "");
    return linesOf(clients.filter((client) => typeOf(client) === type));
  }
  if (option !== "id" || args.length < 2) throw syntaxError();
  const byId = new Map(clients.map((client) => [client.id, client]));
  const chosen = new Set<Client>();
  for (const text of args.slice(1)) {
    if (!/^-?\d{1,18}$/.test(text)) throw new CommandError("ERR Invalid client ID");
    const client = byId.get(Number(text));
    if (client !== undefined) chosen.add(client);
  }
  return linesOf([...chosen]);
};

/** The old form, `KILL address`, may end the caller's own connection; the new one does not unless it is asked to. */
const kill: Handler = (args, context) => {
  if (args.length === 1) {
    const [address = ""] = args;
    if (killAll(context, (client) => client.address === address) > 0) return OK;
    throw new CommandError("ERR No such client");
  }
  const tests: ((client: Client) => boolean)[] = [];
  let skipsMe = true;
  for (let at = 0; at < args.length; at += 2) {
    const value = args[at + 1];
    const option = (args[at] ?? "").toLowerCase();
    if (value === undefined) throw syntaxError();
    if (option === "skipme") skipsMe = readYesOrNo(value);
    else tests.push(toTest(option, value));
  }
  return killAll(
    context,
    (client) => !(skipsMe && client === context.client) && tests.every((test) => test(client)),
  );
};

function toTest(option: string, value: Bytes): (client: Client) => boolean {
  if (option === "id") {
    const id = /^\d{1,16}$/.test(value) ? Number(value) : 0;
    if (id < 1) throw new CommandError("ERR client-id should be greater than 0");
    return (client) => client.id === id;
  }
  if (option === "type") {
    const type = toType(value);
    return (client) => typeOf(client) === type;
  }
  if (option === "addr") return (client) => client.address === value;
  if (option === "laddr") return (client) => client.localAddress === value;
  if (option !== "user") throw syntaxError();
  if (value !== "default") throw new CommandError(`ERR No such user '${value}'`);
  return () => true;
}

function readYesOrNo(text: Bytes): boolean {
  const word = text.toLowerCase();
  if (word !== "yes" && word !== "no") throw syntaxError();
  return word === "yes";
}

function killAll({ client: self, server }: Context, isChosen: (client: Client) => boolean): number {
  const chosen = [...server.clients()].filter(isChosen);
  for (const client of chosen) {
    if (client === self) client.closeAfterReply();
    else client.kill();
  }
  return chosen.length;
}

const reply: Handler = ([mode = ""], { client }) => {
  switch (mode.toLowerCase()) {
    case "on":
      client.replies = "on";
      return OK;
    case "off":
      client.replies = "off";
      return NO_REPLY;
    case "skip":
      if (client.replies !== "off") client.replies = "skip-next";
      return NO_REPLY;
    default:
      throw syntaxError();
  }
};

/** @returns undefined for a type that no client here is of */
function toType(text: Bytes): ClientType | undefined {
  const type = text.toLowerCase();
  const found = TYPES.find((each) => each === type);
  if (found !== undefined) return found;
  if (TYPES_OF_REDIS.includes(type)) return undefined;
  throw new CommandError(`ERR Unknown client type '${text}'`);
}

function typeOf(client: Client): ClientType {
  return client.subscriptions.count > 0 ? "pubsub" : "normal";
}

function linesOf(clients: readonly Client[]): Verbatim {
  return new Verbatim(clients.map(lineOf).join(""));
}

/** As Redis shows a client, without what there is not here. */
function lineOf(client: Client): string {
  const { transaction, subscriptions } = client;
  const memory = client.unreadBytes + client.unsentBytes + transaction.bytes + subscriptions.bytes;
  const facts: readonly (readonly [string, string | number])[] = [
    ["id", client.id],
    ["addr", client.address],
    ["laddr", client.localAddress],
    ["name", client.name],
    ["age", client.ageSeconds],
    ["idle", client.idleSeconds],
    ["flags", flagsOf(client)],
    ["db", 0],
    ["sub", subscriptions.channels.size],
    ["psub", subscriptions.patterns.size],
    ["multi", transaction.length],
    ["qbuf", client.unreadBytes],
    ["multi-mem", transaction.bytes],
    ["omem", client.unsentBytes],
    ["tot-mem", memory],
    ["cmd", client.lastCommand === "" ? "NULL" : client.lastCommand],
    ["user", "default"],
    ["lib-name", client.libraryName],
    ["lib-ver", client.libraryVersion],
    ["resp", client.protocol],
  ];
  return `${facts.map(([name, value]) => `${name}=${String(value)}`).join(" ")}\n`;
}

function flagsOf(client: Client): string {
  const flags = [
    client.subscriptions.count > 0 ? "P" : "",
    client.transaction.isOpen ? "x" : "",
    client.isWaiting ? "b" : "",
    client.address.startsWith("/") ? "U" : "",
  ].join("");
  return flags === "" ? "N" : flags;
}

const subcommands: readonly Command[] = [
  {
    name: "client|id",
    arity: 2,
    flags: ["loading"],
    summary: "The number of this connection",
    syntax: "",
    group: "connection",
    guarantee: "connection",
    since: "5.0.0",
    complexity: "O(1)",
    handler: (_, { client }) => client.id,
  },
  {
    name: "client|setname",
    arity: 3,
    flags: ["loading"],
    summary: "Names this connection",
    syntax: "name",
    group: "connection",
    guarantee: "connection",
    since: "2.6.9",
    complexity: "O(1)",
    handler: ([name = ""], { client }) => {
      setName(client, name);
      return OK;
    },
  },
  {
    name: "client|getname",
    arity: 2,
    flags: ["loading"],
    summary: "The name of this connection",
    syntax: "",
    group: "connection",
    guarantee: "connection",
    since: "2.6.9",
    complexity: "O(1)",
    handler: (_, { client }) => (client.name === "" ? null : client.name),
  },
  {
    name: "client|setinfo",
    arity: 4,
    flags: ["loading"],
    summary: "Takes note of the client's library",
    syntax: "<LIB-NAME libname | LIB-VER libver>",
    group: "connection",
    guarantee: "connection",
    since: "7.2.0",
    complexity: "O(1)",
    handler: setInfo,
  },
  {
    name: "client|info",
    arity: 2,
    flags: ["loading"],
    summary: "What the server knows of this connection, as a line of CLIENT LIST",
    syntax: "",
    group: "connection",
    guarantee: "connection",
    since: "6.2.0",
    complexity: "O(1)",
    handler: (_, { client }) => linesOf([client]),
  },
  {
    name: "client|list",
    arity: -2,
    flags: ["admin", "loading"],
    summary: "The connections, a line each",
    syntax: "[TYPE <NORMAL | PUBSUB>] [ID client-id]",
    group: "connection",
    guarantee: "connection",
    since: "2.4.0",
    complexity: "O(N) where N is the number of client connections",
    note: "The clients of this node, with the fields of Redis that mean something here.",
    handler: list,
  },
  {
    name: "client|kill",
    arity: -3,
    flags: ["admin", "loading"],
    summary: "Ends connections",
    syntax:
      "[ip:port] [ID client-id] [TYPE <NORMAL | PUBSUB>] [USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME <YES | NO>]",
    group: "connection",
    guarantee: "connection",
    since: "2.4.0",
    complexity: "O(N) where N is the number of client connections",
    handler: kill,
  },
  {
    name: "client|reply",
    arity: 3,
    flags: ["loading"],
    summary: "Whether this connection gets replies",
    syntax: "<ON | OFF | SKIP>",
    group: "connection",
    guarantee: "connection",
    since: "3.2.0",
    complexity: "O(1)",
    handler: reply,
  },
];

export const clientCommand: Command = {
  name: "client",
  arity: -2,
  flags: [],
  summary: "Commands on connections",
  syntax: "subcommand",
  group: "connection",
  guarantee: "connection",
  since: "2.4.0",
  complexity: "Depends on subcommand.",
  subcommands: withHelp("client", subcommands),
  handler: () => null,
};
