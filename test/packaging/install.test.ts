/**
 * What a stranger does: the tarball installed into empty directories, without running scripts, and used from there as
 * a program and as a library. All on the loopback interface.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { software } from "../../src/node/software.js";
import { freeUdpPort } from "../unit/net/loopback.js";

const root = path.resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);
const LIMIT_MS = 120_000;

describe("the installed package", () => {
  const daemons: ChildProcess[] = [];
  let scratch = "";
  let program = "";
  let tarball = "";
  let onLoopback: string[] = [];

  before(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), "lankv-install-"));
    const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", scratch];
    tarball = path.join(scratch, execFileSync("npm", pack, { cwd: root, encoding: "utf8" }).trim());
    const prefix = path.join(scratch, "prefix");
    npm(["install", "--global", "--prefix", prefix, tarball], scratch);
    program = path.join(prefix, "bin/lankv");
    onLoopback = ["--memory", "--interface", "lo", "--beacon-port", String(await freeUdpPort())];
  });

  after(async () => {
    for (const daemon of daemons) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      daemon.kill("SIGKILL");
      await once(daemon, "exit");
    }
    rmSync(scratch, { recursive: true, force: true });
  });

  const lankv = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(program, args, { timeout: LIMIT_MS });
    return stdout;
  };
  const socketOf = (name: string): string => path.join(scratch, `${name}.sock`);
  const serve = (name: string): void => {
    const args = ["serve", "--name", name, "--socket", socketOf(name), "--redis-port", "0", ...onLoopback];
    daemons.push(spawn(program, args, { stdio: "ignore" }));
  };

  it("says its version", async () => {
    assert.equal(await lankv("version"), `${software}\n`);
  });

  it("runs nodes that see each other", async () => {
    for (const name of ["a", "b"]) serve(name);
    for (const name of ["a", "b"]) {
      await lankv("-s", socketOf(name), "wait", "--peers", "1", "--synced", "--timeout", "60s");
    }
    await lankv("-s", socketOf("a"), "set", "greeting", "hello");
    assert.equal(await lankv("-s", socketOf("b"), "get", "greeting", "--timeout", "30s"), "hello");
  });

  it("is a library, which joins them", async () => {
    const project = path.join(scratch, "project");
    mkdirSync(project);
    writeFileSync(path.join(project, "package.json"), '{ "private": true }\n');
    npm(["install", tarball], project);
    const beaconPort = onLoopback.at(-1) ?? "";
    writeFileSync(
      path.join(project, "join.mjs"),
      `import { open } from "lankv";
const kv = await open({ memory: true, interfaces: ["lo"], beaconPort: ${beaconPort} });
await kv.ready({ peers: 2, synced: true, timeoutMs: 60_000 });
console.log(await kv.get("greeting"));
await kv.close();
`,
    );
    const { stdout } = await run(process.execPath, ["join.mjs"], { cwd: project, timeout: LIMIT_MS });
    assert.equal(stdout, "hello\n");
  });

  it("is gone when it is uninstalled", async () => {
    for (const name of ["a", "b"]) await lankv("-s", socketOf(name), "stop");
    npm(["uninstall", "--global", "--prefix", path.join(scratch, "prefix"), "lankv"], scratch);
    await assert.rejects(run(program, ["version"]), { code: "ENOENT" });
  });
});

/** What was fetched for `npm ci` is not fetched again. */
function npm(args: readonly string[], cwd: string): void {
  const quick = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", [...args, ...quick], { cwd, timeout: LIMIT_MS, stdio: "pipe" });
}
