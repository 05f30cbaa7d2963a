/** Commands on values. */
import { setCommands } from "./set-command.js";
import { ALL_KEYS, CommandError, ONE_KEY, type Command } from "./command.js";
import { OK } from "./reply.js";

export const stringCommands: readonly Command[] = [
  {
    name: "get",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "The value of a key",
    syntax: "",
    group: "string",
    guarantee: "reads",
    handler: (args, { keyspace }) => keyspace.get(args[0] ?? "")?.value ?? null,
  },
  ...setCommands,
  {
    name: "mget",
    arity: -2,
    flags: ["readonly", "fast"],
    keys: ALL_KEYS,
    summary: "The values of keys",
    syntax: "",
    group: "string",
    guarantee: "reads",
    handler: (args, { keyspace }) => args.map((key) => keyspace.get(key)?.value ?? null),
  },
  {
    name: "mset",
    arity: -3,
    flags: ["write"],
    keys: { first: 1, last: -1, step: 2 },
    summary: "Writes values: MSET key value [key value ...]",
    syntax: "",
    group: "string",
    guarantee: "reads",
    handler: (args, { keyspace }) => {
      if (args.length % 2 !== 0) {
        throw new CommandError("ERR wrong number of arguments for 'mset' command");
      }
      // All or nothing: none is written before all may be.
      for (let at = 0; at < args.length; at += 2) keyspace.checkSize(args[at] ?? "", args[at + 1] ?? "");
      for (let at = 0; at < args.length; at += 2) keyspace.set(args[at] ?? "", args[at + 1] ?? "");
      return OK;
    },
  },
  {
    name: "strlen",
    arity: 2,
    flags: ["readonly", "fast"],
    keys: ONE_KEY,
    summary: "The length of a value in bytes",
    syntax: "",
    group: "string",
    guarantee: "reads",
    handler: (args, { keyspace }) => keyspace.get(args[0] ?? "")?.value.length ?? 0,
  },
];
