import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import type { RespServerOptions } from "../../../src/resp/server.js";
import { RespServer } from "../../../src/resp/server.js";
import { MemoryKeyspace } from "./memory-keyspace.js";
import { RespHost } from "./resp-host.js";

const MIB = 1_048_576;

let host: RespHost;

afterEach(() => host.close());

async function start(options: RespServerOptions = {}): Promise<void> {
  host = await RespHost.start(options);
}

describe("limits", () => {
  it("have bounds of their own", async () => {
    await start();
    for (const options of [
      { clientsMax: 0 },
      { idleSecondsMax: -1 },
      { argumentBytesMax: 1 },
      { clientBytesMax: 1.5 },
      { notifyKeyspaceEvents: "q" },
    ]) {
      assert.throws(() => new RespServer(new MemoryKeyspace(), options), RangeError);
    }
  });

  it("count whom they turned away, until CONFIG RESETSTAT", async () => {
    await start({ clientsMax: 2 });
    const [client, listener] = [await host.client(), await host.client()];
    listener.send("subscribe a b", "psubscribe c*");
    await listener.until(":3\r\n");
    assert.match(await (await host.client()).all(), /^-ERR max number of clients/);
    const before = await client.ask("info clients stats");
    for (const line of [
      "connected_clients:2",
      "maxclients:2",
      "total_connections_received:2",
      "rejected_connections:1",
      "evicted_clients:0",
      "pubsub_channels:2",
      "pubsub_patterns:1",
    ]) {
      assert.ok(before.includes(`\r\n${line}\r\n`), `${line} in ${before}`);
    }
    assert.match(before, /\r\ntotal_commands_processed:[34]\r\n/);
    await client.ask("config resetstat");
    assert.match(
      await client.ask("info stats"),
      /\r\ntotal_connections_received:0\r\n[^]*rejected_connections:0\r\n/,
    );
  });

  it("let no more clients be chosen than the process can hold", async () => {
    await start({ connectionsMax: 60 });
    const client = await host.client();
    assert.equal(await client.ask("config get maxclients"), "*2\r\n$10\r\nmaxclients\r\n$2\r\n60\r\n");
    assert.match(await client.ask("config set maxclients 61"), /^-ERR .*between 1 and 60 inclusive\r\n$/);
    assert.throws(
      () => new RespServer(new MemoryKeyspace(), { connectionsMax: 60, clientsMax: 61 }),
      RangeError,
    );
  });

  it("on arguments hold at the length, before a byte of them is kept", async () => {
    await start({ argumentBytesMax: 2 * MIB });
    const client = await host.client();
    client.socket.write("*2\r\n$4\r\nECHO\r\n$2097153\r\n");
    assert.equal(await client.all(), "-ERR Protocol error: invalid bulk length\r\n");
    const huge = await host.client();
    huge.socket.write("*2\r\n$4\r\nECHO\r\n$536870912\r\n");
    assert.equal(await huge.all(), "-ERR Protocol error: invalid bulk length\r\n");
  });

  it("on requests hold for the sum of the arguments", async () => {
    await start({ argumentBytesMax: MIB, requestBytesMax: MIB });
    const client = await host.client();
    const half = "x".repeat(MIB / 2);
    client.socket.write(`*4\r\n$4\r\nECHO\r\n$${half.length}\r\n${half}\r\n$${half.length}\r\n`);
    assert.equal(await client.all(), "-ERR Protocol error: too big request\r\n");
  });

  it("cut off a subscriber that does not read, and nobody else", async () => {
    await start({ unsentBytesMax: MIB });
    const [deaf, listener, speaker] = [await host.client(), await host.client(), await host.client()];
    deaf.send("subscribe news");
    await deaf.until(":1\r\n");
    listener.send("subscribe news");
    await listener.until(":1\r\n");
    deaf.socket.pause();
    const payload = "x".repeat(32_768);
    let receivers = 2;
    for (let turn = 0; receivers === 2 && turn < 500; turn += 1) {
      receivers = Number((await speaker.ask(`publish news ${payload}`)).slice(1, -2));
      await listener.until(`${payload}\r\n`);
    }
    assert.equal(receivers, 1);
  });

  it("end a connection that is silent, but not one that listens", async () => {
    await start({ idleSecondsMax: 1 });
    const [silent, listener] = [await host.client(), await host.client()];
    listener.send("subscribe news");
    await listener.until(":1\r\n");
    assert.equal(await silent.all(), "");
    listener.send("ping");
    await listener.until("$0\r\n\r\n");
  });

  it("end a connection that does not finish its request", async () => {
    await start({ stallSecondsMax: 1 });
    const [half, silent] = [await host.client(), await host.client()];
    half.socket.write("*2\r\n$4\r\nECHO\r\n$5\r\nab");
    assert.equal(await half.all(), "");
    assert.equal(await silent.ask("ping"), "+PONG\r\n");
  });

  it("cut off the client that holds most when all of them hold too much", async () => {
    await start({ clientBytesMax: 16 * MIB });
    const [greedy, modest] = [await host.client(), await host.client()];
    const piece = "x".repeat(MIB);
    modest.socket.write(`*2\r\n$4\r\nECHO\r\n$${2 * MIB}\r\n${piece}`);
    greedy.socket.write(`*20\r\n$4\r\nECHO\r\n${`$${MIB}\r\n${piece}\r\n`.repeat(18)}`);
    assert.equal(await greedy.all(), "");
    modest.socket.write(`${piece}\r\n`);
    assert.equal(await modest.until("x\r\n"), `$${2 * MIB}\r\n${piece}${piece}\r\n`);
  });

  it("hold also for who asks to be exempt", async () => {
    await start({ clientBytesMax: 16 * MIB });
    const client = await host.client();
    assert.match(await client.ask("client no-evict on"), /^-ERR unknown subcommand/);
    const piece = "x".repeat(15 * MIB);
    client.socket.write(`*3\r\n$4\r\nMGET\r\n${`$${piece.length}\r\n${piece}\r\n`.repeat(2)}`);
    assert.equal(await client.all(), "");
  });

  it("are not reached by what was only announced", async () => {
    await start({ clientBytesMax: 16 * MIB });
    const honest = await host.client();
    honest.socket.write(`*2\r\n$4\r\nECHO\r\n$${2 * MIB}\r\n${"x".repeat(MIB)}`);
    for (let count = 0; count < 20; count += 1) {
      (await host.client()).socket.write(`*2\r\n$4\r\nECHO\r\n$${16 * MIB}\r\n`);
    }
    assert.equal(await (await host.client()).ask("ping"), "+PONG\r\n");
    honest.socket.write(`${"x".repeat(MIB)}\r\n`);
    assert.equal((await honest.until("x\r\n")).length, 2 * MIB + 12);
  });
});

