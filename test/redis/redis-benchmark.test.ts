/** redis-benchmark of Debian's redis-tools: it runs to its end, and has nothing to warn of. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { run } from "../cli/lankv.js";
import { SERVERS, type Server } from "./server.js";

const TESTS = "ping,set,get,incr,mset";
const TITLES = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"];

for (const [name, start] of SERVERS) {
  describe(`redis-benchmark with ${name}`, () => {
    let server: Server;

    before(async () => {
      server = await start();
    });

    after(() => server[Symbol.asyncDispose]());

    async function titles(...args: string[]): Promise<string[]> {
      const all = [...args, "-t", TESTS, "-n", "2000", "-r", "500", "--csv"];
      const { code, text, stderr } = await run("redis-benchmark", all);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
      assert.doesNotMatch(text, /ERR|WARN|Error/i);
      const [head = "", ...lines] = text.trimEnd().split("\n");
      assert.match(head, /^"test","rps",/);
      return lines.map((line) => line.split('"')[1] ?? "");
    }

    it("measures over TCP, one command after another", async () => {
      assert.deepEqual(await titles("-p", String(server.port)), TITLES);
    });

    it("measures with pipelines", async () => {
      assert.deepEqual(await titles("-p", String(server.port), "-P", "16"), TITLES);
    });

    it("measures over the unix socket", async () => {
      assert.deepEqual(await titles("-s", server.socket, "-P", "16"), TITLES);
    });

    it("measures with RESP3, and with several threads", async () => {
      assert.deepEqual(await titles("-p", String(server.port), "-3", "--threads", "2"), TITLES);
    });
  });
}
