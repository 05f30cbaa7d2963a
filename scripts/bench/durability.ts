/**
 * What durability costs: writes by many clients, the start, the disk, and replication, with files on the machine's own
 * disk, beside a redis-server that appends to a file by the same policy.
 */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Lan } from "../../test/lan/lan.js";
import type { Daemon } from "../../test/lan/daemon.js";
import type { Host } from "../../test/lan/host.js";
import { until } from "../../test/lan/until.js";
import type { Sizes } from "./measures.js";
import { Redis } from "./redis.js";
import { bytes, ceilingRow, factRow, perSecond, ratioRow, seconds, type Row } from "./row.js";

const REDIS_PORT = 6379;
const LANKV_PORT = 7379;
const KEYS = 100_000;
const CLIENTS = 50;
/** Odd, so that one of them is the median; and before them one that does not count. */
const ROUNDS = 5;
/**
 * Requests of a round, by the policy, as a multiple of what is asked for: some three seconds at the real sizes, so that with `everysec`
 * one sync more or less is a third of them and not all.
 */
const ROUND_FACTORS = { everysec: 4, always: 2 };
const PATIENCE = { deadlineMs: 180_000 };

/** A folder on the disk, and not in the memory that the hosts of the test LAN use. */
class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async create(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), "lankv-bench-")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

export async function durability({ keys, requests }: Sizes): Promise<Row[]> {
  const rows: Row[] = [];
  for (const fsync of ["everysec", "always"] as const)
    rows.push(...(await writing(fsync, ROUND_FACTORS[fsync] * requests)));
  rows.push(...(await starting(keys)), ...(await replicating(keys)));
  return rows;
}

async function writing(fsync: "everysec" | "always", requests: number): Promise<Row[]> {
  await using folder = await Folder.create();
  await using lan = await Lan.create();
  const files = ["--data-dir", join(folder.path, "lankv"), "--fsync", fsync];
  const daemon = await lan.daemon({ flags: ["--redis-port", String(LANKV_PORT), ...files] });
  await using redis = await Redis.start(await lan.host(), "aof", {
    directory: join(folder.path, "redis"),
    appendfsync: fsync,
  });
  const [own, others]: [number[], number[]] = [[], []];
  const writtenBefore: [number, number] = [0, 0];
  for (let i = 0; i <= ROUNDS; i += 1) {
    const [one, other] = [
      await benchmark(daemon.host, LANKV_PORT, requests),
      await benchmark(redis.host, REDIS_PORT, requests),
    ];
    if (i === 0) {
      writtenBefore[0] = await bytesWritten(daemon.pid);
      writtenBefore[1] = await bytesWritten(redis.pid);
      continue;
    }
    own.push(one);
    others.push(other);
  }
  // What is written within the second after is theirs too.
  await sleep(2_000);
  const sets = ROUNDS * requests;
  const ownBytes = ((await bytesWritten(daemon.pid)) - writtenBefore[0]) / sets;
  const otherBytes = ((await bytesWritten(redis.pid)) - writtenBefore[1]) / sets;
  return [
    ratioRow(
      `durable: SET, ${String(CLIENTS)} clients, fsync ${fsync}`,
      median(own),
      median(others),
      0.8,
      perSecond,
    ),
    factRow(`the same, bytes given to the disk for each set`, ownBytes, otherBytes, bytes),
  ];
}

/** How fast the clients' sets are acknowledged. */
async function benchmark(host: Host, port: number, requests: number): Promise<number> {
  const size = ["-n", String(requests), "-r", String(KEYS), "-d", "100", "-c", String(CLIENTS)];
  const { code, stdout, stderr } = await host.run(
    "redis-benchmark",
    "-p",
    String(port),
    "-t",
    "set",
    ...size,
    "--csv",
  );
  assert.equal(code, 0, stderr);
  const [, rate = ""] = /^"SET","([\d.]+)"/m.exec(stdout) ?? [];
  assert.ok(Number(rate) > 0, stdout);
  return Number(rate);
}

