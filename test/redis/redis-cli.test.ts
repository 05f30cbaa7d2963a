/** The Redis clients of Debian's redis-tools against a real daemon. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "node:test";
import { Daemon, freePort, run, scratchDirectory, type RunOptions } from "../cli/lankv.js";

const directory = scratchDirectory(after);
const skip = hasRedisTools() ? false : "redis-tools is not installed";
let daemon: Daemon;
let port: string;

before(async () => {
  port = String(await freePort());
  daemon = await Daemon.start(directory, ["--redis-port", port]);
});

after(async () => {
  assert.equal(await daemon.end(), 0);
});

async function redisCli(args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, text, stderr } = await run("redis-cli", ["-p", port, ...args], options);
  assert.equal(code, 0, stderr);
  return text;
}

describe("redis-cli", { skip }, () => {
  it("sets, reads and deletes, by TCP and by the unix socket", async () => {
    assert.equal(await redisCli(["set", "one", "111"]), "OK\n");
    assert.equal((await run("redis-cli", ["-s", daemon.socket, "get", "one"])).text, "111\n");
    assert.equal(await redisCli(["del", "one"]), "1\n");
    assert.equal(await redisCli(["get", "one"]), "\n");
  });

  it("reads commands from a file, and shows errors as errors", async () => {
    const shown = await redisCli([], { input: 'set k "a b"\nget k\nfrob x\nget\nquit\n' });
    assert.match(
      shown,
      /^OK\na b\nERR unknown command 'frob', with args beginning with: 'x' \n\nERR wrong number of arguments for 'get' command\n/,
    );
  });

  it("pipes in bulk and scans it", async () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `SET bulk/${index} v${index}\r\n`);
    const piped = await redisCli(["--pipe"], { input: lines.join("") });
    assert.match(piped, /errors: 0, replies: 5000/);
    const scanned = (await redisCli(["--scan", "--pattern", "bulk/*"])).trimEnd().split("\n");
    assert.equal(scanned.length, 5_000);
    assert.equal(new Set(scanned).size, 5_000);
    assert.equal(await redisCli(["lankv.clear", "bulk/"]), "5000\n");
  });

  it("stumbles over nothing that it asks on its own", async () => {
    assert.match(await redisCli(["info", "server"]), /lankv_version:/);
    assert.match(await redisCli(["command", "count"]), /^\d+\n$/);
    assert.match(await redisCli(["--json", "command", "docs", "get"]), /summary/);
    assert.equal(await redisCli(["-n", "0", "ping"]), "PONG\n");
    assert.match(await redisCli(["-3", "hello"]), /^server lankv\n.*proto 3\n/s);
  });

  it("carries out a transaction, and shows what CONFIG and CLIENT tell", async () => {
    const shown = await redisCli([], { input: "multi\nset t 1\nincr\nexec\nmulti\nset t 2\nexec\nget t\n" });
    assert.match(shown, /^OK\nQUEUED\nERR .*\nEXECABORT .*\nOK\nQUEUED\nOK\n2\n$/s);
    assert.equal(await redisCli(["config", "get", "save"]), "save\n\n");
    assert.match(await redisCli(["client", "list"]), /^id=\d+ addr=127\.0\.0\.1:\d+ .* cmd=client\|list /);
  });

  it("runs redis-benchmark without an error", async () => {
    const { code, text } = await run("redis-benchmark", [
      ...["-p", port, "-t", "ping,set,get,mset", "-n", "2000", "-P", "16", "-q"],
    ]);
    assert.equal(code, 0);
    assert.doesNotMatch(text, /ERR/);
  });
});

function hasRedisTools(): boolean {
  try {
    execFileSync("redis-cli", ["--version"]);
    return true;
  } catch {
    return false;
  }
}
