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
    "What is missed, and why. Polling with GET: a request costs Node 0.07 ms and Redis 0.03, and a message crosses two more",
    "threads on its way, ZeroMQ's on each side, so that the second or third GET sees what the first one sees at a replica.",
    "An awaited `get()`: the promise and its turn of the microtask queue take a third of the time; `peek()` is without. At a",
    "million keys in random order a read waits for memory. A first-class event for the first and fewer cache misses",
    "for the second would be the next steps.",
    "",
    "SET by Redis clients: at -P 32 a request takes 3.4 µs of the daemon's processor time, and 2.5 when there are only a",
    "thousand keys: the search for the key, the record that it replaces and the new one go to memory that no cache holds.",
    "The garbage collector takes a tenth, and its pauses are the p99. Without a pipeline each request is a read and a write",
    "of its own in Node's streams, and the peer and its threads want the same two processors. Started with",
    "`--max-semi-space-size=2` Node did 15 to 20 % more in a trial, with three quarters of the p99; a program cannot set",
    "that for itself. The next steps are fewer objects a record, and that setting in the service and container.",
    "",
  ].join("\n");
}
