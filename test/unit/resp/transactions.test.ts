import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Encoded, REPLY_BYTES_MAX } from "../../../src/resp/reply.js";
import { execute } from "../../../src/resp/table.js";
import { collectGarbage } from "./garbage.js";
import { MemoryKeyspace } from "./memory-keyspace.js";
import { RespHost, type Peer } from "./resp-host.js";
import { toContext } from "./session-context.js";

let host: RespHost;
let client: Peer;

beforeEach(async () => {
  host = await RespHost.start();
  client = await host.client();
});

afterEach(() => host.close());

const QUEUED = "+QUEUED\r\n";

describe("a transaction", () => {
  it("answers all its commands in one array, errors among them", async () => {
    assert.equal(
      await client.ask("multi", "set k 1", "select 9", "get k", "exec"),
      `+OK\r\n${QUEUED.repeat(3)}*3\r\n+OK\r\n-ERR DB index is out of range\r\n$1\r\n1\r\n`,
    );
  });

  it("does nothing before EXEC, nor after DISCARD", async () => {
    client.send("multi", "set k 1");
    await client.until(QUEUED);
    assert.equal(host.keyspace.size, 0);
  });

  it("may be empty, and is only one at a time", async () => {
    assert.equal(
      await client.ask("multi", "multi", "watch k", "exec", "exec", "discard"),
      "+OK\r\n-ERR MULTI calls can not be nested\r\n-ERR WATCH inside MULTI is not allowed\r\n*0\r\n" +
        "-ERR EXEC without MULTI\r\n-ERR DISCARD without MULTI\r\n",
    );
  });

  it("is given up when a command was refused while others waited", async () => {
    const aborted = "-EXECABORT Transaction discarded because of previous errors.\r\n";
    assert.equal(
      await client.ask("multi", "set k 1", "get", "set k 2", "exec", "get k"),
      `+OK\r\n${QUEUED}-ERR wrong number of arguments for 'get' command\r\n${QUEUED}${aborted}$-1\r\n`,
    );
    assert.match(await client.ask("multi", "frob", "exec"), /-ERR unknown command.*\r\n-EXECABORT /);
    assert.equal(
      await client.ask("multi", "exec now", "exec"),
      "+OK\r\n-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n" +
        "-ERR EXEC without MULTI\r\n",
    );
  });

  it("ends with RESET, and with DISCARD", async () => {
    assert.equal(
      await client.ask("multi", "set k 1", "discard", "multi", "set k 1", "reset", "exec", "get k"),
      `+OK\r\n${QUEUED}+OK\r\n+OK\r\n${QUEUED}+RESET\r\n-ERR EXEC without MULTI\r\n$-1\r\n`,
    );
  });

  it("is one step: no other client's command comes in between", async () => {
    const other = await host.client();
    client.socket.setNoDelay(true);
    let seen = "";
    for (let turn = 0; turn < 20; turn += 1) {
      for (const line of ["multi", "set a 1", "set a 0", "exec"]) {
        client.send(line);
        await client.until("\r\n");
        seen += await other.ask("get a");
      }
    }
    assert.equal(seen, `${"$-1\r\n".repeat(3)}${"$1\r\n0\r\n".repeat(77)}`);
  });

  it("refuses what waits for something", async () => {
    assert.equal(await client.ask("multi", "wait 1 0", "exec"), `+OK\r\n${QUEUED}*1\r\n:0\r\n`);
    assert.match(
      await client.ask("multi", "lankv.wait 0 0 10", "exec"),
      /-ERR Command not allowed inside a transaction\r\n-EXECABORT [^\r]*\r\n$/,
    );
  });

  it("has no more commands than its bound", async () => {
    const { text, end } = await overfill();
    assert.match(text, /-ERR a transaction has at most 65536 commands\r\n/);
    assert.match(end, /^-EXECABORT /);
  });

  it("answers each command in the protocol that is spoken after it", async () => {
    await client.ask("hello 3");
    assert.match(
      await client.ask("multi", "get k", "hello 2", "get k", "exec"),
      /\*3\r\n_\r\n\*14\r\n[^]*\r\n\$-1\r\n$/,
    );
  });

  it("answers no more than its bound, and from there on only writes", () => {
    const keyspace = new MemoryKeyspace();
    keyspace.set("k", "v".repeat(1_048_576));
    const context = toContext(keyspace);
    const gets = Array.from({ length: 300 }, () => ["get", "k"]);
    for (const request of [["multi"], ...gets, ["set", "end", "1"], ["ping"]]) void execute(request, context);
    const reply = execute(["exec"], context);
    assert(reply instanceof Encoded);
    assert(reply.text.startsWith("*302\r\n$1048576\r\n"));
    assert(reply.text.length < REPLY_BYTES_MAX + 302 * 128);
    const LEFT_OUT = "-ERR not carried out: the replies of a transaction have at most 268435456 bytes\r\n";
    const end = reply.text.slice(-50 * LEFT_OUT.length);
    assert.match(end, /-ERR reply is larger than 268435456 bytes\r\n-ERR not/);
    assert(end.endsWith(`${LEFT_OUT.repeat(2)}+OK\r\n${LEFT_OUT}`));
    assert.equal(keyspace.get("end")?.value, "1");
  });

  async function overfill(): Promise<{ text: string; end: string }> {
    client.send("multi", ...Array.from({ length: 65_537 }, () => "ping"));
    const text = await client.until("65536 commands\r\n");
    return { text, end: await client.ask("exec") };
  }
});

