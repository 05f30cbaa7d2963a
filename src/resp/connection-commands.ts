/** Commands on the connection itself. */
import { CommandError, type Command } from "./command.js";
import { OK, Simple } from "./reply.js";
import { toInteger } from "./arguments.js";

const clientSubcommands: readonly Command[] = [
  {
    name: "client|id",
    arity: 2,
    flags: [],
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
    flags: [],
    summary: "Names this connection",
    syntax: "connection-name",
    group: "connection",
    guarantee: "connection",
    since: "2.6.9",
    complexity: "O(1)",
    handler: (args, { client }) => {
      const name = args[0] ?? "";
      if (/[^!-~]/.test(name)) {
        throw new CommandError("ERR Client names cannot contain spaces, newlines or special characters.");
      }
      client.name = name;
      return OK;
    },
  },
  {
    name: "client|getname",
    arity: 2,
    flags: [],
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
    flags: [],
    summary: "Takes note of the client's library: LIB-NAME or LIB-VER",
    syntax: "<LIB-NAME libname | LIB-VER libver>",
    group: "connection",
    guarantee: "connection",
    since: "7.2.0",
    complexity: "O(1)",
    handler: (args) => {
      if (!/^lib-(?:name|ver)$/i.test(args[0] ?? "")) {
        throw new CommandError(`ERR Unrecognized option '${args[0] ?? ""}'`);
      }
      return OK;
    },
  },
];

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
    handler: (args) => {
      if (args.length > 1) throw new CommandError("ERR wrong number of arguments for 'ping' command");
      return args[0] ?? new Simple("PONG");
    },
  },
  {
    name: "echo",
    arity: 2,
    flags: ["fast"],
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
    flags: ["fast"],
    summary: "Agrees on the version of the protocol, which is 2",
    syntax: "[protover [SETNAME clientname]]",
    group: "connection",
    guarantee: "connection",
    since: "6.0.0",
    complexity: "O(1)",
    handler: (args, { client, keyspace }) => {
      if (args[0] !== undefined && args[0] !== "2") {
        if (!/^\d+$/.test(args[0])) {
          throw new CommandError("ERR Protocol version is not an integer or out of range");
        }
        throw new CommandError("NOPROTO unsupported protocol version");
      }
      for (let at = 1; at < args.length; at += 2) {
        const name = args[at + 1];
        if (args[at]?.toLowerCase() !== "setname" || name === undefined) {
          throw new CommandError(`ERR Syntax error in HELLO option '${args[at] ?? ""}'`);
        }
        client.name = name;
      }
      return [
        ...["server", "lankv"],
        ...["version", keyspace.status().version],
        ...["proto", 2],
        ...["id", client.id],
        ...["mode", "standalone"],
        ...["role", "master"],
        ...["modules", []],
      ];
    },
  },
  {
    name: "auth",
    arity: -2,
    flags: ["fast"],
    summary: "Refused: no password is set",
    syntax: "[username] password",
    group: "connection",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    handler: () => {
      throw new CommandError(
        "ERR AUTH <password> called without any password configured for the default user. " +
          "Are you sure your configuration is correct?",
      );
    },
  },
  {
    name: "client",
    arity: -2,
    flags: [],
    summary: "Commands on this connection",
    syntax: "",
    group: "connection",
    guarantee: "connection",
    since: "2.4.0",
    complexity: "Depends on subcommand.",
    subcommands: clientSubcommands,
    handler: () => null,
  },
  {
    name: "select",
    arity: 2,
    flags: ["fast"],
    summary: "Chooses the database; there is only 0",
    syntax: "index",
    group: "connection",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    note: "There is no database but 0.",
    handler: (args) => {
      if (toInteger(args[0]) !== 0) throw new CommandError("ERR DB index is out of range");
      return OK;
    },
  },
  {
    name: "quit",
    arity: -1,
    flags: ["fast"],
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
];
