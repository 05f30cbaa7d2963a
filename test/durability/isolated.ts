/**
 * A test file that imports this module runs inside namespaces of its own, where the loopback interface is the only one:
 * nodes of different tests never meet, file systems can be mounted, and nothing outlives the file.
 */
import { unavailable } from "../lan/namespace.js";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { endAll, logTails } from "./daemon.js";
import test, { type TestContext } from "node:test";

/** A test that takes longer has failed. */
const TEST_MS_MAX = 600_000;

if (unavailable === undefined) system("ip", "link", "set", "lo", "up");

/** A test with a directory of its own on the machine's disk, skipped where there are no namespaces. */
export function isolated(
  name: string,
  body: (directory: string, context: TestContext) => Promise<void>,
): void {
  test(name, { skip: unavailable ?? false, timeout: TEST_MS_MAX }, async (context) => {
    const directory = mkdtempSync(path.join(tmpdir(), "lankv-durability-"));
    try {
      await body(directory, context);
    } catch (error) {
      console.error(`${name}:\n${logTails()}`);
      throw error;
    } finally {
      await endAll();
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

/** Runs a program that has to succeed, to its end. */
export function system(program: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 30_000 });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${error?.message ?? stderr}`);
}
