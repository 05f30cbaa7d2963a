/**
 * Runs the simulator: `npm run sim -- --seed N [--log]` for one seed, `npm run sim -- --seeds COUNT [--from N]` for many.
 */
import { parseArgs } from "node:util";
import { run, type RunResult } from "../test/sim/run.js";
import { Tallies } from "../test/sim/tallies.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    log: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
  },
});

if (values.seed !== undefined) runOne(Number(values.seed));
else runMany(Number(values.from), Number(values.seeds));

function runOne(seed: number): void {
  const result = run({
    seed,
    ...(values.log ? { print: (line: string) => process.stdout.write(`${line}\n`) } : {}),
  });
  console.log(`seed ${String(seed)}: ${result.tallies.toString()}`);
  console.log(`log: ${String(result.logLines)} lines, SHA-256 ${result.digest ?? ""}`);
  if (result.failure !== undefined) reportFailure(result);
}

function runMany(from: number, count: number): void {
  const startedAt = performance.now();
  const tallies = new Tallies();
  let simulatedMs = 0;
  let failures = 0;
  const convergedMs: number[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    const result = run({ seed, isHashed: false });
    tallies.addAll(result.tallies);
    simulatedMs += result.simulatedMs;
    if (result.convergedMs !== undefined) convergedMs.push(result.convergedMs);
    if (result.failure !== undefined) {
      failures += 1;
      reportFailure(result);
      if (!values["keep-going"]) break;
    }
    if ((seed - from + 1) % 100 === 0) console.log(`${String(seed - from + 1)} of ${String(count)} seeds`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  convergedMs.sort((a, b) => a - b);
  const at = (share: number) => Math.round(convergedMs[Math.floor((convergedMs.length - 1) * share)] ?? 0);
  console.log(
    `${String(convergedMs.length)} seeds well, ${String(failures)} failed; ${tallies.toString()}; ` +
      `${(simulatedMs / 3_600_000).toFixed(2)} simulated hours in ${seconds.toFixed(0)} s; ` +
      `equal after the heal: median ${String(at(0.5))} ms, p99 ${String(at(0.99))} ms, most ${String(at(1))} ms`,
  );
}

function reportFailure({ seed, failure, simulatedMs }: RunResult): void {
  process.exitCode = 1;
  console.log(
    `FAILED seed ${String(seed)} at ${simulatedMs.toFixed(0)} ms: ${failure?.checker ?? ""}: ${failure?.message ?? ""}`,
  );
  console.log(`  again: npm run sim -- --seed ${String(seed)} --log`);
}
