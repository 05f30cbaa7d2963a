/** Commands on the server: what it is, what it can do, and its end. */
import { syntaxError } from "./arguments.js";
import { CommandError, type Command, type Handler } from "./command.js";
import { info } from "./info.js";
import { commandCommand } from "./introspection-commands.js";
import { OK, Verbatim } from "./reply.js";

const SHUTDOWN_WORDS = ["NOSAVE", "SAVE", "NOW", "FORCE", "ABORT"];

const shutDown: Handler = async (args, { keyspace }) => {
  const words = args.map((arg) => arg.toUpperCase());
  if (!words.every((word) => SHUTDOWN_WORDS.includes(word))) throw syntaxError();
  const contradicts = words.includes("SAVE") && words.includes("NOSAVE");
  if (contradicts || (words.includes("ABORT") && words.length > 1)) throw syntaxError();
  if (words.includes("ABORT")) throw new CommandError("ERR No shutdown in progress.");
  await keyspace.stop();
  return OK;
};

export const serverCommands: readonly Command[] = [
  commandCommand,
  {
    name: "info",
    arity: -1,
    flags: ["loading"],
    summary: "What the server is and holds, one line each",
    syntax: "[section [section ...]]",
    group: "server",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    note: "`redis_version` is the version of Redis whose commands are served; `lankv_version` is the program's own.",
    handler: (args, context) => new Verbatim(info(args, context)),
  },
  {
    name: "time",
    arity: 1,
    flags: ["fast", "loading"],
    summary: "The corrected clock: Unix seconds, and microseconds in the second",
    syntax: "",
    group: "server",
    guarantee: "connection",
    since: "2.6.0",
    complexity: "O(1)",
    note: "The clock that keys expire by; it counts in milliseconds.",
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
    guarantee: "reads",
    since: "1.0.0",
    complexity: "O(1)",
    handler: (_, { keyspace }) => keyspace.size,
  },
  {
    name: "shutdown",
    arity: -1,
    flags: ["admin", "no_multi", "loading"],
    summary: "Says goodbye to the peers and ends the server",
    syntax: "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]",
    group: "server",
    guarantee: "connection",
    since: "1.0.0",
    complexity: "O(1)",
    note: "The words are taken and change nothing: there is nothing to save, and no shutdown that could be aborted.",
    handler: shutDown,
  },
  {
    name: "function",
    arity: -2,
    flags: [],
    summary: "There are no functions",
    syntax: "",
    group: "server",
    guarantee: "connection",
    since: "7.0.0",
    complexity: "O(1)",
    subcommands: [
      {
        name: "function|flush",
        arity: -2,
        flags: [],
        summary: "Deletes all functions, of which there are none",
        syntax: "[ASYNC | SYNC]",
        group: "server",
        guarantee: "connection",
        since: "7.0.0",
        complexity: "O(1)",
        note: "Answered for programs that clear a server before they use it.",
        handler: () => OK,
      },
    ],
    handler: () => null,
  },
];
