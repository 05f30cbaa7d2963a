import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Lan } from "./lan.js";
import { missing, unavailable } from "./namespace.js";

interface ScenarioOptions {
  /** Programs and files that the scenario needs and that not every Debian machine has. Default: none. */
  needs?: readonly string[];
  /** The whole scenario fails when it takes longer. Default: 120 000. */
  deadlineMs?: number;
}

/**
 * A test on a LAN of its own. When it fails, the end of every daemon's log is printed. A daemon that ended
 * though nobody had asked it to fails the scenario, too.
 */
export function scenario(
  name: string,
  body: (lan: Lan) => Promise<void>,
  { needs = [], deadlineMs = 120_000 }: ScenarioOptions = {},
): void {
  test(name, { skip: reasonToSkip(needs) ?? false }, async () => {
    await using lan = await Lan.create();
    const finished = new AbortController();
    try {
      await Promise.race([body(lan), deadline(deadlineMs, finished.signal)]);
      const dead = lan.programs.dead.map((program) => `${program.name} ${program.ending ?? ""}`);
      assert.deepEqual(dead, [], "nothing ended by itself");
    } catch (error) {
      console.error(`${name}:\n${lan.programs.logTails()}`);
      throw error;
    } finally {
      finished.abort();
    }
  });
}

function reasonToSkip(needs: readonly string[]): string | undefined {
  const lack = missing(needs);
  if (unavailable !== undefined || lack === undefined) return unavailable;
  if (process.env["CI"] !== undefined) throw new Error(`CI skips no test, and this one needs ${lack}`);
  return `this machine has no ${lack}`;
}

async function deadline(ms: number, signal: AbortSignal): Promise<never> {
  await pause(ms, undefined, { signal });
  throw new Error(`the scenario was not over within ${String(ms)} ms`);
}