describe("the password", () => {
  const NOAUTH = "-NOAUTH Authentication required.\r\n";
  const WRONG = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";

  it("is asked of who comes by TCP, before anything else", async () => {
    await start({ password: "secret" });
    const client = await host.client("tcp");
    client.send(
      "get k",
      "auth nope",
      "auth secret2",
      "auth alice secret",
      "auth a b c",
      "auth secret",
      "get k",
    );
    assert.equal(
      await client.until("$-1\r\n"),
      `${NOAUTH}${WRONG.repeat(3)}-ERR syntax error\r\n+OK\r\n$-1\r\n`,
    );
    client.send("reset", "ping", "auth default secret", "ping");
    assert.equal(await client.until("+PONG\r\n"), `+RESET\r\n${NOAUTH}+OK\r\n+PONG\r\n`);
  });

  it("may come with HELLO", async () => {
    await start({ password: "secret" });
    const client = await host.client("tcp");
    client.send(
      "hello 3",
      "hello 3 auth default nope",
      "hello 3 auth default secret setname me",
      "client getname",
    );
    assert.match(
      await client.until("me\r\n"),
      /^-NOAUTH HELLO must be called with the client already authenticated, .*\r\n-WRONGPASS .*\r\n%7\r\n/,
    );
  });

  it("is not needed on the unix socket, where the right one is taken all the same", async () => {
    await start({ password: "secret" });
    const client = await host.client();
    assert.equal(await client.ask("get k", "auth nope", "auth secret"), `$-1\r\n${WRONG}+OK\r\n`);
  });

  it("that there is not is said to who gives one", async () => {
    await start();
    const client = await host.client("tcp");
    assert.match(
      await client.ask("auth x", "auth default x", "auth alice x"),
      /^-ERR AUTH <password> called without any password configured for the default user\. .*\r\n\+OK\r\n-WRONGPASS/,
    );
  });

  for (const [what, sent, refusal] of [
    ["many arguments", "*11\r\n", "multibulk"],
    ["long arguments", "*2\r\n$4\r\nAUTH\r\n$16385\r\n", "bulk"],
  ] as const) {
    it(`keeps who has not given it from sending ${what}`, async () => {
      await start({ password: "secret" });
      const client = await host.client("tcp");
      client.socket.write(sent);
      assert.equal(await client.all(), `-ERR Protocol error: unauthenticated ${refusal} length\r\n`);
    });
  }
});
