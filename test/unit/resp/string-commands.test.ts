import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { ClientStage } from "./client-stage.js";

let stage: ClientStage;

beforeEach(() => {
  stage = new ClientStage();
});

describe("SET and its relatives", () => {
  it("tell of the write, of its expiry, and of a key that is new", async () => {
    await stage.expect([["set k 1", "+OK"]]);
    assert.deepEqual(stage.told(), ["n new k", "$ set k"]);
    await stage.expect([["set k 2 ex 10", "+OK"]]);
    assert.deepEqual(stage.told(), ["$ set k", "g expire k"]);
    await stage.expect([
      ["set k 3 nx", "nil"],
      ["set nope 3 xx get", "nil"],
      ["setnx k 3", ":0"],
      ["get k", '"2"'],
    ]);
    assert.deepEqual(stage.told(), []);
  });

  it("keep an expiry only when told to", async () => {
    await stage.expect([
      ["set k 1 pxat 4000000000000", "+OK"],
      ["set k 2 keepttl", "+OK"],
      ["pexpiretime k", ":4000000000000"],
      ["getset k 3", '"2"'],
      ["pexpiretime k", ":-1"],
      ["setex k 10 4", "+OK"],
      ["ttl k", ":10"],
      ["psetex k 1500 5", "+OK"],
      ["pttl k", ":1500"],
      ["setnx new 1", ":1"],
    ]);
  });

  it("take an option twice, and NX with GET, but none that contradict each other", async () => {
    await stage.expect([
      ["set k 1 ex 10 EX 20", "+OK"],
      ["ttl k", ":20"],
      ["set k 2 nx get", '"1"'],
      ["set k 2 xx nx", "-ERR syntax error"],
      ["set k 2 keepttl px 5", "-ERR syntax error"],
      ["set k 2 persist", "-ERR syntax error"],
      ["setex k 0 v", "-ERR invalid expire time in 'setex' command"],
      ["psetex k x v", "-ERR value is not an integer or out of range"],
    ]);
  });

  it("bring an expiry that no record can hold forward", async () => {
    await stage.expect([
      ["set k 1 pxat 9223372036854775807", "+OK"],
      ["pexpiretime k", ":281474976710655"],
      ["set k 1 ex 9223372036854775", "-ERR invalid expire time in 'set' command"],
    ]);
  });

  it("leave no value whose time is over", async () => {
    await stage.expect([
      ["set k 1", "+OK"],
      ["set k 2 exat 1", "+OK"],
      ["get k", "nil"],
    ]);
  });
});

describe("GETDEL and GETEX", () => {
  it("delete what they return", async () => {
    await stage.expect([
      ["set k 1", "+OK"],
      ["getdel k", '"1"'],
      ["getdel k", "nil"],
    ]);
    assert.deepEqual(stage.told(), ["n new k", "$ set k", "g del k"]);
  });

  it("change when a key expires", async () => {
    await stage.expect([
      ["set k 1", "+OK"],
      ["getex k", '"1"'],
      ["getex k persist", '"1"'],
      ["getex k ex 100", '"1"'],
      ["ttl k", ":100"],
      ["getex k persist", '"1"'],
      ["ttl k", ":-1"],
      ["getex k exat 1", '"1"'],
      ["exists k", ":0"],
      ["getex k ex x", "nil"],
      ["getex k keepttl", "-ERR syntax error"],
    ]);
    assert.deepEqual(stage.told().slice(2), ["g expire k", "g persist k", "g del k"]);
  });

  it("refuse a wrong expiry of a key that is there", async () => {
    await stage.expect([
      ["set k 1", "+OK"],
      ["getex k ex 0", "-ERR invalid expire time in 'getex' command"],
      ["getex k ex 10 persist", "-ERR syntax error"],
    ]);
  });
});

describe("MSETNX", () => {
  it("writes all or none", async () => {
    await stage.expect([
      ["msetnx a 1 b 2", ":1"],
      ["msetnx c 3 b 4", ":0"],
      ["mget a b c", "*3\r\n$1\r\n1\r\n$1\r\n2\r\nnil"],
      ["msetnx a 1 b", "-ERR wrong number of arguments for 'msetnx' command"],
    ]);
    assert.deepEqual(stage.told(), ["n new a", "$ set a", "n new b", "$ set b"]);
  });
});

describe("ranges", () => {
  it("are read from either end", async () => {
    await stage.reply("set", "k", "Hello World");
    await stage.expect([
      ["getrange k 0 4", '"Hello"'],
      ["substr k -5 -1", '"World"'],
      ["getrange k 6 -1", '"World"'],
      ["getrange k -3 -5", '""'],
      ["getrange k 5 3", '""'],
      ["getrange k 20 30", '""'],
      ["getrange k 0 9223372036854775807", '"Hello World"'],
      ["getrange k 0 -100", '"H"'],
      ["getrange nope 0 -1", '""'],
      ["getrange k 0 x", "-ERR value is not an integer or out of range"],
    ]);
  });

  it("are written, with zeros in between, and keep the expiry", async () => {
    await stage.expect([
      ["set k abc ex 10", "+OK"],
      ["setrange k 1 XY", ":3"],
      ["setrange k 5 !", ":6"],
      ["get k", '"aXY\0\0!"'],
      ["ttl k", ":10"],
      ["append k .", ":7"],
      ["append new v", ":1"],
      ["strlen k", ":7"],
    ]);
    assert.deepEqual(stage.told().slice(3), [
      "$ setrange k",
      "$ setrange k",
      "$ append k",
      "n new new",
      "$ append new",
    ]);
  });

  it("write nothing when there is nothing to write", async () => {
    assert.equal(await stage.reply("setrange", "k", "3", ""), ":0");
    assert.equal(await stage.reply("exists", "k"), ":0");
    assert.equal(await stage.reply("append", "k", ""), ":0");
    assert.equal(await stage.reply("exists", "k"), ":1");
  });

  it("refuse what would be too long", async () => {
    const tooLong = "-ERR string exceeds maximum allowed size (1048576 bytes)";
    await stage.expect([
      ["setrange k 1048576 v", tooLong],
      ["setrange k 9223372036854775807 v", tooLong],
      ["setrange k 1048575 v", ":1048576"],
      ["append k v", tooLong],
      ["setrange k -1 v", "-ERR offset is out of range"],
    ]);
  });
});

describe("LCS", () => {
  beforeEach(async () => {
    await stage.reply("mset", "a", "ohmytext", "b", "mynewtext");
  });

  it("finds the subsequence, its length, and where it is", async () => {
    await stage.expect([
      ["lcs a b", '"mytext"'],
      ["lcs a b len", ":6"],
      ["lcs a nope", '""'],
      [
        "lcs a b idx minmatchlen 4 withmatchlen",
        "*4\r\n$7\r\nmatches\r\n*1\r\n*3\r\n*2\r\n:4\r\n:7\r\n*2\r\n:5\r\n:8\r\n:4\r\n$3\r\nlen\r\n:6",
      ],
      ["lcs a b idx len", "-ERR If you want both the length and indexes, please just use IDX."],
      ["lcs a b minmatchlen", "-ERR syntax error"],
    ]);
  });

  it("refuses values that would take long", async () => {
    await stage.reply("set", "a", "x".repeat(5_000));
    assert.match(
      await stage.reply("lcs", "a", "a"),
      /^-ERR the table for LCS would have more than 4194304 cells/,
    );
  });
});
