/** Commands on the connection itself. */
import type { Bytes } from "../core/bytes.js";
import { syntaxError, toInteger } from "./arguments.js";
import { clientCommand, setName } from "./client-commands.js";
import { CommandError, type Command, type Context, type Handler } from "./command.js";
import { MapReply, OK, Simple } from "./reply.js";

const PONG = new Simple("PONG");
const WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.";

const ping: Handler = (args, { client }) => {
  if (args.length > 1) throw new CommandError("ERR wrong number of arguments for 'ping' command");
  if (client.protocol === 2 && client.subscriptions.count > 0) return ["pong", args[0] ?? ""];
  return args[0] ?? PONG;
};

const auth: Handler = (args, { client }) => {
  if (args.length > 2) throw syntaxError();
  const [first = "", password] = args;
  if (password === undefined && !client.hasPassword) {
    throw new CommandError(
      "ERR AUTH <password> called without any password configured for the default user. " +
        "Are you sure your configuration is correct?",
    );
  }
  const isIn =
    password === undefined ? client.authenticate("default", first) : client.authenticate(first, password);
  if (!isIn) throw new CommandError(WRONG_PASSWORD);
  return OK;
};

const hello: Handler = (args, context) => {
  const { client, keyspace } = context;
  const protocol = args[0] === undefined ? client.protocol : toProtocol(args[0]);
  readHelloOptions(args, context);
  if (!client.isAuthenticated) {
    throw new CommandError(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> " +
        "option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  }
  client.protocol = protocol;
  return new MapReply([
    ...["server", "lankv"],
    ...["version", keyspace.status().version],
    ...["proto", protocol],
    ...["id", client.id],
    ...["mode", "standalone"],
    ...["role", "master"],
    ...["modules", []],
  ]);
};

function toProtocol(text: Bytes): 2 | 3 {
  if (!/^-?\d{1,18}$/.test(text)) {
    throw new CommandError("ERR Protocol version is not an integer or out of range");
  }
  const version = Number(text);
  if (version !== 2 && version !== 3) throw new CommandError("NOPROTO unsupported protocol version");
  return version;
}

function readHelloOptions(args: readonly Bytes[], { client }: Context): void {
  for (let at = 1; at < args.length; at += 1) {
    const option = (args[at] ?? "").toLowerCase();
    const [first, second] = [args[at + 1], args[at + 2]];
    if (option === "auth" && first !== undefined && second !== undefined) {
      if (!client.authenticate(first, second)) throw new CommandError(WRONG_PASSWORD);
      at += 2;
    } else if (option === "setname" && first !== undefined) {
      setName(client, first);
      at += 1;
    } else {
      throw new CommandError(`ERR Syntax error in HELLO option '${args[at] ?? ""}'`);
    }
  }
}

export const connectionCommands: readonly Command[] = [
  {
    name: "ping",
    arity: -1,
    flags: ["fast"],
    summary: "PONG, or the argument",
    syntax: "[message]",
    group: "connection",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    handler: ping,
  },
  {
    name: "echo",
    arity: 2,
    flags: ["fast", "loading"],
    summary: "The argument",
    syntax: "message",
    group: "connection",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    handler: (args) => args[0] ?? "",
  },
  {
    name: "hello",
    arity: -1,
    flags: ["fast", "no_auth", "loading"],
    summary: "Agrees on the version of the protocol, and tells what the server is",
    syntax: "[protover [AUTH username password] [SETNAME clientname]]",
    group: "connection",
    guarantee: "connection",
    since: "6.0.0",
    complexity: "O(1)",
    note: "The server calls itself lankv, and the version is its own.",
    handler: hello,
  },
  {
    name: "auth",
    arity: -2,
    flags: ["fast", "no_auth", "loading"],
    summary: "Gives the password",
    syntax: "[username] password",
    group: "connection",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    note: "The only user is `default`. The unix socket needs no password: the file system guards it.",
    handler: auth,
  },
  clientCommand,
  {
    name: "select",
    arity: 2,
    flags: ["fast", "loading"],
    summary: "Chooses the database",
    syntax: "index",
    group: "connection",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    note: "There is one database, 0.",
    handler: (args) => {
      if (toInteger(args[0]) !== 0) throw new CommandError("ERR DB index is out of range");
      return OK;
    },
  },
  {
    name: "quit",
    arity: -1,
    flags: ["fast", "no_auth", "loading"],
    summary: "Ends the connection",
    syntax: "",
    group: "connection",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    handler: (_, { client }) => {
      client.closeAfterReply();
      return OK;
    },
  },
  {
    name: "reset",
    arity: 1,
    flags: ["fast", "no_auth", "loading"],
    summary: "Makes the connection as it was at its start",
    syntax: "",
    group: "connection",
    guarantee: "connection",
    since: "6.2.0",
    complexity: "O(1)",
    handler: (_, { client }) => {
      client.reset();
      return new Simple("RESET");
    },
  },
];
