/**
 * `npm test`: every part in order, or `npm test -- PART...` for some. The last line says `N passed, N failed`.
 *
 * A part is either one command, which passes or fails as a whole, or a folder of test/, compiled to .build/
 * and run by Node's own runner with a process for each file. Where CI=true, a skipped test is a failure.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isWholeFile } from "./test-reporter.mjs";

const root = path.resolve(import.meta.dirname, "..");
const inCI = process.env.CI === "true";
/** How long an interrupted part may take to clean up before it is killed. */
const graceMs = 5_000;

const parts = [
  command("types", 5, ["npm run --silent build", "npm run --silent build:test"]),
  command("lint", 5, ["npm run --silent lint"]),
  command("format", 2, ["npm run --silent format:check"]),
  command("knip", 2, ["npm run --silent knip"]),
  folder("unit", { partMinutes: 5, fileMinutes: 2 }),
  folder("property", { partMinutes: 20, fileMinutes: 10 }),
  folder("sim", { partMinutes: 30, fileMinutes: 20 }),
  folder("scenarios", { partMinutes: 5, fileMinutes: 2 }),
  folder("conformance", { partMinutes: 15, fileMinutes: 5 }),
  folder("cli", { partMinutes: 10, fileMinutes: 5 }),
  folder("lan", { partMinutes: 60, fileMinutes: 15, filesAtOnce: 1 }),
  folder("durability", { partMinutes: 40, fileMinutes: 20 }),
  folder("redis", { partMinutes: 30, fileMinutes: 15, filesAtOnce: 1 }),
  folder("compose", { partMinutes: 30, fileMinutes: 30, filesAtOnce: 1 }),
  folder("docs", { partMinutes: 4, fileMinutes: 2 }),
  folder("packaging", { partMinutes: 10, fileMinutes: 5 }),
  folder("style", { partMinutes: 2, fileMinutes: 1 }),
].filter((part) => part.files === undefined || part.files.length > 0);

function command(name, partMinutes, commands) {
  return { name, partMinutes, commands };
}

function folder(name, { partMinutes, fileMinutes, filesAtOnce = 2 }) {
  return { name, partMinutes, fileMinutes, filesAtOnce, files: testFiles(path.join("test", name)) };
}

/** The compiled files of the tests that the source tree holds now: .build/ may hold some that are gone. */
function testFiles(directory) {
  if (!existsSync(path.join(root, directory))) return [];
  return readdirSync(path.join(root, directory), { recursive: true })
    .filter((file) => file.endsWith(".test.ts"))
    .sort()
    .map((file) => path.join(".build", directory, file.replace(/\.ts$/, ".js")));
}

/** The parts to run: those named, and `types` before any that is compiled. */
function chosenParts(names) {
  const unknown = names.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) {
    console.error(
      `no such part: ${unknown.join(", ")}; there is: ${parts.map((part) => part.name).join(", ")}`,
    );
    process.exit(2);
  }
  if (names.length === 0) return parts;
  const named = parts.filter((part) => names.includes(part.name));
  const compiles = named.some((part) => part.files !== undefined);
  return parts.filter((part) => named.includes(part) || (compiles && part.name === "types"));
}

let runningGroup;

/** Runs one command in a process group of its own, so that nothing it started outlives it. */
function run(file, args, limitMs) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], detached: true });
    let timedOut = false;
    let killer;
    const limit = setTimeout(() => {
      timedOut = true;
      signalGroup(child.pid, "SIGTERM");
      killer = setTimeout(() => signalGroup(child.pid, "SIGKILL"), graceMs);
    }, limitMs);
    runningGroup = child.pid;
    const finish = (exitCode) => {
      clearTimeout(limit);
      clearTimeout(killer);
      runningGroup = undefined;
      signalGroup(child.pid, "SIGKILL");
      resolve({ ok: exitCode === 0, timedOut });
    };
    child.once("error", (error) => {
      console.error(`${file}: ${error.message}`);
      finish(1);
    });
    child.once("exit", finish);
  });
}

