import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Round, type Member } from "../../../src/resp/round.js";
import { RespHost, type Peer } from "./resp-host.js";

const TOGETHER = 16;

describe("a round", () => {
  let log: string[];
  let round: Round;

  const member = (name: string, nextKey?: string): Member => ({
    nextKey,
    carryOut: () => log.push(`${name} is carried out`),
    writePending: () => log.push(`${name} is answered`),
  });

  beforeEach(() => {
    log = [];
    round = new Round((keys) => log.push(`expected: ${keys.join(" ")}`));
  });

  it("carries out the requests of all before any is answered, and says first which keys they look for", async () => {
    round.join(member("a", "k1"));
    round.join(member("b"));
    round.join(member("c", "k2"));
    assert.deepEqual(log, []);
    await setImmediate();
    const carriedOut = ["a is carried out", "b is carried out", "c is carried out"];
    const answered = ["a is answered", "b is answered", "c is answered"];
    const served = ["expected: k1 k2", ...carriedOut, "expected: ", ...answered];
    assert.deepEqual(log, served);
    await setImmediate();
    assert.deepEqual(log, served, "it ended once");
  });

  it("does not wait for more than sixteen", () => {
    for (let at = 0; at <= TOGETHER; at += 1) round.join(member(String(at)));
    const served = ["carried out", "answered"].flatMap((what) =>
      Array.from({ length: TOGETHER }, (_, at) => `${at} is ${what}`),
    );
    assert.deepEqual(log, served);
  });

  it("waits for all while they send many requests", () => {
    for (let at = 0; at <= TOGETHER; at += 1) {
      round.join(member(String(at)));
      round.count(3);
    }
    assert.deepEqual(log, []);
    round.end();
    assert.equal(log.length, 2 * (TOGETHER + 1));
  });
});

describe("clients that are heard in one turn of the event loop", () => {
  let host: RespHost;
  let first: Peer;
  let second: Peer;

  beforeEach(async () => {
    host = await RespHost.start();
    [first, second] = [await host.client(), await host.client()];
    await first.ask("ping");
    await second.ask("ping");
    host.keyspace.expected.length = 0;
  });

  afterEach(() => host.close());

  it("are served in one round", async () => {
    first.send("set k1 1");
    second.send("get k1");
    assert.equal(await second.until("\r\n1\r\n"), "$1\r\n1\r\n");
    assert.equal(await first.until("+OK\r\n"), "+OK\r\n");
    assert.deepEqual(host.keyspace.expected, ["k1", "k1"]);
  });

  it("are served one after another when they send more", async () => {
    first.send("set k1 1", "set k1 2");
    second.send("get k1");
    assert.equal(await second.until("\r\n2\r\n"), "$1\r\n2\r\n");
    assert.deepEqual(host.keyspace.expected, []);
  });

  it("have nothing carried out once another has ended their connection", async () => {
    const id = /id=(\d+)/.exec(await second.ask("client info"))?.[1];
    first.send(`client kill id ${id}`);
    second.send("set k2 1");
    await second.all();
    assert.equal(await first.ask("get k2"), ":1\r\n$-1\r\n");
  });

  it("are answered when they say that there is no more", async () => {
    first.socket.end("set k3 1\r\n");
    second.send("ping");
    assert.equal(await first.all(), "+OK\r\n");
    assert.equal(await second.until("+PONG\r\n"), "+PONG\r\n");
  });
});