/** Both hold the same number of keys; the time is from the start of the process until all keys are there. */
async function starting(keys: number): Promise<Row[]> {
  await using folder = await Folder.create();
  await using lan = await Lan.create();
  const dataDir = join(folder.path, "lankv");
  const host = await lan.host();
  const daemon = await host.daemon({ flags: ["--redis-port", String(LANKV_PORT), "--data-dir", dataDir] });
  await fill(host, LANKV_PORT, keys);
  const held = await daemon.keyCount();
  await daemon.stop();
  const sizeBytes = await bytesOf(dataDir);
  const tookMs = await timed(async () => {
    await daemon.start();
    await until(
      "lankv has loaded",
      async () => {
        assert.equal(await daemon.keyCount(), held);
      },
      PATIENCE,
    );
  });
  await daemon.stop();

  const options = { directory: join(folder.path, "redis"), appendfsync: "everysec" as const };
  const redisHost = await lan.host();
  const redisBytes: number[] = [];
  const load = async (): Promise<number> => {
    redisBytes.push(await bytesOf(options.directory));
    return timed(async () => {
      await using redis = await Redis.start(redisHost, "aof", options);
      await until(
        "redis has loaded",
        async () => {
          assert.ok((await redis.size()) > 0.5 * keys);
        },
        PATIENCE,
      );
    });
  };
  {
    await using redis = await Redis.start(redisHost, "aof", options);
    await fill(redisHost, REDIS_PORT, keys);
    // The file of commands alone: what it has after a million writes. It is rewritten when it has doubled.
    await sleep(2_000);
    assert.ok((await redis.size()) > 0.5 * keys);
  }
  const aofMs = await load();
  {
    await using redis = await Redis.start(redisHost, "aof", options);
    await until(
      "redis has loaded",
      async () => {
        assert.ok((await redis.size()) > 0.5 * keys);
      },
      PATIENCE,
    );
    // It may be at it already, since the file has doubled.
    await rewritten(redis);
    await redis.client.call("BGREWRITEAOF");
    await rewritten(redis);
    await sleep(1_000);
  }
  const rdbMs = await load();
  const [aofBytes = 0, rdbBytes = 0] = redisBytes;
  const what = `start with ${String(keys)} keys`;
  return [
    ceilingRow(`${what}, beside Redis's file of commands`, tookMs / 1000, aofMs / 1000, 1.5, seconds),
    ceilingRow(`${what}, beside Redis's rewritten file (RDB)`, tookMs / 1000, rdbMs / 1000, 1.5, seconds),
    factRow("on disk a key, beside the file of commands", sizeBytes / held, aofBytes / keys, bytes),
    factRow("on disk a key, beside the rewritten file", sizeBytes / held, rdbBytes / keys, bytes),
  ];
}

async function rewritten(redis: Redis): Promise<void> {
  await until(
    "redis has rewritten its file",
    async () => {
      const info = String(await redis.client.call("INFO", "persistence"));
      assert.match(info, /aof_rewrite_in_progress:0/);
      assert.match(info, /aof_last_bgrewrite_status:ok/);
      assert.match(info, /aof_rewrite_scheduled:0/);
    },
    PATIENCE,
  );
}

/** Writes go in at one node, pipelined, until the other has them; with both on disk, and with neither. */
async function replicating(keys: number): Promise<Row[]> {
  const rates: Record<"disk" | "memory", number[]> = { disk: [], memory: [] };
  for (let i = 0; i < ROUNDS; i += 1) {
    for (const where of ["disk", "memory"] as const) {
      await using folder = await Folder.create();
      await using lan = await Lan.create();
      const start = async (name: string, flags: string[]): Promise<Daemon> =>
        lan.daemon({ flags: where === "disk" ? [...flags, "--data-dir", join(folder.path, name)] : flags });
      const writer = await start("writer", ["--redis-port", String(LANKV_PORT)]);
      const reader = await start("reader", []);
      await writer.cliOutput("wait", "--peers", "1", "--synced");
      const ms = await timed(async () => {
        await fill(writer.host, LANKV_PORT, keys);
        const held = await writer.keyCount();
        while ((await reader.keyCount()) < held) await sleep(2);
      });
      rates[where].push((keys / ms) * 1000);
    }
  }
  const row = ratioRow(
    "replication, both nodes on disk, beside --memory",
    median(rates.disk),
    median(rates.memory),
    0.8,
    perSecond,
  );
  return [{ ...row, redis: `(--memory: ${row.redis})` }];
}

async function fill(host: Host, port: number, keys: number): Promise<void> {
  const size = ["-n", String(keys), "-r", String(100 * keys), "-d", "100", "-P", "64"];
  const { code, stderr } = await host.run("redis-benchmark", "-p", String(port), "-t", "set", "-q", ...size);
  assert.equal(code, 0, stderr);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

/** Bytes that a process has given to files on disk. */
async function bytesWritten(pid: number): Promise<number> {
  return Number(/^write_bytes: (\d+)$/m.exec(await readFile(`/proc/${String(pid)}/io`, "utf8"))?.[1] ?? 0);
}

/** Bytes of all files below a folder. */
async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
