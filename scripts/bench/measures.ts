/**
 * The measures, each on a LAN of its own with hosts in network namespaces, lankv and Redis in turn within one run.
 * Every measure returns rows for the table.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Daemon } from "../../test/lan/daemon.js";
import type { Host } from "../../test/lan/host.js";
import { numberMember, member } from "../../test/lan/json.js";
import { Lan } from "../../test/lan/lan.js";
import type { Program } from "../../test/lan/program.js";
import { until } from "../../test/lan/until.js";
import { heardAfterMs, percentile, visibleAfterMs } from "./latency.js";
import { cpuSeconds, Redis, residentBytes } from "./redis.js";
import { DEPTH, keyOf, VALUE } from "./load.js";
import {
  bytesPerSecond,
  ceilingRow,
  floorRow,
  limitRow,
  megabytes,
  milliseconds,
  percent,
  perSecond,
  ratioRow,
  type Row,
} from "./row.js";

const agent = fileURLToPath(new URL("agent.js", import.meta.url));
const PATIENCE = { deadlineMs: 120_000 };
/** Small limits for agents that hold a million keys are not the point here: as a user would run them. */
const IDLE_SECONDS = 20;

/** How much of everything: the real sizes, or small ones to try the benchmark itself. */
export interface Sizes {
  readonly keys: number;
  readonly samples: number;
  readonly joins: number;
  /** Requests of a round of redis-benchmark, without a pipeline. */
  readonly requests: number;
}

/** The result that an agent printed. */
async function resultOf(program: Program): Promise<unknown> {
  return until(
    `${program.name} has its result`,
    () => {
      const line = program.log.split("\n").find((text) => text.startsWith("{"));
      if (line === undefined) throw new Error(`${program.ending ?? "running"}\n${program.log}`);
      return JSON.parse(line) as unknown;
    },
    PATIENCE,
  );
}

function startAgent(host: Host, role: string, count: number): Program {
  return host.start(`${host.name}-${role}`, [agent, role, String(count)]);
}

async function holds(daemon: Daemon, keys: number): Promise<void> {
  while ((await daemon.keyCount()) < keys) await sleep(2);
}

function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Writes at one host until all is at the other; then a newcomer; then memory. */
export async function replication({ keys }: Sizes): Promise<Row[]> {
  const redis = await replicationOfRedis(keys);
  await using lan = await Lan.create();
  const reader = await lan.daemon();
  const writer = startAgent(await lan.host(), "write", keys);
  const written = await resultOf(writer);
  await holds(reader, keys);
  const setsPerSecond = keys / ((clockMs() - numberMember(written, "startedAtMs")) / 1000);
  const joined = await resultOf(startAgent(await lan.host(), "join", keys));
  const joinMs = numberMember(joined, "completeAtMs") - numberMember(joined, "startedAtMs");
  const rssBytes = Math.max(numberMember(written, "rssBytes"), await residentBytes(reader.pid));
  const joinPerSecond = (keys / joinMs) * 1000;
  return [
    ratioRow(
      `sets applied at the other node, ${String(DEPTH)} at once`,
      setsPerSecond,
      redis.setsPerSecond,
      0.6,
      perSecond,
    ),
    ratioRow(`a newcomer gets ${String(keys)} keys`, joinPerSecond, redis.joinPerSecond, 0.3, perSecond),
    ceilingRow(`memory at ${String(keys)} keys`, rssBytes, redis.rssBytes, 2.5, megabytes),
  ];
}

