/**
 * What runs on the hosts of the benchmark: a node opened as a library, doing one job. It prints one line of JSON.
 *
 *     agent.js write COUNT       waits for a peer, writes COUNT keys in batches, stays
 *     agent.js join COUNT        opens a node and waits until it holds COUNT keys
 *     agent.js joins TIMES       opens a node, waits until it is live, closes it; TIMES times
 *     agent.js heal COUNT        waits for a peer to leave and to come back, then until it holds COUNT keys; stays
 *     agent.js tell COUNT        waits for a peer, writes the time COUNT times, stays
 *     agent.js hear COUNT        waits for COUNT changes, and says how old each was
 *     agent.js gets COUNT        writes COUNT keys, then reads them at random
 *     agent.js expire COUNT      writes COUNT keys whose time runs out within one second, and says how long that stalls it
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { open, type Lankv } from "../../src/index.js";
import { DEPTH, keyOf, VALUE } from "./load.js";

const [role = "", countText = "0"] = process.argv.slice(2);
const count = Number(countText);

function print(result: Record<string, number | readonly number[]>): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** Wall-clock milliseconds with fractions; the hosts are on one machine. */
function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

async function holds(kv: Lankv, keys: number): Promise<void> {
  while (kv.status().keys < keys) await sleep(2);
}

async function openNode(): Promise<Lankv> {
  return open({ memory: true });
}

async function write(): Promise<void> {
  const kv = await openNode();
  await kv.ready({ peers: 1 });
  const startedAtMs = clockMs();
  for (let from = 0; from < count; from += DEPTH) {
    const length = Math.min(DEPTH, count - from);
    await kv.batch(Array.from({ length }, (_, i) => ({ type: "set", key: keyOf(from + i), value: VALUE })));
  }
  print({ startedAtMs, writtenAtMs: clockMs(), rssBytes: process.memoryUsage.rss() });
  await once(process, "SIGTERM");
  await kv.close();
}

async function join(): Promise<void> {
  const startedAtMs = clockMs();
  const kv = await openNode();
  await holds(kv, count);
  print({ startedAtMs, completeAtMs: clockMs() });
  await kv.ready();
  await once(process, "SIGTERM");
  await kv.close();
}

async function joins(): Promise<void> {
  const tookMs: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const startedAtMs = clockMs();
    const kv = await openNode();
    await kv.ready();
    tookMs.push(clockMs() - startedAtMs);
    await kv.close();
  }
  print({ tookMs });
}

async function heal(): Promise<void> {
  const kv = await openNode();
  await new Promise((resolve) => kv.once("peer:gone", resolve));
  await new Promise((resolve) => kv.once("peer:up", resolve));
  const noticedAtMs = clockMs();
  await holds(kv, count);
  print({ noticedAtMs, completeAtMs: clockMs() });
  await once(process, "SIGTERM");
  await kv.close();
}

/** Monotonic milliseconds; the same clock in every process of the machine. */
function sinceBootMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

async function tell(): Promise<void> {
  const kv = await openNode();
  await kv.ready({ peers: 1, synced: true });
  for (let i = 0; i < count; i += 1) {
    await kv.set("latency", String(sinceBootMs()));
    await sleep(1);
  }
  print({ told: count });
  await once(process, "SIGTERM");
  await kv.close();
}

async function hear(): Promise<void> {
  const kv = await openNode();
  const tookMs: number[] = [];
  await new Promise<void>((resolve) => {
    kv.on("change", ({ value }) => {
      tookMs.push(sinceBootMs() - Number(value));
      if (tookMs.length === count) resolve();
    });
  });
  print({ tookMs });
  await kv.close();
}

async function gets(): Promise<void> {
  const kv = await open({ memory: true, interfaces: ["lo"] });
  const keys = Array.from({ length: count }, (_, i) => keyOf(i));
  for (const key of keys) await kv.set(key, VALUE);
  const order = Array.from({ length: 3_000_000 }, () => keys[Math.floor(Math.random() * count)] ?? "");
  for (const round of ["warm-up", "counted"]) {
    const awaitedAtMs = performance.now();
    for (const key of order) await kv.get(key);
    const peekedAtMs = performance.now();
    for (const key of order) kv.peek(key);
    const doneAtMs = performance.now();
    if (round === "warm-up") continue;
    print({
      getsPerSecond: (order.length / (peekedAtMs - awaitedAtMs)) * 1000,
      peeksPerSecond: (order.length / (doneAtMs - peekedAtMs)) * 1000,
    });
  }
  await kv.close();
}

/** How long writing so many keys may take, and the garbage of it to be collected. */
const EXPIRE_AFTER_MS = 25_000;

async function expire(): Promise<void> {
  const kv = await open({ memory: true, interfaces: ["lo"] });
  let told = 0;
  kv.on("change", ({ type }) => {
    if (type === "expire") told += 1;
  });
  const atMs = Date.now() + EXPIRE_AFTER_MS;
  for (let from = 0; from < count; from += DEPTH) {
    const length = Math.min(DEPTH, count - from);
    await kv.batch(
      Array.from({ length }, (_, i) => {
        const ttlMs = atMs + ((from + i) % 1000) - Date.now();
        return { type: "set", key: keyOf(from + i), value: VALUE, ttlMs };
      }),
    );
  }
  if (Date.now() > atMs - 1000) throw new RangeError("writing took too long for all to expire at once");
  await sleep(atMs - 500 - Date.now());
  let stallMs = 0;
  let busyMs = 0;
  while (kv.status().keys > 0) {
    const sinceMs = performance.now();
    const since = process.cpuUsage();
    await sleep(1);
    const { user, system } = process.cpuUsage(since);
    stallMs = Math.max(stallMs, performance.now() - sinceMs);
    busyMs = Math.max(busyMs, (user + system) / 1000);
  }
  print({ stallMs, busyMs, told, tookMs: Date.now() - atMs });
  await kv.close();
}

const roles: Readonly<Record<string, () => Promise<void>>> = {
  write,
  join,
  joins,
  heal,
  tell,
  hear,
  gets,
  expire,
};
const run = roles[role];
if (run === undefined) throw new RangeError(`unknown role ${role}`);
await run();
