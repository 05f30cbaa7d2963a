/** Transactions: commands that are carried out in one go, unless a watched key has changed. */
import { callAtOnce, toErrorText } from "./call.js";
import { ALL_KEYS, CommandError, type Command, type Handler } from "./command.js";
import {
  encode,
  Encoded,
  encodeWithin,
  ErrorReply,
  NULL_ARRAY,
  OK,
  REPLY_BYTES_MAX,
  TOO_LONG,
} from "./reply.js";

const LEFT_OUT = new ErrorReply(
  `ERR not carried out: the replies of a transaction have at most ${String(REPLY_BYTES_MAX)} bytes`,
);

/**
 * The replies are put into their form on the wire one by one: so none is kept that has no room, and each has the form
 * of the protocol that was spoken when it was given.
 */
const exec: Handler = (_, context) => {
  const { client, keyspace, server } = context;
  if (!client.transaction.isOpen) throw new CommandError("ERR EXEC without MULTI");
  const taken = client.transaction.take(keyspace);
  if (taken === "spoilt") {
    throw new CommandError("EXECABORT Transaction discarded because of previous errors.");
  }
  if (taken === "changed") return NULL_ARRAY;
  const { refusal } = keyspace;
  if (refusal !== undefined && taken.some(({ command }) => command.flags.includes("write"))) {
    throw new CommandError(`EXECABORT Transaction discarded because of: ${toErrorText(refusal)}`);
  }
  const inside = { ...context, isInTransaction: true };
  server.stats.commands += taken.length;
  let text = `*${String(taken.length)}\r\n`;
  let room = REPLY_BYTES_MAX;
  for (const { command, args } of taken) {
    const isLeftOut = room === 0 && !command.flags.includes("write");
    const reply = isLeftOut ? LEFT_OUT : callAtOnce(command, args, inside);
    const encoded = encodeWithin(reply, client.protocol, room);
    room = encoded === undefined ? 0 : Math.max(room - encoded.length, 0);
    text += encoded ?? encode(TOO_LONG, client.protocol);
  }
  return new Encoded(text);
};

export const transactionCommands: readonly Command[] = [
  {
    name: "multi",
    arity: 1,
    flags: ["fast", "loading"],
    summary: "Begins a transaction: the commands that follow wait for EXEC",
    syntax: "",
    group: "transactions",
    guarantee: "connection",
    since: "1.2.0",
    complexity: "O(1)",
    handler: (_, { client }) => {
      if (client.transaction.isOpen) throw new CommandError("ERR MULTI calls can not be nested");
      client.transaction.open();
      return OK;
    },
  },
  {
    name: "exec",
    arity: 1,
    flags: ["loading"],
    summary: "Carries out the commands of a transaction, or none if a watched key has changed",
    syntax: "",
    group: "transactions",
    guarantee: "this node",
    since: "1.2.0",
    complexity: "Depends on commands in the transaction",
    note:
      "Nothing else happens on this node in between, and a watched key also counts as changed when another node " +
      "wrote it. Other nodes get the writes one by one. Once the replies have more than " +
      `${String(REPLY_BYTES_MAX)} bytes, only writes are carried out, and what has no room is answered with an error.`,
    handler: exec,
  },
  {
    name: "discard",
    arity: 1,
    flags: ["fast", "loading"],
    summary: "Ends a transaction without carrying out its commands",
    syntax: "",
    group: "transactions",
    guarantee: "connection",
    since: "2.0.0",
    complexity: "O(N), when N is the number of queued commands",
    handler: (_, { client }) => {
      if (!client.transaction.isOpen) throw new CommandError("ERR DISCARD without MULTI");
      client.transaction.close();
      return OK;
    },
  },
  {
    name: "watch",
    arity: -2,
    flags: ["fast", "loading"],
    keys: ALL_KEYS,
    summary: "The next EXEC does nothing if one of the keys changes until then",
    syntax: "key [key ...]",
    group: "transactions",
    guarantee: "this node",
    since: "2.2.0",
    complexity: "O(1) for every key.",
    note: "A write of another node counts once it has arrived here.",
    handler: (keys, { client, keyspace }) => {
      if (client.transaction.isOpen) throw new CommandError("ERR WATCH inside MULTI is not allowed");
      for (const key of keys) client.transaction.watch(keyspace, key);
      return OK;
    },
  },
  {
    name: "unwatch",
    arity: 1,
    flags: ["fast", "loading"],
    summary: "Forgets the watched keys",
    syntax: "",
    group: "transactions",
    guarantee: "connection",
    since: "2.2.0",
    complexity: "O(1)",
    handler: (_, { client }) => {
      client.transaction.unwatch();
      return OK;
    },
  },
];