async function replicationOfRedis(
  keys: number,
): Promise<{ setsPerSecond: number; joinPerSecond: number; rssBytes: number }> {
  await using lan = await Lan.create();
  await using primary = await Redis.start(await lan.host(), "primary");
  await using replica = await Redis.start(await lan.host(), "replica");
  await replica.follow(primary);
  const startedAtMs = clockMs();
  await primary.load(keys);
  const size = await primary.size();
  while ((await replica.size()) < size) await sleep(2);
  const setsPerSecond = keys / ((clockMs() - startedAtMs) / 1000);
  await using newcomer = await Redis.start(await lan.host(), "newcomer");
  const joinedAtMs = clockMs();
  await newcomer.client.call("REPLICAOF", primary.host.address, "6379");
  // It answers -LOADING until it has everything.
  await until(
    "the newcomer has everything",
    async () => {
      if ((await newcomer.size()) < size) throw new Error("not yet");
    },
    PATIENCE,
  );
  const joinPerSecond = (size / (clockMs() - joinedAtMs)) * 1000;
  return { setsPerSecond, joinPerSecond, rssBytes: await residentBytes(primary.pid) };
}

/** By polling with the same client on both sides; then by being told of the change. */
export async function visibility({ samples }: Sizes): Promise<Row[]> {
  const redis = await visibilityOfRedis(samples);
  await using lan = await Lan.create();
  const [writer, reader] = [await lan.daemon(), await lan.daemon()];
  await writer.cliOutput("wait", "--peers", "1", "--synced");
  const polledMs = await visibleAfterMs(writer.socket, reader.socket, samples);
  await writer.stop();
  await reader.stop();
  const hearer = startAgent(await lan.host(), "hear", samples);
  startAgent(await lan.host(), "tell", samples);
  const heardMs = timesOf(await resultOf(hearer));
  return [
    ...percentiles("set -> event at the other (library; SET -> keyspace event)", heardMs, redis.heardMs),
    ...percentiles("SET -> seen by polling GET at the other (daemon)", polledMs, redis.polledMs),
  ];
}

async function visibilityOfRedis(
  samples: number,
): Promise<{ polledMs: readonly number[]; heardMs: readonly number[] }> {
  await using lan = await Lan.create();
  await using primary = await Redis.start(await lan.host(), "primary");
  await using replica = await Redis.start(await lan.host(), "replica");
  await replica.follow(primary);
  await replica.client.call("CONFIG", "SET", "notify-keyspace-events", "KEA");
  const heardMs = await heardAfterMs(primary.socket, replica.socket, samples);
  return { polledMs: await visibleAfterMs(primary.socket, replica.socket, samples), heardMs };
}

function percentiles(measure: string, lankv: readonly number[], redis: readonly number[]): Row[] {
  const row = (share: number, factor: number): Row => {
    const [own, other] = [percentile(lankv, share), percentile(redis, share)];
    return ceilingRow(`${measure}, p${String(share * 100)}`, own, other, factor, milliseconds);
  };
  return [row(0.5, 1.5), row(0.99, 3)];
}

/** The times that an agent printed, ascending. */
function timesOf(result: unknown): readonly number[] {
  const listed = member(result, "tookMs");
  return (Array.isArray(listed) ? listed.map(Number) : []).sort((a, b) => a - b);
}

export async function joining({ joins }: Sizes): Promise<Row[]> {
  await using lan = await Lan.create();
  const daemons = [await lan.daemon(), await lan.daemon(), await lan.daemon()];
  const client = await daemons[0]?.connect();
  await client?.pipeline(Array.from({ length: 10_000 }, (_, i) => ["SET", keyOf(i), VALUE]));
  client?.close();
  for (const daemon of daemons) await holds(daemon, 10_000);
  const result = await resultOf(startAgent(await lan.host(), "joins", joins));
  const p95 = percentile(timesOf(result), 0.95);
  return [limitRow("join: open() to live, 3 nodes, 10 000 keys, p95", p95, 500, milliseconds)];
}

