/**
 * Runs units of Redis's own suite against a server, from outside. The suite is not part of this project:
 * .ci/redis-suite gets it from Debian's source package.
 */
import { randomInt } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { run } from "../lan/command.js";

/** The compiled tests lie three folders below the project. */
const root = path.resolve(import.meta.dirname, "../../..");
const suite = path.join(root, ".build/redis-suite");

/** Why the suite cannot run here; undefined when it can. */
export const suiteMissing = existsSync(path.join(suite, "runtest"))
  ? undefined
  : "Redis's suite is not here: `.ci/redis-suite .build/redis-suite` gets it";

export const UNITS = [
  "unit/type/string",
  "unit/type/incr",
  "unit/bitops",
  "unit/bitfield",
  "unit/keyspace",
  "unit/scan",
  "unit/expire",
  "unit/protocol",
  "unit/pubsub",
  "unit/multi",
  "unit/quit",
  "unit/other",
] as const;

export type Unit = (typeof UNITS)[number];

/** What Redis's suite leaves out by itself against a server that it cannot restart or look into. */
const TAGS = "-needs:debug -needs:repl -needs:save -slow";

/** Below the ports that systems give out, and so that ten thousand more is a port too, as the suite wants it. */
const BASE_PORTS = [11_000, 30_000] as const;
/** Without any progress for so long, a test hangs. */
const PROGRESS_SECONDS_MAX = 60;
const RUN_MS_MAX = 300_000;

export interface SuiteTest {
  readonly name: string;
  readonly outcome: "ok" | "err" | "skip";
  /** What the suite says of a failure. */
  readonly detail: string;
}

export interface UnitRun {
  readonly tests: readonly SuiteTest[];
  /** Whether the suite came to the end of the unit. */
  readonly isComplete: boolean;
  readonly output: string;
}

export interface UnitRunOptions {
  /** Names of tests that are left out. Default: none. */
  readonly skip?: readonly string[];
  /** The only test that is run. Default: all. */
  readonly only?: string;
}

export async function runUnit(
  unit: Unit,
  port: number,
  { skip = [], only }: UnitRunOptions = {},
): Promise<UnitRun> {
  const scratch = mkdtempSync(path.join(tmpdir(), "lankv-suite-"));
  try {
    const skipFile = path.join(scratch, "skip");
    writeFileSync(skipFile, skip.map((name) => `${name}\n`).join(""));
    const { code, stdout, stderr } = await run(
      "env",
      [
        // What runtest does once it has found an interpreter; without its shell between, the run ends when it is killed.
        ...["--chdir", suite, "tclsh", "tests/test_helper.tcl"],
        ...[
          "--host",
          "127.0.0.1",
          "--port",
          String(port),
          "--singledb",
          "--ignore-encoding",
          "--ignore-digest",
        ],
        ...["--single", unit, "--tags", TAGS, "--skipfile", skipFile],
        // Where its own two processes meet: of the usual port, suites that run at once would dispute.
        ...["--baseport", String(randomInt(...BASE_PORTS))],
        // An error reply that a test does not expect fails this test, and not the run.
        ...["--durable", "--timeout", String(PROGRESS_SECONDS_MAX)],
        ...(only === undefined ? [] : ["--only", only]),
      ],
      { timeoutMs: RUN_MS_MAX },
    );
    const output = `${stdout}${stderr}`.replace(/\x1b\[[0-9;]*m/g, "");
    const tests = testsIn(output);
    const isDone = output.includes(`done]: ${unit} (`) && !output.includes("[exception]");
    return {
      tests,
      isComplete: isDone && (code === 0) === tests.every(({ outcome }) => outcome !== "err"),
      output,
    };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The suite tells a test in one line, and a failure in as many more as it needs. */
function testsIn(output: string): SuiteTest[] {
  const told = /^\[(ok|err|skip)\]: ([^\n]*)((?:\n(?!\[|\s*The End)[^\n]*)*)/gm;
  return [...output.matchAll(told)].map(([, outcome, line = "", rest = ""]) => {
    if (outcome === "ok") return { name: line.replace(/ \(\d+ ms\)$/, ""), outcome, detail: "" };
    if (outcome === "skip") return { name: line, outcome, detail: "" };
    return { name: line.replace(/ in tests\/\S+\.tcl$/, ""), outcome: "err", detail: `${line}${rest}` };
  });
}
