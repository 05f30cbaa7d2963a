/** Commands on channels: messages that whoever listens gets, and nobody keeps. */
import type { Bytes } from "../core/bytes.js";
import type { Client, Command, Handler } from "./command.js";
import { globToPredicate } from "./glob.js";
import { withHelp } from "./help.js";
import { Push, Several } from "./reply.js";
import {
  HUB_PATTERN_BYTES_MAX,
  HUB_PATTERNS_MAX,
  PATTERN_BYTES_OF_CLIENT_MAX,
  PATTERNS_MAX,
} from "./subscriptions.js";

/** Changes the subscriptions for each name, and tells what came of each. */
function each(kind: string, names: readonly Bytes[], client: Client, change: (name: Bytes) => void): Several {
  return new Several(
    names.map((name) => {
      change(name);
      return new Push([kind, name, client.subscriptions.count]);
    }),
  );
}

/** As `each`, for those that are given or all that there are; without any, that there are none is told once. */
function eachOrAll(
  kind: string,
  given: readonly Bytes[],
  held: ReadonlySet<Bytes>,
  client: Client,
  change: (name: Bytes) => void,
): Several {
  const names = given.length > 0 ? given : [...held];
  if (names.length === 0) return new Several([new Push([kind, null, client.subscriptions.count])]);
  return each(kind, names, client, change);
}

const publish: Handler = ([channel = "", payload = ""], { keyspace, server }) => {
  keyspace.publish(channel, payload);
  return server.hub.publish(channel, payload);
};

const subcommands: readonly Command[] = [
  {
    name: "pubsub|channels",
    arity: -2,
    flags: ["pubsub", "loading"],
    summary: "The channels that clients of this node listen to, other than by patterns",
    syntax: "[pattern]",
    group: "pubsub",
    guarantee: "connection",
    since: "2.8.0",
    complexity: "O(N) where N is the number of active channels",
    handler: ([pattern], { server }) =>
      server.hub.channels(pattern === undefined ? () => true : globToPredicate(pattern)),
  },
  {
    name: "pubsub|numsub",
    arity: -2,
    flags: ["pubsub", "loading"],
    summary: "How many clients of this node listen to channels, other than by patterns",
    syntax: "[channel [channel ...]]",
    group: "pubsub",
    guarantee: "connection",
    since: "2.8.0",
    complexity: "O(N) for the N requested channels",
    handler: (channels, { server }) =>
      channels.flatMap((channel) => [channel, server.hub.listeners(channel)]),
  },
  {
    name: "pubsub|numpat",
    arity: 2,
    flags: ["pubsub", "loading"],
    summary: "How many patterns clients of this node listen to",
    syntax: "",
    group: "pubsub",
    guarantee: "connection",
    since: "2.8.0",
    complexity: "O(1)",
    handler: (_, { server }) => server.hub.patterns,
  },
];

export const pubsubCommands: readonly Command[] = [
  {
    name: "subscribe",
    arity: -2,
    flags: ["pubsub", "loading"],
    summary: "Listens to channels",
    syntax: "channel [channel ...]",
    group: "pubsub",
    guarantee: "lan",
    since: "2.0.0",
    complexity: "O(N) where N is the number of channels to subscribe to.",
    note: "What clients of any node publish is heard. A message may be lost with a connection between nodes.",
    handler: (names, { client }) => {
      client.subscriptions.checkChannels(names);
      return each("subscribe", names, client, (name) => {
        client.subscriptions.subscribe(name);
      });
    },
  },
  {
    name: "unsubscribe",
    arity: -1,
    flags: ["pubsub", "loading"],
    summary: "Listens no longer to channels, or to none",
    syntax: "[channel [channel ...]]",
    group: "pubsub",
    guarantee: "connection",
    since: "2.0.0",
    complexity: "O(N) where N is the number of channels to unsubscribe.",
    handler: (names, { client }) =>
      eachOrAll("unsubscribe", names, client.subscriptions.channels, client, (name) => {
        client.subscriptions.unsubscribe(name);
      }),
  },
  {
    name: "psubscribe",
    arity: -2,
    flags: ["pubsub", "loading"],
    summary: "Listens to all channels that match patterns",
    syntax: "pattern [pattern ...]",
    group: "pubsub",
    guarantee: "lan",
    since: "2.0.0",
    complexity: "O(N) where N is the number of patterns to subscribe to.",
    note:
      `As SUBSCRIBE. A client has at most ${String(PATTERNS_MAX)} patterns of ${String(PATTERN_BYTES_OF_CLIENT_MAX)} ` +
      `bytes, all clients of a node ${String(HUB_PATTERNS_MAX)} of ${String(HUB_PATTERN_BYTES_MAX)}.`,
    handler: (names, { client }) => {
      client.subscriptions.checkPatterns(names);
      return each("psubscribe", names, client, (name) => {
        client.subscriptions.subscribePattern(name);
      });
    },
  },
  {
    name: "punsubscribe",
    arity: -1,
    flags: ["pubsub", "loading"],
    summary: "Listens no longer to patterns, or to none",
    syntax: "[pattern [pattern ...]]",
    group: "pubsub",
    guarantee: "connection",
    since: "2.0.0",
    complexity: "O(N) where N is the number of patterns to unsubscribe.",
    handler: (names, { client }) =>
      eachOrAll("punsubscribe", names, client.subscriptions.patterns, client, (name) => {
        client.subscriptions.unsubscribePattern(name);
      }),
  },
  {
    name: "publish",
    arity: 3,
    flags: ["pubsub", "fast", "loading"],
    summary: "Gives a message to whoever listens to a channel",
    syntax: "channel message",
    group: "pubsub",
    guarantee: "lan",
    since: "2.0.0",
    complexity:
      "O(N+M) where N is the number of clients subscribed to the channel and M is the number of patterns subscribed to on this node.",
    note: "Returns how many clients of this node got it; those of other nodes are not counted.",
    handler: publish,
  },
  {
    name: "pubsub",
    arity: -2,
    flags: [],
    summary: "Who listens to what on this node",
    syntax: "subcommand",
    group: "pubsub",
    guarantee: "connection",
    since: "2.8.0",
    complexity: "Depends on subcommand.",
    subcommands: withHelp("pubsub", subcommands),
    handler: () => null,
  },
];
