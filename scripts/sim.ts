/**
 * Runs the simulator: `npm run sim -- --seed N [--log]` for one seed, `npm run sim -- --seeds COUNT [--from N]` for many. With
 * `--only disk` the runs are small, and all about what disks do.
 */
import { parseArgs } from "node:util";
import { run, type RunResult } from "../test/sim/run.js";
import { Survey } from "../test/sim/survey.js";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    only: { type: "string" },
    log: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
  },
});
const { only } = values;
if (only !== undefined && only !== "disk") throw new RangeError(`--only is "disk", not "${only}"`);

if (values.seed !== undefined) runOne(Number(values.seed), only);
else runMany(Number(values.from), Number(values.seeds), only);

function runOne(seed: number, part: "disk" | undefined): void {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const result = run({ seed, only: part, ...(values.log ? { print } : {}) });
  console.log(`seed ${String(seed)}: ${result.tallies.toString()}`);
  console.log(`log: ${String(result.logLines)} lines, SHA-256 ${result.digest ?? ""}`);
  if (result.failure !== undefined) reportFailure(result, part);
}

function runMany(from: number, count: number, part: "disk" | undefined): void {
  const startedAt = performance.now();
  const survey = new Survey();
  const secondsSoFar = () => ((performance.now() - startedAt) / 1000).toFixed(0);
  for (let seed = from; seed < from + count; seed += 1) {
    const result = run({ seed, only: part, isHashed: false });
    survey.add(result);
    if (result.failure !== undefined) {
      reportFailure(result, part);
      if (!values["keep-going"]) break;
    }
    if (survey.seeds % 100 !== 0) continue;
    const soFar = `${String(survey.seeds)} of ${String(count)} seeds in ${secondsSoFar()} s, ${String(survey.failures)} failed`;
    console.log(part === "disk" ? `${soFar}; ${survey.totalsOfDisks()}` : soFar);
  }
  if (part === "disk") for (const line of survey.ofDisks()) console.log(line);
  console.log(`${survey.toString()}; in ${secondsSoFar()} s`);
}

function reportFailure({ seed, failure, simulatedMs }: RunResult, part: "disk" | undefined): void {
  process.exitCode = 1;
  console.log(
    `FAILED seed ${String(seed)} at ${simulatedMs.toFixed(0)} ms: ${failure?.checker ?? ""}: ${failure?.message ?? ""}`,
  );
  console.log(
    `  again: npm run sim -- --seed ${String(seed)}${part === undefined ? "" : ` --only ${part}`} --log`,
  );
}
