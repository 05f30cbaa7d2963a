/**
 * npm run redis-suite [-- --write]
 *
 * Runs Redis's suite against lankv and against Redis itself, and prints what they pass, and how each other test failed;
 * with --write the figures go to test/redis/suite-figures.json, unless Redis itself did not come to an end.
 */
import { parseArgs } from "node:util";
import { startLankv, startRedis } from "../test/redis/server.js";
import { passedOf, writeFigures, type UnitFigures } from "../test/redis/suite-figures.js";
import { runUnit, suiteMissing } from "../test/redis/suite-run.js";
import { readSkips } from "../test/redis/suite-skips.js";

const { values } = parseArgs({ options: { write: { type: "boolean", default: false } } });
if (suiteMissing !== undefined) throw new Error(suiteMissing);

await using lankv = await startLankv();
await using redis = await startRedis();
const figures: UnitFigures[] = [];
for (const [unit, skips] of readSkips()) {
  const { tests, isComplete, output } = await runUnit(unit, lankv.port, {
    skip: skips.map(({ name }) => name),
  });
  const failed = tests.filter(({ outcome }) => outcome === "err");
  for (const { detail } of failed) process.stdout.write(`${detail}\n`);
  if (!isComplete) process.stdout.write(`${unit} came to no end:\n${output}\n`);
  const ofRedis = await runUnit(unit, redis.port);
  if (!ofRedis.isComplete) throw new Error(`${unit} came to no end against Redis:\n${ofRedis.output}`);
  figures.push({ unit, passed: passedOf(tests), skipped: skips.length, redis: passedOf(ofRedis.tests) });
  process.stdout.write(
    `${unit}: ${passedOf(tests)} passed, ${failed.length} failed, ${skips.length} skipped; Redis ${passedOf(ofRedis.tests)}\n`,
  );
}
if (values.write) writeFigures(figures);
