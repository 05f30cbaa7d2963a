/**
 * What Redis has and lankv will not have, one entry a family. An error that says why, and what to do instead, is worth
 * more than "unknown command". docs/redis.md shows the same.
 */
import type { Bytes } from "../core/bytes.js";

export interface Refusal {
  /** What the commands have in common. */
  readonly family: string;
  /** In lower case; "container|name" or the container for all its subcommands. */
  readonly names: readonly string[];
  /** Behind "'NAME' is refused: ", without a full stop. */
  readonly why: string;
  /** A sentence or two. */
  readonly instead: string;
}

export const REFUSALS: readonly Refusal[] = [
  {
    family: "Scripts and functions",
    names: [
      ...["eval", "eval_ro", "evalsha", "evalsha_ro", "script", "fcall", "fcall_ro"],
      ...["delete", "dump", "help", "kill", "list", "load", "restore", "stats"].map(
        (name) => `function|${name}`,
      ),
    ],
    why: "a script would run on one node only, and what it reads may be changing on another",
    instead: "Read, compute in the client, and write; MULTI and WATCH make that one step on this node.",
  },
  {
    family: "Lists",
    names: [
      ...[
        "lpush",
        "lpushx",
        "rpush",
        "rpushx",
        "lpop",
        "rpop",
        "llen",
        "lrange",
        "lindex",
        "lset",
        "linsert",
      ],
      ...["lrem", "ltrim", "lpos", "lmove", "lmpop", "rpoplpush"],
    ],
    why: "two nodes that push and pop at once have no order that both could keep",
    instead:
      "Give each item a key of its own, such as queue/<time>-<id>, and walk them with SCAN or LANKV.LS.",
  },
  {
    family: "Blocking pops",
    names: ["blpop", "brpop", "brpoplpush", "blmove", "blmpop", "bzpopmin", "bzpopmax", "bzmpop"],
    why: "no node can be sure that it alone hands out an item",
    instead: "Let one process hand out the work, or let each worker own a range of keys.",
  },
  {
    family: "Sorted sets",
    names: [
      ...["zadd", "zcard", "zcount", "zdiff", "zdiffstore", "zincrby", "zinter", "zintercard", "zinterstore"],
      ...["zlexcount", "zmpop", "zmscore", "zpopmax", "zpopmin", "zrandmember", "zrange", "zrangebylex"],
      ...["zrangebyscore", "zrangestore", "zrank", "zrem", "zremrangebylex", "zremrangebyrank"],
      ...[
        "zremrangebyscore",
        "zrevrange",
        "zrevrangebylex",
        "zrevrangebyscore",
        "zrevrank",
        "zscan",
        "zscore",
      ],
      ...["zunion", "zunionstore"],
    ],
    why: "there is no index by score, and ranks would differ from node to node",
    instead: "Write the score into the key, padded with zeros, and read in order with LANKV.LS.",
  },
  {
    family: "Streams",
    names: [
      ...["xadd", "xack", "xautoclaim", "xclaim", "xdel", "xgroup", "xinfo", "xlen", "xpending", "xrange"],
      ...["xread", "xreadgroup", "xrevrange", "xsetid", "xtrim"],
    ],
    why: "a log in one order, and groups that share it, need one node that decides",
    instead: "Give each entry a key of its own that begins with its time, with an expiry.",
  },
  {
    family: "Places",
    names: [
      ...["geoadd", "geodist", "geohash", "geopos", "georadius", "georadius_ro", "georadiusbymember"],
      ...["georadiusbymember_ro", "geosearch", "geosearchstore"],
    ],
    why: "they are sorted sets, which there are not",
    instead: "Write the geohash into the key and read by prefix with LANKV.LS.",
  },
  {
    family: "HyperLogLogs",
    names: ["pfadd", "pfcount", "pfmerge", "pfdebug", "pfselftest"],
    why: "a sketch that two nodes change at once would lose what one of them counted",
    instead: "Count in the client, one key a node, and add up what they hold.",
  },
  {
    family: "Redis Cluster and replicas",
    names: [
      ...["cluster", "readonly", "readwrite", "asking", "replicaof", "slaveof", "psync", "sync", "replconf"],
      ...["failover", "sentinel"],
    ],
    why: "every node holds every key and takes every write; there are no slots, no masters and no replicas",
    instead: "Connect to any node; LANKV.PEERS shows the others.",
  },
  {
    family: "Other databases",
    names: ["move", "swapdb"],
    why: "there is only database 0",
    instead: "Begin the keys of each program with a prefix of its own.",
  },
  {
    family: "Moving keys as they are kept",
    names: ["dump", "restore", "restore-asking", "migrate"],
    why: "values are not kept in Redis's format",
    instead: "Use `lankv export` and `lankv import`; COPY and RENAME work within the LAN.",
  },
  {
    family: "Sorting",
    names: ["sort", "sort_ro"],
    why: "there are no lists or sorted sets to sort",
    instead: "LANKV.LS returns keys in order; sort values in the client.",
  },
  {
    family: "Saving",
    names: ["save", "bgsave", "bgrewriteaof", "lastsave"],
    why: "what is written is saved all the time, as `lankv serve --fsync` says",
    instead: "LANKV.SYNC waits until it is on disk; `lankv backup` makes a copy.",
  },
  {
    family: "Users and access control",
    names: ["acl"],
    why: "there is one user, who may do everything",
    instead:
      "Say who that is by where the server listens, and with a password: `lankv serve --password-file`.",
  },
  {
    family: "Modules",
    names: ["module"],
    why: "modules are compiled for Redis itself",
    instead: "Write a program that uses the library.",
  },
  {
    family: "Debugging Redis",
    names: ["debug"],
    why: "it looks into Redis's own memory",
    instead: "LANKV.STATUS and LANKV.ENTRY show what a node and a key hold.",
  },
];

const byName: ReadonlyMap<string, Refusal> = new Map(
  REFUSALS.flatMap((refusal) => refusal.names.map((name) => [name, refusal] as const)),
);

/**
 * The error for a command that is refused; undefined when it is not, or when there is no such command.
 * @param name in any case; of a subcommand, "container|name"
 */
export function refusalOf(name: Bytes): string | undefined {
  const refusal = byName.get(name.toLowerCase());
  if (refusal === undefined) return undefined;
  return `ERR '${name.toUpperCase().replace("|", " ")}' is refused: ${refusal.why}. ${refusal.instead}`;
}
