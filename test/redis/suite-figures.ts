/** What Redis's suite came to: suite-figures.json, from which docs/redis.md tells it. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { SuiteTest, Unit } from "./suite-run.js";

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

export function readFigures(): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
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
