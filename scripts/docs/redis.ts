/** docs/redis.md: prose and, from the one table of commands, what is said of each. */
import type { Command, Group, Guarantee } from "../../src/resp/command.js";
import { BOUNDS, type Bound } from "../../src/resp/limits.js";
import { REFUSALS } from "../../src/resp/refused.js";
import { REPLY_BYTES_MAX } from "../../src/resp/reply.js";
import { ARGUMENTS_MAX, LINE_BYTES_MAX } from "../../src/resp/request.js";
import {
  CHANNEL_BYTES_MAX,
  CHANNELS_MAX,
  HUB_PATTERN_BYTES_MAX,
  HUB_PATTERNS_MAX,
  PATTERN_BYTES_OF_CLIENT_MAX,
  PATTERNS_MAX,
} from "../../src/resp/subscriptions.js";
import { commandTable } from "../../src/resp/table.js";
import { QUEUED_BYTES_MAX, QUEUED_MAX, WATCHED_MAX } from "../../src/resp/transaction.js";
import { readFigures } from "../../test/redis/suite-figures.js";
import { readSkips, type Skip } from "../../test/redis/suite-skips.js";

const GROUPS: readonly (readonly [group: Group, title: string])[] = [
  ["string", "Strings"],
  ["bitmap", "Bits"],
  ["generic", "Keys"],
  ["pubsub", "Messages"],
  ["transactions", "Transactions"],
  ["connection", "The connection"],
  ["server", "The server"],
  ["lankv", "lankv's own"],
];

const GUARANTEES: readonly (readonly [guarantee: Guarantee, meaning: string])[] = [
  [
    "reads",
    "answered from the copy on this node, at once. What another node has just written may not be here yet.",
  ],
  [
    "everywhere",
    "written here at once, and reaches every node. Of two writes of one key at once on two nodes the later one " +
      "remains, on all nodes the same; the other is listed by `LANKV.CONFLICTS`.",
  ],
  [
    "this node",
    "what is read and what is written is one step on this node: no other client of this node comes in between. On " +
      "the LAN it is not: of two such steps at once on two nodes, the later one remains and the other is lost.",
  ],
  ["lan", "reaches whoever listens at that moment, on any node, or is lost."],
  ["connection", "concerns nothing but this connection or this server."],
];

/** The sections in their order; each begins with its heading. One that has nothing to say is "". */
const SECTIONS: readonly (() => string)[] = [
  introduction,
  guarantees,
  commands,
  transactions,
  notifications,
  durability,
  refusals,
  limits,
  suite,
];

/** The whole document. */
export function redisDocs(): string {
  const sections = SECTIONS.map((section) => section().trim()).filter((section) => section !== "");
  return `${sections.join("\n\n")}\n`;
}

function introduction(): string {
  return `
# The Redis protocol

<!-- Made by \`npm run docs:redis\` from the table of commands; a test holds the two together. -->

\`lankv serve\` speaks the protocol of Redis on 127.0.0.1:7379 and on a unix socket, so any Redis client is a client. It
answers as Redis 7.0 does: the same replies, the same errors, the same edge cases. What differs is what a LAN of equals
makes differ; it is said here, command by command.

\`\`\`
redis-cli -p 7379 set one 111
\`\`\`

\`\`\`python
import redis
kv = redis.Redis(port=7379)
kv.set("one", "111")
\`\`\`

\`\`\`js
import Redis from "ioredis";
const kv = new Redis(7379);
await kv.set("one", "111");
\`\`\`

Each node holds all keys: connect to the one on the same machine. Keys and values are bytes.`;
}

function guarantees(): string {
  return `
## What may be counted on

No node asks another for permission, so each command can promise no more than a node can keep alone. Each has one of
these guarantees:

| guarantee | meaning |
|---|---|
${GUARANTEES.map(([name, meaning]) => row(name, meaning)).join("\n")}

So \`SET key value NX\` and \`SETNX\` are no lock, and the number that \`INCR\` returns is no id that is unique on the LAN:
two nodes can both succeed, or both count to the same number.`;
}

function commands(): string {
  const tables = GROUPS.map(([group, title]) => [title, entriesOf(group)] as const)
    .filter(([, entries]) => entries.length > 0)
    .map(([title, entries]) => `### ${title}\n\n${tableOf(entries)}`);
  return `
## Commands

In capitals what is meant as it is; in brackets what may be left out. Without a note a command does what Redis's
documentation says.

${tables.join("\n\n")}`;
}

function transactions(): string {
  return commandTable.has("multi")
    ? `
## Transactions

\`MULTI\` to \`EXEC\` is one step on this node: no other client of this node and no change from another node comes in
between. It is not one step on the LAN: the other nodes get the writes one after another, and of two transactions at
once on two nodes the later write of each key remains. \`WATCH\` notices every change of a key that has reached this node,
whoever wrote it.`
    : "";
}

function notifications(): string {
  return commandTable.has("psubscribe")
    ? `
## Notifications

Subscribers of \`__keyspace@0__:<key>\` and \`__keyevent@0__:<event>\` are told of changes under the names that Redis has
for them: \`set\`, \`del\`, \`expire\`, \`expired\`, \`persist\`, \`incrby\`, \`incrbyfloat\`, \`append\`, \`setrange\`, \`setbit\`,
\`rename_from\`, \`rename_to\`, \`copy_to\`, \`new\`. Which command another node used is not known here: its changes are
told as \`set\`, \`expire\`, \`persist\` or \`del\`, by what is different: the same value with another expiry is \`expire\`
or \`persist\`, whatever wrote it.`
    : "";
}

