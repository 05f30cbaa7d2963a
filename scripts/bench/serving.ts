/**
 * What the clients of one server see: redis-benchmark against lankv and against Redis, in turns. Each has a peer on another
 * host that replicates all that is written, so that both carry the same duty.
 */
import assert from "node:assert/strict";
import type { Host } from "../../test/lan/host.js";
import { Lan } from "../../test/lan/lan.js";
import { until } from "../../test/lan/until.js";
import type { Sizes } from "./measures.js";
import { Redis } from "./redis.js";
import { ceilingRow, milliseconds, perSecond, ratioRow, type Row } from "./row.js";

const KEYS = 100_000;
const CLIENTS = 50;
const VALUE_BYTES = 100;
const LANKV_PORT = 7379;
const REDIS_PORT = 6379;
/** Odd, so that one of them is the median; and before them one that does not count. */
const ROUNDS = 5;
const COMMANDS = ["SET", "GET"] as const;
/** The slowest hundredth of the requests may take so many times as long as with Redis. */
const P99_AT_MOST = 2;

interface Pipeline {
  readonly depth: number;
  /** So many times the requests of a round without a pipeline. */
  readonly share: number;
  /** What is aimed at: so much of Redis's rate. */
  readonly atLeast: number;
}

const PIPELINES: readonly Pipeline[] = [
  { depth: 1, share: 1, atLeast: 0.8 },
  { depth: 32, share: 4, atLeast: 0.5 },
];

/** What redis-benchmark tells of a command. */
interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

type Round = ReadonlyMap<string, Figures>;

export async function serving({ requests }: Sizes): Promise<Row[]> {
  await using lan = await Lan.create();
  const node = await lan.daemon({ flags: ["--redis-port", String(LANKV_PORT)] });
  const peer = await lan.daemon();
  await node.cliOutput("wait", "--peers", "1", "--synced");
  await using primary = await Redis.start(await lan.host(), "primary");
  await using replica = await Redis.start(await lan.host(), "replica");
  await replica.follow(primary);

  const rows: Row[] = [];
  for (const { depth, share, atLeast } of PIPELINES) {
    for (const transport of ["TCP", "unix socket"] as const) {
      const load = ["-n", String(requests * share), "-P", String(depth)];
      const isTcp = transport === "TCP";
      const [lankv, redis] = await inTurns(
        () => round(node.host, [...(isTcp ? ["-p", String(LANKV_PORT)] : ["-s", node.socket]), ...load]),
        () =>
          round(primary.host, [...(isTcp ? ["-p", String(REDIS_PORT)] : ["-s", primary.socket]), ...load]),
      );
      for (const command of COMMANDS) {
        const [own, other] = [mediansOf(lankv, command), mediansOf(redis, command)];
        const how = `${command}, ${transport}, ${depth === 1 ? "no pipeline" : `-P ${String(depth)}`}`;
        rows.push({
          ...ratioRow(`clients: ${how}`, own.perSecond, other.perSecond, atLeast, perSecond),
          lankv: rateAndMedian(own),
          redis: rateAndMedian(other),
        });
        rows.push(ceilingRow(`clients: ${how}, p99`, own.p99Ms, other.p99Ms, P99_AT_MOST, milliseconds));
      }
    }
  }

  await until("both peers hold what was written", async () => {
    const [own, others] = [await node.status(), await peer.status()];
    assert.deepEqual([others.keys, others.root], [own.keys, own.root]);
    assert.equal(await replica.size(), await primary.size());
  });
  return rows;
}

/** Several rounds of each, one after the other, so that a busy moment of the machine meets both. */
async function inTurns(
  one: () => Promise<Round>,
  other: () => Promise<Round>,
): Promise<readonly [readonly Round[], readonly Round[]]> {
  const [ones, others]: [Round[], Round[]] = [[], []];
  for (let i = 0; i <= ROUNDS; i += 1) {
    const [first, second] = [await one(), await other()];
    if (i === 0) continue;
    ones.push(first);
    others.push(second);
  }
  return [ones, others];
}

async function round(host: Host, args: readonly string[]): Promise<Round> {
  const keys = ["-t", "set,get", "-r", String(KEYS), "-d", String(VALUE_BYTES), "-c", String(CLIENTS)];
  const { code, stdout, stderr } = await host.run("redis-benchmark", ...args, ...keys, "--csv");
  assert.equal(code, 0, stderr);
  const [head = "", ...lines] = stdout.trim().split("\n");
  const names = cellsOf(head);
  return new Map(
    lines.map((line) => {
      const cells = cellsOf(line);
      const figure = (name: string): number => Number(cells[names.indexOf(name)]);
      const figures = {
        perSecond: figure("rps"),
        p50Ms: figure("p50_latency_ms"),
        p99Ms: figure("p99_latency_ms"),
      };
      assert.ok(Object.values(figures).every(Number.isFinite), stdout);
      return [cells[0] ?? "", figures];
    }),
  );
}

function cellsOf(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"/g)].map(([, cell = ""]) => cell);
}

function mediansOf(rounds: readonly Round[], command: string): Figures {
  const median = (name: keyof Figures): number => {
    const values = rounds.map((each) => each.get(command)?.[name] ?? NaN).sort((a, b) => a - b);
    return values[Math.floor(values.length / 2)] ?? NaN;
  };
  return { perSecond: median("perSecond"), p50Ms: median("p50Ms"), p99Ms: median("p99Ms") };
}

function rateAndMedian({ perSecond: rate, p50Ms }: Figures): string {
  return `${perSecond(rate)}, p50 ${milliseconds(p50Ms)}`;
}
