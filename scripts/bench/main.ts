/**
 * npm run bench [-- --small] [-- --only NAME]
 *
 * Runs every measure once, prints the table and, with the real sizes and all measures, writes docs/benchmarks.md. Needs
 * iproute2 and redis-server; runs in namespaces of its own, so nothing leaves this machine.
 */
import { writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { run } from "../../test/lan/command.js";
import { unavailable } from "../../test/lan/namespace.js";
import { software } from "../../src/node/software.js";
import { durability } from "./durability.js";
import {
  expiring,
  healing,
  idling,
  joining,
  reading,
  replication,
  visibility,
  type Sizes,
} from "./measures.js";
import type { Row } from "./row.js";
import { serving } from "./serving.js";
import { starting } from "./starting.js";

const SIZES: Sizes = { keys: 1_000_000, samples: 3_000, joins: 20, requests: 100_000 };
const SMALL: Sizes = { keys: 50_000, samples: 300, joins: 5, requests: 10_000 };
const MEASURES: Readonly<Record<string, (sizes: Sizes) => Promise<Row[]>>> = {
  replication,
  visibility,
  joining,
  healing,
  idling,
  reading,
  expiring,
  serving,
  durability,
  starting,
};

const { values } = parseArgs({
  options: { small: { type: "boolean", default: false }, only: { type: "string" } },
});
if (unavailable !== undefined) throw new Error(unavailable);

const rows: Row[] = [];
for (const [name, measure] of Object.entries(MEASURES)) {
  if (values.only !== undefined && values.only !== name) continue;
  process.stderr.write(`${name} ...\n`);
  rows.push(...(await measure(values.small ? SMALL : SIZES)));
}
const table = toTable(rows);
process.stdout.write(`${table}\n`);
if (!values.small && values.only === undefined) {
  const path = fileURLToPath(new URL("../../../docs/benchmarks.md", import.meta.url));
  await writeFile(path, await toPage(table));
}

function toTable(lines: readonly Row[]): string {
  const head = ["| | lankv | Redis | ratio | target | |", "|---|---|---|---|---|---|"];
  const body = lines.map(({ measure, lankv, redis, result, target, isMet }) =>
    ["", measure, lankv, redis, result, target, target === "" ? "" : isMet ? "met" : "**missed**", ""]
      .join(" | ")
      .trim(),
  );
  return [...head, ...body].join("\n");
}

async function toPage(body: string): Promise<string> {
  const redis = (await run("redis-server", ["--version"])).stdout.trim();
  const [processor] = cpus();
  const machine = [
    `${String(cpus().length)} x ${processor?.model ?? "unknown processor"}`,
    `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `Linux ${release()}`,
    `Node ${process.version}`,
    `lankv ${software}`,
    redis,
  ];
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench`. Hosts are network namespaces on one bridge, values have 100 bytes, and lankv and Redis",
    "(primary and replica, nothing on disk) take turns in one run, so read the ratios rather than the rates: the",
    "machine is shared. scripts/bench holds every measure.",
    "",
    'Rows that begin with "clients" are of redis-benchmark: 50 clients, 100 000 random keys; the median of five rounds, in',
    "each of which lankv and Redis take turns. It, the server and the peer that replicates everything written, a second node",
    "or a replica, share the processors; at the end the peer holds the same root.",
    "",
    `Machine: ${machine.join("; ")}.`,
    "",
    body,
    "",
    "What is missed, and why; processor times are of profiles by hand, which no command repeats. Polling with GET: a request costs Node 0.05 ms and Redis 0.03, and a message crosses two more",
    "threads on its way, ZeroMQ's on each side, so that the second or third GET sees what the first one sees at a replica. The",
    "slowest hundredth of the events waits for two collectors of garbage and four threads, on two processors.",
    "",
    "Local reads: the bytes of values lie outside of the collector's heap, so that who writes does not wait for it",
    "([ADR 6](adr/0006-slots-index-and-chains.md)); a read makes a string of them, 0.1 to 0.2 µs. An awaited `get()` has a promise and its",
    "turn of the microtask queue on top. At a million keys in random order a read waits for memory.",
    "",
    "SET by Redis clients without a pipeline takes 6.5 µs of the daemon's main thread over the unix socket and 9.0 over TCP, of which the",
    "system's read and write of one small request each are 2.6 and 4.7, and 1.3 µs of the peer's. The two processors are the client's, too: with",
    "the peer stopped it is a tenth more. Next would be the memory that a peer waits for: over 1 000 keys applying a record takes half as long.",
    "",
    "Durable SETs: with `everysec` a set takes 8.5 µs of the main thread, with `--memory` 7.5: to gather what changed, to make entries of it,",
    "half a microsecond each, for they are out of the processor's cache by then, and to append what counts of the segments that go. More than half of it is",
    "the system's, to read a request and to write a reply. Next would be that a value is made a string only to be laid down in a cell, 0.3 µs. With",
    "`always` a save is one call by way of a thread, for a half of the clients, while the replies of the save before are sent to the others.",
    "A round is of 400 000 sets, and of 200 000 with `always`: some three seconds each, and a first one counts for neither, since the compiler is",
    "at work in it. In a round of `everysec` lankv frees as much as it writes, and redis-server, as it comes, rewrites its file about once, which its",
    "bytes leave out, for another process does it; without that (by hand: `auto-aof-rewrite-percentage 0`) the ratios are 0.02 less.",
    "",
    "Replication with both nodes on disk: each set is saved twice, on two processors that are the client's, too: 0.3 µs more of each node's main",
    "thread, 0.1 of its other threads, and what the system does to write it. In a profile of the reader saving is 0.25 µs: copying key and value",
    "and the check of the entry 0.06 each, the rest of the entry as much. Next would be to copy and to check in one go.",
    "",
    "The start: 0.15 s until it answers, half of it Node.js's own ([ADR 23](adr/0023-the-program-in-few-files.md)), then 0.8 µs a record in",
    "one thread. In a profile the map takes half of that, waiting for memory mostly, copying key and value a sixth, finding and decoding the entry",
    "a tenth, its check a twenty-fifth.",
    "",
  ].join("\n");
}
