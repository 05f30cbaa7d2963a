/** OBJECT: how a value is kept. */
import type { Bytes } from "../core/bytes.js";
import type { KvRecord } from "../core/record.js";
import { stampToWallMs } from "../core/version.js";
import { toInt64 } from "./arguments.js";
import { CommandError, type Command, type Context, type KeyPositions } from "./command.js";
import { withHelp } from "./help.js";
import type { Reply } from "./reply.js";

/** Behind the name of the subcommand. */
const SECOND: KeyPositions = { first: 2, last: 2, step: 1 };
/** The longest value that Redis keeps in one piece with its header, in bytes. */
const EMBEDDED_BYTES_MAX = 44;

export const objectCommand: Command = {
  name: "object",
  arity: -2,
  flags: [],
  summary: "How a value is kept",
  syntax: "",
  group: "generic",
  guarantee: "reads",
  since: "2.2.3",
  complexity: "Depends on subcommand.",
  subcommands: withHelp("object", [
    {
      name: "object|encoding",
      arity: 3,
      flags: ["readonly"],
      keys: SECOND,
      summary: "How Redis would keep the value that a key holds: int, embstr or raw",
      syntax: "key",
      group: "generic",
      guarantee: "reads",
      since: "2.2.3",
      complexity: "O(1)",
      note: "Told from the value alone, whichever command wrote it; nothing is encoded so.",
      handler: (args, context) => ofHeld(args, context, ({ value }) => encodingOf(value)),
    },
    {
      name: "object|refcount",
      arity: 3,
      flags: ["readonly"],
      keys: SECOND,
      summary: "Always 1: no two keys share a value",
      syntax: "key",
      group: "generic",
      guarantee: "reads",
      since: "2.2.3",
      complexity: "O(1)",
      handler: (args, context) => ofHeld(args, context, () => 1),
    },
    {
      name: "object|idletime",
      arity: 3,
      flags: ["readonly"],
      keys: SECOND,
      summary: "Seconds since a key was last written",
      syntax: "key",
      group: "generic",
      guarantee: "reads",
      since: "2.2.3",
      complexity: "O(1)",
      note: "Redis counts from the last reading, which is not recorded here.",
      handler: (args, context) =>
        ofHeld(args, context, ({ stamp }) =>
          Math.max(0, Math.floor((context.keyspace.nowMs() - stampToWallMs(stamp)) / 1000)),
        ),
    },
    {
      name: "object|freq",
      arity: 3,
      flags: ["readonly"],
      keys: SECOND,
      summary: "An error for a key that holds a value: how often it is read is not recorded",
      syntax: "key",
      group: "generic",
      guarantee: "reads",
      since: "4.0.0",
      complexity: "O(1)",
      handler: (args, context) =>
        ofHeld(args, context, () => {
          throw new CommandError(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that " +
              "when switching between policies at runtime LRU and LFU data will take some time to adjust.",
          );
        }),
    },
  ]),
  handler: () => null,
};

function ofHeld(args: readonly Bytes[], { keyspace }: Context, show: (held: KvRecord) => Reply): Reply {
  const held = keyspace.get(args[0] ?? "");
  return held === undefined ? null : show(held);
}

function encodingOf(value: Bytes): Bytes {
  if (toInt64(value) !== undefined) return "int";
  return value.length <= EMBEDDED_BYTES_MAX ? "embstr" : "raw";
}
