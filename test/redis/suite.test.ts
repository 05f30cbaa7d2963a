/**
 * Redis's own suite, from outside: all that it tests of what lankv has. What is left out is in suite-skips.txt with the
 * reason, and is tried all the same: a test that could pass must not be there.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startLankv, startRedis, type Server } from "./server.js";
import { passedOf, readFigures, type UnitFigures } from "./suite-figures.js";
import { runUnit, suiteMissing, UNITS } from "./suite-run.js";
import { readSkips, type Skip } from "./suite-skips.js";

const skips = readSkips();
const figures: UnitFigures[] = [];

describe("Redis's suite", { skip: suiteMissing ?? false }, () => {
  let lankv: Server;
  let redis: Server;

  before(async () => {
    lankv = await startLankv();
    redis = await startRedis();
  });

  after(async () => {
    await lankv[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  for (const unit of UNITS) {
    const left = skips.get(unit) ?? [];
    const named = (...kinds: readonly Skip["kind"][]): string[] =>
      left.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);

    it(unit, async (t) => {
      const { tests, isComplete, output } = await runUnit(unit, lankv.port, {
        skip: named("listed", "fatal"),
      });
      for (const { name, outcome, detail } of tests) {
        if (outcome === "skip") continue;
        await t.test(name, () => {
          assert.equal(outcome, "ok", detail);
        });
      }
      assert(isComplete, output);
      const ofRedis = await runUnit(unit, redis.port);
      assert(ofRedis.isComplete, ofRedis.output);
      assert.deepEqual(
        tests
          .filter(({ outcome }) => outcome === "skip")
          .map(({ name }) => name)
          .sort(),
        named("listed", "fatal").sort(),
        "suite-skips.txt names tests that the suite does not have",
      );
      const reached = new Set(tests.map(({ name }) => name));
      assert.deepEqual(
        ofRedis.tests.map(({ name }) => name).filter((name) => !reached.has(name)),
        named("unreached"),
        "the suite leaves out other tests by itself than suite-skips.txt says",
      );
      figures.push({ unit, passed: passedOf(tests), skipped: left.length, redis: passedOf(ofRedis.tests) });
    });

    it(`${unit}: what is left out could not pass`, async () => {
      const tried = named("listed");
      const { tests } = await runUnit(unit, lankv.port, { skip: named("fatal") });
      const passed = new Set(tests.filter(({ outcome }) => outcome === "ok").map(({ name }) => name));
      assert.deepEqual(
        tried.filter((name) => passed.has(name)),
        [],
      );
      // Once more without what stands before it, which may have failed for another reason.
      for (const name of tried) {
        const alone = await runUnit(unit, lankv.port, { only: name });
        assert.equal(passedOf(alone.tests), 0, `${name} passes alone`);
      }
    });
  }

  it("comes to the figures that docs/redis.md tells", () => {
    assert.deepEqual(figures, readFigures(), "npm run redis-suite -- --write");
  });
});