function signalGroup(pid, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

let isStopped = false;

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => {
    isStopped = true;
    const group = runningGroup;
    signalGroup(group, "SIGTERM");
    console.error(`\nstopped by ${signal}`);
    setTimeout(() => {
      signalGroup(group, "SIGKILL");
      process.exit(130);
    }, 1_000);
  });
}

/** Runs every command even if one fails: tsc emits what it can, so tests of sound code still say what they find. */
async function runCommands({ name, commands, partMinutes }) {
  const failed = [];
  for (const line of commands) {
    const { ok, timedOut } = await run("sh", ["-c", line], partMinutes * 60_000);
    if (!ok) failed.push(`${line}${timedOut ? ` (took over ${partMinutes} min)` : ""}`);
  }
  return failed.length === 0
    ? { passed: 1, skipped: [], failed: [] }
    : { passed: 0, skipped: [], failed: [`${name}: ${failed.join("; ")}`] };
}

async function runFolder({ name, files, partMinutes, fileMinutes, filesAtOnce }) {
  const scratch = mkdtempSync(path.join(tmpdir(), "lankv-test-"));
  const events = path.join(scratch, "events");
  const args = [
    "--enable-source-maps",
    "--test",
    `--test-concurrency=${filesAtOnce}`,
    `--test-timeout=${fileMinutes * 60_000}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=./scripts/test-reporter.mjs",
    `--test-reporter-destination=${events}`,
    ...files,
  ];
  const { ok, timedOut } = await run(process.execPath, args, partMinutes * 60_000);
  const counts = countEvents(name, existsSync(events) ? readFileSync(events, "utf8") : "");
  rmSync(scratch, { recursive: true });
  if (timedOut) {
    counts.failed.push(`${name}: took over ${partMinutes} min; unfinished: ${counts.unfinished.join(", ")}`);
  } else if (!ok && counts.failed.length === 0) {
    counts.failed.push(`${name}: the test runner failed`);
  } else if (counts.passed + counts.failed.length + counts.skipped.length === 0) {
    counts.failed.push(`${name}: no test ran`);
  }
  return counts;
}

function countEvents(part, text) {
  const counts = { passed: 0, failed: [], skipped: [], unfinished: [] };
  // What follows the last line end is a line that a killed runner did not finish.
  for (const line of text.split("\n").slice(0, -1)) {
    const { kind, name, file } = JSON.parse(line);
    const source = path.relative(root, file ?? name).replace(/^\.build\/(.*)\.js$/, "$1.ts");
    const label = isWholeFile(name)
      ? `${source} (as a whole: it crashed, hung or holds no test)`
      : `${source}: ${name}`;
    if (kind === "begin") counts.unfinished.push(label);
    else if (kind === "end") counts.unfinished = counts.unfinished.filter((begun) => begun !== label);
    else if (kind === "pass") counts.passed += 1;
    else if (kind === "skip") counts.skipped.push(`${part}: ${label}`);
    else counts.failed.push(`${part}: ${label}`);
  }
  return counts;
}

const total = { passed: 0, failed: [], skipped: [] };
for (const part of chosenParts(process.argv.slice(2))) {
  if (isStopped) break;
  console.log(`\n=== ${part.name} ===`);
  const startedAt = performance.now();
  const { passed, failed, skipped } = await (part.files === undefined ? runCommands(part) : runFolder(part));
  total.passed += passed;
  total.failed.push(
    ...failed,
    ...(inCI ? skipped.map((name) => `${name} (skipped, which CI never may)`) : []),
  );
  total.skipped.push(...(inCI ? [] : skipped));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`--- ${part.name}: ${failed.length === 0 ? "ok" : "FAILED"} in ${seconds} s`);
}

console.log();
for (const name of total.skipped) console.log(`skipped  ${name}`);
for (const name of total.failed) console.log(`FAILED   ${name}`);
const skippedNote = total.skipped.length > 0 ? `, ${total.skipped.length} skipped` : "";
console.log(`${total.passed} passed, ${total.failed.length} failed${skippedNote}`);
process.exitCode = total.failed.length > 0 || total.passed === 0 ? 1 : 0;
