import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "../../../src/cli/client.js";
import { LankvError } from "../../../src/core/error.js";
import { RequestParser } from "../../../src/resp/request.js";

let directory: string;
let server: Server;
let client: Client;
/** The daemon's end of the connection. */
let daemon: Socket;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "lankv-client-"));
  server = createServer().listen(path.join(directory, "s"));
  await once(server, "listening");
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  client = await Client.connect({ path: path.join(directory, "s") }, 1_000);
  daemon = await accepted;
  daemon.setEncoding("latin1");
});

afterEach(async () => {
  client.close();
  daemon.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, { recursive: true });
});

describe("the client", () => {
  it("sends the commands of one turn at once, with any bytes", async () => {
    const replies = [client.call("SET", "ü", Buffer.from([0, 255])), client.call("GET", 1)];
    assert.equal(
      await new Promise((resolve) => daemon.once("data", resolve)),
      "*3\r\n$3\r\nSET\r\n$2\r\n\xc3\xbc\r\n$2\r\n\x00\xff\r\n*2\r\n$3\r\nGET\r\n$1\r\n1\r\n",
    );
    daemon.write("+OK\r\n$2\r\n\x00\xff\r\n", "latin1");
    assert.deepEqual(await Promise.all(replies), [Buffer.from("OK"), Buffer.from([0, 255])]);
  });

  it("hands each reply to its call, also over many calls", async () => {
    const parser = new RequestParser();
    daemon.on("data", (chunk: string) => {
      parser.push(Buffer.from(chunk, "latin1"));
      for (let request = parser.next(); request !== undefined; request = parser.next()) {
        daemon.write(`:${request[1] ?? ""}\r\n`);
      }
    });
    const numbers = Array.from({ length: 10_000 }, (_, index) => index);
    assert.deepEqual(
      await Promise.all(numbers.map((number) => client.call("ECHO", number))),
      numbers.map(String),
    );
  });

  it("gives errors their code back", async () => {
    const calls = [client.call("A"), client.call("B")];
    daemon.write("-LANKV_STAMPS too late\r\n-ERR no such thing\r\n");
    const [first, second] = await Promise.allSettled(calls);
    assert(first?.status === "rejected" && first.reason instanceof LankvError);
    assert.equal(first.reason.code, "LANKV_STAMPS");
    assert.equal(first.reason.message, "too late");
    assert(second?.status === "rejected" && second.reason instanceof Error);
    assert.equal(second.reason.message, "The daemon refused: no such thing");
  });

  it("fails what is owed when the connection ends, and what is called later", async () => {
    const owed = client.call("GET", "k");
    daemon.destroy();
    await assert.rejects(owed, { code: "LANKV_NO_DAEMON", stateChanged: true });
    await assert.rejects(client.call("GET", "k"), { code: "LANKV_NO_DAEMON" });
  });

  it("gives up on a silent daemon, but only one that owes something", async () => {
    client.allow(20);
    await assert.rejects(client.call("GET", "k"), { code: "LANKV_TIMEOUT" });
  });

  it("gives up also when it was idle for longer before", async () => {
    client.allow(20);
    await pause(60);
    await assert.rejects(client.call("GET", "k"), { code: "LANKV_TIMEOUT" });
  });

  it("does not cut short what it waits for already", async () => {
    client.allow(60_000);
    const owed = client.call("LANKV.GET", "k", 55_000);
    client.allow(20);
    await pause(60);
    daemon.write("$1\r\nv\r\n");
    assert.deepEqual(await owed, Buffer.from("v"));
  });

  it("waits only so long for the end of the connection", async () => {
    await assert.rejects(client.ended(20), { code: "LANKV_TIMEOUT" });
    const ended = client.ended(60_000);
    daemon.destroy();
    await ended;
    await client.ended(20);
  });

  it("gives a daemon its time from the call on, however long nothing was called", async () => {
    daemon.on("data", () => daemon.write("+PONG\r\n"));
    const called = new Promise((resolve, reject) => {
      // Set before the client's own timer, and due at the same moment: the call is made just when that one is up.
      setTimeout(() => {
        client.call("PING").then(resolve, reject);
      }, 100);
    });
    client.allow(100);
    assert.deepEqual(await called, Buffer.from("PONG"));
  });

  it("that has subscribed is told of messages, also of any bytes, and of the end", async () => {
    const heard: unknown[] = [];
    const ended = new Promise<Error>((resolve) => {
      const subscribed = client.subscribe("k*", {
        message: (channel, payload) => heard.push([channel.toString("latin1"), payload.toString("latin1")]),
        ended: resolve,
      });
      subscribed.catch(resolve);
    });
    assert.match(
      await new Promise((resolve) => daemon.once("data", resolve)),
      /^\*2\r\n\$10\r\nPSUBSCRIBE\r\n\$2\r\nk\*\r\n$/,
    );
    const message = "*4\r\n$8\r\npmessage\r\n$2\r\nk*\r\n$2\r\nk\xff\r\n$3\r\nset\r\n";
    daemon.write(`*3\r\n$10\r\npsubscribe\r\n$2\r\nk*\r\n:1\r\n${message}${message}`, "latin1");
    daemon.end(message, "latin1");
    const error = await ended;
    assert(error instanceof LankvError && error.code === "LANKV_NO_DAEMON", String(error));
    assert.deepEqual(heard, Array(3).fill(["k\xff", "set"]));
  });
});
