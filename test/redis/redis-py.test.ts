/** redis-py of Debian's python3-redis: redis-py.py does what applications do with it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { SERVERS } from "./server.js";

/** The interpreter that Debian installs its packages for; another may come first in PATH. */
const PYTHON = "/usr/bin/python3";
const PASSWORD = "open sesame";
const script = path.resolve(import.meta.dirname, "../../../test/redis/redis-py.py");

for (const [name, start] of SERVERS) {
  describe(`redis-py with ${name}`, () => {
    it("does what applications do, by TCP and by the unix socket, and after the server was restarted", async () => {
      await using server = await start({ password: PASSWORD });
      const args = [script, "127.0.0.1", String(server.port), server.socket, PASSWORD];
      const python = spawn(PYTHON, args, { timeout: 60_000, killSignal: "SIGKILL" });
      let complaint = "";
      python.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
      const exited = once(python, "exit");
      const told: string[] = [];
      for await (const line of createInterface(python.stdout)) {
        told.push(line);
        if (line !== "restart") continue;
        await server.stop();
        await server.start();
        python.stdin.write("restarted\n");
      }
      await exited;
      assert.equal(python.exitCode, 0, `after ${told.join(", ")}:\n${complaint}`);
      assert.equal(told.at(-1), "done");
    });
  });
}
