/** What Redis's suite came to: suite-figures.json, from which docs/redis.md tells it. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { listFrom, member, numberMember } from "../lan/json.js";
import { UNITS, type SuiteTest, type Unit } from "./suite-run.js";

const file = path.resolve(import.meta.dirname, "../../../test/redis/suite-figures.json");

/** Numbers of tests of one unit. */
export interface UnitFigures {
  readonly unit: Unit;
  /** Passed by lankv. */
  readonly passed: number;
  /** Left out, each with its reason in suite-skips.txt. */
  readonly skipped: number;
  /** Passed by Redis itself. */
  readonly redis: number;
}

/** The figures of all units, in their order. */
export function readFigures(): readonly UnitFigures[] {
  const figures = listFrom(readFileSync(file, "utf8"));
  return UNITS.map((unit) => {
    const given = figures.find((each) => member(each, "unit") === unit);
    return {
      unit,
      passed: numberMember(given, "passed"),
      skipped: numberMember(given, "skipped"),
      redis: numberMember(given, "redis"),
    };
  });
}

export function writeFigures(figures: readonly UnitFigures[]): void {
  const lines = figures.map(
    (unit) => `  ${JSON.stringify(unit).replace(/[:,]/g, "$& ").replace(/[{}]/g, " $& ").trim()}`,
  );
  writeFileSync(file, `[\n${lines.join(",\n")}\n]\n`);
}

export function passedOf(tests: readonly SuiteTest[]): number {
  return tests.filter(({ outcome }) => outcome === "ok").length;
}
