/** WAIT: how many other nodes have confirmed what was written here. */
import type { Bytes } from "../core/bytes.js";
import { toInteger } from "./arguments.js";
import { CommandError, type Command } from "./command.js";

export const waitCommand: Command = {
  name: "wait",
  arity: 3,
  flags: ["blocking"],
  summary:
    "Waits until so many other nodes have confirmed that they hold what was written here; returns how many",
  syntax: "numreplicas timeout-ms",
  group: "generic",
  guarantee: "reads",
  since: "3.0.0",
  complexity: "O(N) where N is the number of peers",
  note:
    "Counts nodes that hold everything that was written on this node so far, by any client: in memory, and those with " +
    "`--fsync always` on disk, durably. 0 ms = no limit. In a transaction it returns 0 at once: nobody can have confirmed what is being written.",
  handler: (args, { keyspace, client, isInTransaction }) => {
    const peers = toInteger(args[0]);
    const timeoutMs = toTimeoutMs(args[1] ?? "");
    return isInTransaction ? 0 : keyspace.confirmed(Math.max(peers, 0), timeoutMs, client.signal);
  },
};

function toTimeoutMs(text: Bytes): number {
  const ms = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(ms)) throw new CommandError("ERR timeout is not an integer or out of range");
  if (ms < 0) throw new CommandError("ERR timeout is negative");
  return ms;
}
