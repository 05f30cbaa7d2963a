/**
 * npm run bench:storage [-- --cases N] [-- --sets N]
 *
 * The log beside LMDB: what a durable commit costs, and what a damaged file does to the process that reads it. Prints two
 * tables; docs/adr/0017-a-log-of-records.md has one run of them. Each part runs in a process of its own.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Random } from "../../test/sim/random.js";

const STORES = ["log", "lmdb", "lmdb-sequence"];
const GROUPS = [1, 10, 50, 1_000];
/** Sets of a database that is then damaged. */
const DAMAGED_SETS = 20_000;
const CHILD = fileURLToPath(new URL("storage-child.js", import.meta.url));
/** A reader that takes longer hangs. */
const CHILD_MS_MAX = 30_000;

interface Ended {
  readonly signal: string | null;
  readonly result: Readonly<Record<string, number>> | undefined;
}

const { values } = parseArgs({
  options: { cases: { type: "string", default: "200" }, sets: { type: "string", default: "20000" } },
});
const scratch = await mkdtemp(join(tmpdir(), "lankv-bench-storage-"));
try {
  await compareSpeed(Number(values.sets));
  await compareDamage(Number(values.cases));
} finally {
  await rm(scratch, { recursive: true });
}

async function run(args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  const killer = setTimeout(() => child.kill("SIGKILL"), CHILD_MS_MAX);
  let text = "";
  child.stdout.on("data", (data: Buffer) => (text += data.toString()));
  const signal = await new Promise<string | null>((resolve) => {
    child.once("close", (_code, name) => {
      resolve(name);
    });
  });
  clearTimeout(killer);
  const result = text === "" ? undefined : (JSON.parse(text) as Record<string, number>);
  return { signal, result };
}

async function compareSpeed(sets: number): Promise<void> {
  say("| sets a commit | store | sets/s | ms a commit | bytes written a set | CPU µs a set |");
  say("|---|---|---|---|---|---|");
  for (const group of GROUPS) {
    for (const store of STORES) {
      const directory = join(scratch, `${store}-${String(group)}`);
      // So that each takes a few seconds: the cost of a commit is mostly that of the sync.
      const all = Math.max(group, Math.min(sets * Math.ceil(group / 50), group * 2_000));
      const { result = {} } = await run(["write", store, directory, String(group), String(all)]);
      const { setsPerSecond = NaN, commitMs = NaN, bytesPerSet = NaN, cpuUsPerSet = NaN } = result;
      say(
        `| ${String(group)} | ${store} | ${setsPerSecond.toFixed(0)} | ${commitMs.toFixed(2)} | ` +
          `${bytesPerSet.toFixed(0)} | ${cpuUsPerSet.toFixed(1)} |`,
      );
      await rm(directory, { recursive: true, force: true });
    }
  }
}

async function compareDamage(cases: number): Promise<void> {
  say("");
  say(
    "| damage | store | cases | killed by a signal | ended by an error | hangs | wrong values | silently less | told |",
  );
  say("|---|---|---|---|---|---|---|---|---|");
  for (const store of ["log", "lmdb"]) {
    const original = join(scratch, `${store}-original`);
    await run(["write", store, original, "1000", String(DAMAGED_SETS)]);
    const whole = (await run(["read", store, original])).result?.["right"] ?? 0;
    for (const damage of [flipBit, cutShort]) {
      const counts = { signal: 0, error: 0, hangs: 0, wrong: 0, less: 0, told: 0 };
      for (let seed = 1; seed <= cases; seed += 1) {
        const copy = join(scratch, "copy");
        await cp(original, copy, { recursive: true });
        await damage(new Random(seed), copy);
        const { signal, result } = await run(["read", store, copy]);
        if (signal === "SIGKILL") counts.hangs += 1;
        else if (signal !== null) counts.signal += 1;
        else if (result === undefined) counts.error += 1;
        else {
          const { right = 0, wrong = 0, told = 0 } = result;
          if (wrong > 0) counts.wrong += 1;
          if (told > 0) counts.told += 1;
          else if (right + wrong < whole) counts.less += 1;
        }
        await rm(copy, { recursive: true });
      }
      const { signal, error, hangs, wrong, less, told } = counts;
      say(`| ${[damage.name, store, cases, signal, error, hangs, wrong, less, told].join(" | ")} |`);
    }
  }
}

/** The largest file, which holds the records. */
async function dataFile(directory: string): Promise<{ readonly path: string; readonly bytes: Buffer }> {
  let largest = { path: "", bytes: Buffer.alloc(0) };
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const bytes = await readFile(path);
    if (bytes.length > largest.bytes.length) largest = { path, bytes };
  }
  return largest;
}

async function flipBit(random: Random, directory: string): Promise<void> {
  const { path, bytes } = await dataFile(directory);
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  await writeFile(path, bytes);
}

async function cutShort(random: Random, directory: string): Promise<void> {
  const { path, bytes } = await dataFile(directory);
  await truncate(path, random.below(bytes.length));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