export async function healing({ keys }: Sizes): Promise<Row[]> {
  await using lan = await Lan.create();
  const writer = await lan.daemon();
  const client = await writer.connect();
  await client.stream(
    (function* () {
      for (let i = 0; i < keys; i += 1) yield ["SET", keyOf(i), VALUE];
    })(),
    () => undefined,
  );
  const host = await lan.host();
  const healed = startAgent(host, "heal", keys + 1000);
  await until(
    "the other holds everything",
    async () => {
      const [peer] = await writer.peerKeys();
      if (peer !== keys) throw new Error(`it holds ${String(peer)}`);
    },
    PATIENCE,
  );
  await host.cable.cut();
  await until("the cut is noticed", async () => {
    if ((await writer.peers()).some(({ state }) => state !== "gone")) throw new Error("not yet");
  });
  await client.pipeline(Array.from({ length: 1000 }, (_, i) => ["SET", `missed:${String(i)}`, VALUE]));
  await sleep(1000);
  const before = await host.cable.traffic();
  await host.cable.mend();
  const result = await resultOf(healed);
  const after = await host.cable.traffic();
  const tookMs = numberMember(result, "completeAtMs") - numberMember(result, "noticedAtMs");
  const pulled = after.receivedBytes - before.receivedBytes;
  return [
    limitRow(`1 000 keys missed of ${String(keys)}, after the heal is noticed`, tookMs, 500, milliseconds),
    limitRow("the same, bytes received", pulled, 2_000_000, megabytes),
  ];
}

export async function idling(): Promise<Row[]> {
  await using lan = await Lan.create();
  const daemons: Daemon[] = [];
  for (let i = 0; i < 5; i += 1) daemons.push(await lan.daemon());
  for (const daemon of daemons) await daemon.cliOutput("wait", "--peers", "4", "--synced");
  await daemons[0]?.set("one", "111");
  for (const daemon of daemons) await holds(daemon, 1);
  await sleep(2000);
  const observe = async (): Promise<{ cpu: number; sent: number; received: number }[]> =>
    Promise.all(
      daemons.map(async ({ pid, host }) => {
        const { sentBytes, receivedBytes } = await host.cable.traffic();
        return { cpu: await cpuSeconds(pid), sent: sentBytes, received: receivedBytes };
      }),
    );
  const before = await observe();
  await sleep(IDLE_SECONDS * 1000);
  const after = await observe();
  const most = (field: "cpu" | "sent" | "received"): number =>
    Math.max(...after.map((now, i) => (now[field] - (before[i]?.[field] ?? 0)) / IDLE_SECONDS));
  return [
    limitRow("idle, equal, 5 nodes: sent a node", most("sent"), 1000, bytesPerSecond),
    limitRow("idle, equal, 5 nodes: received a node", most("received"), 1000, bytesPerSecond),
    limitRow("idle, equal, 5 nodes: processor a node", most("cpu") * 100, 1, percent),
  ];
}

export async function reading(): Promise<Row[]> {
  await using lan = await Lan.create();
  const rows: Row[] = [];
  for (const keys of [10_000, 1_000_000]) {
    const result = await resultOf(startAgent(await lan.host(), "gets", keys));
    const gets = numberMember(result, "getsPerSecond");
    const peeks = numberMember(result, "peeksPerSecond");
    const of = `of ${String(keys)} keys at random`;
    rows.push(floorRow(`local await get(), ${of}`, gets, 5_000_000, perSecond));
    rows.push(floorRow(`local peek(), ${of}`, peeks, 5_000_000, perSecond));
  }
  return rows;
}

/** All of them are told to a listener. The second row is of use where other programs take the processor away. */
export async function expiring({ keys }: Sizes): Promise<Row[]> {
  await using lan = await Lan.create();
  const result = await resultOf(startAgent(await lan.host(), "expire", keys));
  const [stallMs, busyMs] = [numberMember(result, "stallMs"), numberMember(result, "busyMs")];
  return [
    limitRow(`${String(keys)} keys expire within a second: longest stall`, stallMs, 50, milliseconds),
    limitRow("the same, processor time of all threads meanwhile", busyMs, 50, milliseconds),
  ];
}