describe("a watched key", () => {
  const NOTHING = `+OK\r\n${QUEUED}*-1\r\n`;
  const DONE = `+OK\r\n${QUEUED}*1\r\n+PONG\r\n`;
  const turn = ["multi", "ping", "exec"] as const;

  for (const [what, change] of [
    ["a write", () => host.keyspace.set("k", "2")],
    ["a write of the same value", () => host.keyspace.set("k", "1")],
    ["a deletion", () => host.keyspace.delete("k")],
    ["the end of its life", () => (host.keyspace.wallMs += 10_000)],
  ] as const) {
    it(`that ${what} changes keeps EXEC from doing anything, once`, async () => {
      host.keyspace.set("k", "1", host.keyspace.wallMs + 5_000);
      await client.ask("watch other k");
      change();
      assert.equal(await client.ask(...turn), NOTHING);
      assert.equal(await client.ask(...turn), DONE);
    });
  }

  it("that was missing keeps EXEC from doing anything when it is written", async () => {
    await client.ask("watch k");
    host.keyspace.set("k", "1");
    assert.equal(await client.ask(...turn), NOTHING);
  });

  it("that had expired, and was only cleared away, does not count as changed", async () => {
    host.keyspace.set("k", "1", host.keyspace.wallMs - 1);
    await client.ask("watch k");
    host.keyspace.sweep("k");
    assert.equal(await client.ask(...turn), DONE);
  });

  it("that had expired, was written and deleted, counts as changed", async () => {
    host.keyspace.set("k", "1", host.keyspace.wallMs - 1);
    await client.ask("watch k");
    host.keyspace.set("k", "2");
    host.keyspace.delete("k");
    assert.equal(await client.ask(...turn), NOTHING);
  });

  it("does not keep its value", async () => {
    host.keyspace.set("k", "1");
    const record = new WeakRef(host.keyspace.lastWrite("k") ?? {});
    await client.ask("watch k");
    host.keyspace.delete("k");
    await collectGarbage();
    assert.equal(record.deref(), undefined);
    assert.equal(await client.ask(...turn), NOTHING);
  });

  it("is forgotten by UNWATCH, DISCARD, EXEC and RESET", async () => {
    for (const forget of [["unwatch"], ["multi", "discard"], ["multi", "exec"], ["reset"]]) {
      await client.ask("watch k", ...forget);
      host.keyspace.set("k", "1");
      assert.equal(await client.ask(...turn), DONE);
    }
  });

  it("may be written by the transaction itself", async () => {
    assert.equal(
      await client.ask("watch k", "multi", "set k 1", "exec"),
      `+OK\r\n+OK\r\n${QUEUED}*1\r\n+OK\r\n`,
    );
  });

  it("answers with the null of its protocol", async () => {
    await client.ask("hello 3", "watch k");
    host.keyspace.set("k", "1");
    assert.equal(await client.ask(...turn), `+OK\r\n${QUEUED}_\r\n`);
  });
});
