import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../cli/lankv.js";

const START_MS_MAX = 20_000;

/** Why tests against a real Redis cannot run here, or false when they can. */
export function missingRedis(): string | false {
  try {
    const version = execFileSync("redis-server", ["--version"]).toString();
    return version.includes("v=7.0.") ? false : `redis-server 7.0 is not installed, but ${version.trim()}`;
  } catch {
    return "redis-server is not installed";
  }
}

/** A Redis of its own, on loopback, with nothing on disk. */
export class RedisServer {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  /** @param directory where it may write, which the test removes */
  static async start(directory: string): Promise<RedisServer> {
    const port = await freePort();
    const own = path.join(directory, "redis");
    mkdirSync(own);
    const child = spawn(
      "redis-server",
      ["--port", String(port), "--bind", "127.0.0.1", "--dir", own, "--save", "", "--appendonly", "no"],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let log = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (log += chunk));
    const deadline = performance.now() + START_MS_MAX;
    while (!log.includes("Ready to accept connections")) {
      assert.equal(child.exitCode, null, `redis-server ended: ${log}`);
      assert(performance.now() < deadline, `redis-server does not start: ${log}`);
      await pause(10);
    }
    return new RedisServer(port, child);
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }
}