function durability(): string {
  return `
## On disk

A node keeps its keys on disk unless it is started with \`--memory\`. When they are safe there says \`lankv serve --fsync\`,
as \`appendfsync\` does in Redis: \`always\`, \`everysec\` (the default) or \`never\`. \`CONFIG GET appendfsync\` shows it, \`INFO
persistence\` how it goes.

- With \`always\` the reply to a write leaves when it is on disk, and what is behind it in the pipeline with it. One sync
  serves all clients that write meanwhile. Another client may read a write before it is durable.
- While the disk takes nothing, writes are answered with \`-MISCONF\` and the reason. So is a write that waits for the disk
  when it fails: it was made, in memory and on the LAN, but is not known to be on this disk; the message says so.
  Reads go on, and it ends by itself when the disk works again.
- A server that has just started loads its keys. Until it has, it answers \`-LOADING\`, also to \`PING\`, as Redis does;
  \`INFO\`, \`LANKV.STATUS\` and the commands that concern no key are served.`;
}

function refusals(): string {
  return `
## Refused

These are answered with an error that says the same. What is in none of the tables is an unknown command.

| what | why | instead |
|---|---|---|
${REFUSALS.map(({ family, names, why, instead }) =>
  row(`${family}: ${names.map((name) => code(upper(name))).join(" ")}`, sentence(why), instead),
).join("\n")}`;
}

function limits(): string {
  const bounds = BOUNDS.map(({ parameter, flag, meaning, unit, initial, min, max }) =>
    row(
      code(parameter),
      flag === undefined ? "" : code(`--${flag}`),
      meaning,
      amount(initial, unit),
      `${amount(min, unit)} to ${amount(max, unit)}`,
    ),
  );
  return `
## Limits

| what | limit |
|---|---|
| a key | 1 to 1 024 bytes; the empty key, which Redis takes, is refused |
| a value | 1 048 576 bytes |
| an expiry | up to the year 10 889; what is later is brought forward to it |
| databases | one, number 0 |
| a request | ${digits(ARGUMENTS_MAX)} arguments; typed as a line of words, ${digits(LINE_BYTES_MAX)} bytes |
| a reply | ${amount(REPLY_BYTES_MAX, "bytes")} |
| a transaction | ${digits(QUEUED_MAX)} commands of ${amount(QUEUED_BYTES_MAX, "bytes")}, and ${digits(WATCHED_MAX)} watched keys |
| a client's channels | ${digits(CHANNELS_MAX)}, whose names have ${amount(CHANNEL_BYTES_MAX, "bytes")} |
| a client's patterns of channels | ${digits(PATTERNS_MAX)} of ${amount(PATTERN_BYTES_OF_CLIENT_MAX, "bytes")} together |
| the patterns of all clients | ${digits(HUB_PATTERNS_MAX)} of ${amount(HUB_PATTERN_BYTES_MAX, "bytes")} together |

What clients may take is set when the server starts, by a flag of \`lankv serve\` or by its variable in the environment,
such as \`LANKV_MAX_CLIENTS\`, and while it runs by \`CONFIG SET\`, which holds until the server ends. In CONFIG times are
in seconds, and sizes in bytes or with \`kb\`, \`mb\` or \`gb\` behind; flags take \`90s\` or \`2m\`, and \`512KiB\`, \`32MiB\` or
\`1GiB\`.

| in CONFIG | flag | what it bounds | default | may be |
|---|---|---|---|---|
${bounds.join("\n")}

Each client takes one of the files that the process may hold open (\`ulimit -n\`, or \`LimitNOFILE\` of systemd), of which
256 are kept for the node, or half of a limit below 512: where the system allows less than \`maxclients\` needs, it is
that much lower.`;
}

function suite(): string {
  const skips = readSkips();
  const rows = readFigures().map(({ unit, passed, skipped, redis }) =>
    row(unit, String(passed), String(skipped), String(redis), reasonsOf(skips.get(unit) ?? [])),
  );
  return `
## Redis's own suite

The tests that Redis 7.0.15 is itself tested with run against lankv, from outside, whenever lankv is tested, and against
Redis beside it. Numbers of tests; those that Redis's suite gives up for any server that it has not started itself, that
look into its memory, its disk or its replicas, and that are slow are left out for both.

| unit | passed | left out | Redis itself | left out because |
|---|---|---|---|---|
${rows.join("\n")}

\`test/redis/suite-skips.txt\` has the name of every test that is left out. Each is tried all the same, and must fail.`;
}

/** Each reason, and for how many tests it is. */
function reasonsOf(skips: readonly Skip[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of skips) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${reason.replace(/\.$/, "")}: ${count}.`).join(" ");
}

/** The entries of a group; those with subcommands are followed by them. */
function entriesOf(group: Group): readonly Command[] {
  return [...commandTable.values()]
    .flatMap((command) => command.subcommands ?? [command])
    .filter((command) => command.group === group && !command.name.endsWith("|help"));
}

function tableOf(entries: readonly Command[]): string {
  const rows = entries.map(({ name, syntax, summary, guarantee, note = "" }) =>
    row(code(`${upper(name)} ${syntax}`.trim()), summary, guarantee, note),
  );
  return `| command | what it does | guarantee | note |\n|---|---|---|---|\n${rows.join("\n")}`;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function upper(name: string): string {
  return name.toUpperCase().replace("|", " ");
}

/** 65536 as "65 536". */
function digits(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, " ");
}

function amount(value: number, unit: Bound["unit"]): string {
  if (unit === "count") return digits(value);
  if (unit === "seconds") return value === 0 ? "0" : `${digits(value)} s`;
  return `${digits(value / 1_048_576)} MiB`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
