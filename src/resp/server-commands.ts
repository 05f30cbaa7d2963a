/** Commands on the server: what it is, what it can do, and its end. */
import type { Bytes } from "../core/bytes.js";
import type { Command, CommandTable, Context } from "./command.js";
import { OK, Simple, textToBytes, type Reply } from "./reply.js";

const commandSubcommands: readonly Command[] = [
  {
    name: "command|count",
    arity: 2,
    flags: [],
    summary: "How many commands there are",
    syntax: "",
    group: "server",
    guarantee: "connection",
    handler: (_, { table }) => table.size,
  },
  {
    name: "command|list",
    arity: -2,
    flags: [],
    summary: "The names of all commands",
    syntax: "",
    group: "server",
    guarantee: "connection",
    handler: (_, { table }) => [...table.keys()],
  },
  {
    name: "command|info",
    arity: -2,
    flags: [],
    summary: "Arity, flags and key positions of commands",
    syntax: "",
    group: "server",
    guarantee: "connection",
    handler: (args, { table }) => chosen(args, table).map(([, command]) => describe(command)),
  },
  {
    name: "command|docs",
    arity: -2,
    flags: [],
    summary: "What commands do",
    syntax: "",
    group: "server",
    guarantee: "connection",
    handler: (args, { table }) =>
      chosen(args, table).flatMap(([name, command]) =>
        command === undefined
          ? []
          : [name, ["summary", command.summary, "group", name.startsWith("lankv.") ? "lankv" : "generic"]],
      ),
  },
];

export const serverCommands: readonly Command[] = [
  {
    name: "command",
    arity: -1,
    flags: [],
    summary: "Arity, flags and key positions of all commands",
    syntax: "",
    group: "server",
    guarantee: "connection",
    subcommands: commandSubcommands,
    handler: (_, { table }) => [...table.values()].map(describe),
  },
  {
    name: "info",
    arity: -1,
    flags: [],
    summary: "What the server is and holds, one line each",
    syntax: "",
    group: "server",
    guarantee: "connection",
    handler: (args, context) => info(args, context),
  },
  {
    name: "time",
    arity: 1,
    flags: ["fast"],
    summary: "The corrected clock: seconds, and microseconds in the second",
    syntax: "",
    group: "server",
    guarantee: "connection",
    handler: (_, { keyspace }) => {
      const ms = keyspace.nowMs();
      return [String(Math.floor(ms / 1000)), String(Math.floor((ms % 1000) * 1000))];
    },
  },
  {
    name: "dbsize",
    arity: 1,
    flags: ["readonly", "fast"],
    summary: "How many keys hold a value",
    syntax: "",
    group: "server",
    guarantee: "connection",
    handler: (_, { keyspace }) => keyspace.size,
  },
  {
    name: "shutdown",
    arity: -1,
    flags: ["admin"],
    summary: "Says goodbye to the peers and ends the server",
    syntax: "",
    group: "server",
    guarantee: "connection",
    handler: (_, { keyspace }) => {
      keyspace.stop();
      return OK;
    },
  },
];

/** The named commands, or all. */
function chosen(
  names: readonly Bytes[],
  table: CommandTable,
): readonly (readonly [name: string, command: Command | undefined])[] {
  return names.length === 0 ? [...table] : names.map((name) => [name, table.get(name.toLowerCase())]);
}

function describe(command: Command | undefined): Reply {
  if (command === undefined) return null;
  const { first, last, step } = command.keys ?? { first: 0, last: 0, step: 0 };
  const flags = command.flags.map((flag) => new Simple(flag));
  const subcommands = (command.subcommands ?? []).map(describe);
  return [command.name, command.arity, flags, first, last, step, [], [], [], subcommands];
}

function info(wanted: readonly Bytes[], { keyspace, clients }: Context): Bytes {
  const { cluster, keys, name, nodeId, peers, root, state, bytes, uptimeMs, version } = keyspace.status();
  const sections: Readonly<Record<string, readonly string[]>> = {
    Server: [
      "server_name:lankv",
      `lankv_version:${version}`,
      "redis_mode:standalone",
      `uptime_in_seconds:${String(Math.floor(uptimeMs / 1000))}`,
    ],
    Clients: [`connected_clients:${String(clients)}`],
    Replication: [
      "role:master",
      `node_id:${nodeId}`,
      `node_name:${name}`,
      `cluster_name:${cluster}`,
      `state:${state}`,
      `peers:${String(peers)}`,
      `root:${root}`,
    ],
    Keyspace: [`db0:keys=${String(keys)},bytes=${String(bytes)}`],
  };
  const names = wanted.map((section) => section.toLowerCase());
  const isAll = names.length === 0 || names.some((each) => ["all", "default", "everything"].includes(each));
  const text = Object.entries(sections)
    .filter(([section]) => isAll || names.includes(section.toLowerCase()))
    .map(([section, lines]) => [`# ${section}`, ...lines, ""].join("\r\n"))
    .join("\r\n");
  return textToBytes(text);
}
