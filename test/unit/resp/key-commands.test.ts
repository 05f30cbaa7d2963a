import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { SCAN_MAX } from "../../../src/resp/walk.js";
import { ClientStage } from "./client-stage.js";

let stage: ClientStage;

beforeEach(() => {
  stage = new ClientStage();
});

describe("keys", () => {
  it("are deleted, and counted once when they were there", async () => {
    await stage.expect([
      ["mset a 1 b 2", "+OK"],
      ["touch a b nope a", ":3"],
      ["del a a nope", ":1"],
      ["unlink b", ":1"],
      ["randomkey", "nil"],
    ]);
    assert.deepEqual(stage.told().slice(4), ["g del a", "g del b"]);
  });

  it("are renamed with value and expiry", async () => {
    await stage.expect([
      ["set a 1 pxat 4000000000000", "+OK"],
      ["set b 2", "+OK"],
      ["rename a b", "+OK"],
      ["get b", '"1"'],
      ["pexpiretime b", ":4000000000000"],
      ["exists a", ":0"],
      ["rename a b", "-ERR no such key"],
      ["rename b b", "+OK"],
      ["renamenx b b", ":0"],
      ["set a 3", "+OK"],
      ["renamenx a b", ":0"],
      ["renamenx a c", ":1"],
      ["randomkey", '"b"'],
    ]);
    assert.deepEqual(
      stage.told().filter((event) => event.includes("rename")),
      ["g rename_from a", "g rename_to b", "g rename_from a", "g rename_to c"],
    );
  });

  it("are not renamed to what no key can be", async () => {
    await stage.reply("set", "a", "1");
    assert.match(await stage.reply("rename", "a", "k".repeat(1_025)), /^-ERR key must have 1 to 1024 bytes/);
    assert.equal(await stage.reply("get", "a"), "$1\r\n1");
  });

  it("are copied", async () => {
    await stage.expect([
      ["set a 1 ex 100", "+OK"],
      ["copy a b", ":1"],
      ["ttl b", ":100"],
      ["copy a b", ":0"],
      ["set a 2", "+OK"],
      ["copy a b replace db 0", ":1"],
      ["get b", '"2"'],
      ["copy nope b", ":0"],
      ["copy a a", "-ERR source and destination objects are the same"],
      ["copy a b db 1", "-ERR DB index is out of range"],
      ["copy a b foo", "-ERR syntax error"],
    ]);
    assert.equal(stage.told().filter((event) => event === "g copy_to b").length, 2);
  });
});

describe("expiry", () => {
  it("is set, told and taken away", async () => {
    await stage.expect([
      ["set k 1", "+OK"],
      ["persist k", ":0"],
      ["expire k 10", ":1"],
      ["ttl k", ":10"],
      ["pexpire k 1500", ":1"],
      ["pttl k", ":1500"],
      ["ttl k", ":2"],
      ["expireat k 4000000000", ":1"],
      ["pexpiretime k", ":4000000000000"],
      ["pexpireat k 4000000000500", ":1"],
      ["expiretime k", ":4000000001"],
      ["persist k", ":1"],
      ["expiretime k", ":-1"],
      ["pexpiretime nope", ":-2"],
      ["expire nope 10", ":0"],
    ]);
    assert.deepEqual(stage.told().slice(2), [...Array<string>(4).fill("g expire k"), "g persist k"]);
  });

  it("in the past deletes", async () => {
    await stage.expect([
      ["set k 1", "+OK"],
      ["expire k -1", ":1"],
      ["exists k", ":0"],
      ["set k 1", "+OK"],
      ["pexpireat k 0", ":1"],
      ["exists k", ":0"],
    ]);
    assert.deepEqual(stage.told(), ["n new k", "$ set k", "g del k", "n new k", "$ set k", "g del k"]);
  });

  it("leaves a key that is new when it is written again", async () => {
    await stage.expect([["set k 1 px 100", "+OK"]]);
    stage.keyspace.wallMs += 99;
    await stage.expect([["set k 1 px 100", "+OK"]]);
    stage.keyspace.wallMs += 100;
    await stage.expect([["set k 1", "+OK"]]);
    assert.deepEqual(
      stage.told().filter((event) => event.startsWith("n")),
      ["n new k", "n new k"],
    );
  });

  it("is set under conditions", async () => {
    await stage.expect([
      ["set k 1", "+OK"],
      ["expire k 100 xx", ":0"],
      ["expire k 100 gt", ":0"],
      ["expire k 100 lt", ":1"],
      ["expire k 200 nx", ":0"],
      ["expire k 200 lt", ":0"],
      ["expire k 200 GT", ":1"],
      ["expire k 200 gt", ":0"],
      ["expire k 150 xx lt", ":1"],
      ["ttl k", ":150"],
      ["expire k 1 nx gt", "-ERR NX and XX, GT or LT options at the same time are not compatible"],
      ["expire k 1 gt lt", "-ERR GT and LT options at the same time are not compatible"],
      ["expire k 1 AB", "-ERR Unsupported option AB"],
    ]);
  });

  it("is refused when 64 bits do not hold it, and else brought forward", async () => {
    const invalid = (name: string): string => `-ERR invalid expire time in '${name}' command`;
    await stage.expect([
      ["set k 1", "+OK"],
      ["expire k 9223372036854776", invalid("expire")],
      ["expire k -9223372036854776", invalid("expire")],
      ["pexpire k 9223372036854775807", invalid("pexpire")],
      ["expire k 1.5", "-ERR value is not an integer or out of range"],
      ["ttl k", ":-1"],
      ["pexpireat k 9223372036854775807", ":1"],
      ["pexpiretime k", ":281474976710655"],
    ]);
  });
});

describe("FLUSHALL and FLUSHDB", () => {
  it("delete everything, and tell of each key", async () => {
    await stage.reply("mset", "a", "1", "b", "2");
    stage.told();
    await stage.expect([
      ["flushall foo", "-ERR syntax error"],
      ["flushall async sync", "-ERR syntax error"],
      ["dbsize", ":2"],
      ["flushall async", "+OK"],
      ["dbsize", ":0"],
      ["flushdb", "+OK"],
    ]);
    assert.deepEqual(stage.told(), ["g del a", "g del b"]);
  });

  it("leave what is written while they run", async () => {
    for (const request of [["flushall"], ["flushdb"], ["lankv.clear", "k"]]) {
      for (let index = 0; index < 3_000; index += 1) stage.keyspace.set(`k${index}`, "old");
      const deleted = stage.reply(...request);
      await setImmediate();
      assert(stage.keyspace.size > 0, "it has not ended");
      stage.keyspace.set("k2999", "new");
      stage.keyspace.set("kept", "new");
      await deleted;
      await stage.expect([
        ["dbsize", ":2"],
        ["mget k2999 kept", "*2\r\n$3\r\nnew\r\n$3\r\nnew"],
      ]);
    }
  });

  it("let others have a turn when there is much to delete", async () => {
    for (let index = 0; index < 3_000; index += 1) stage.keyspace.set(`k${index}`, "v");
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    await stage.reply("flushall");
    clearInterval(timer);
    assert.equal(stage.keyspace.size, 0);
    assert(turns > 0);
  });
});

describe("in a transaction", () => {
  it("walks over all keys are done at once", async () => {
    stage.isInTransaction = true;
    await stage.expect([
      ["mset p/a 1 p/b 2 c 3", "+OK"],
      ["keys c", "*1\r\n$1\r\nc"],
      ["lankv.ls p/ 1", "*1\r\n$3\r\np/a"],
      ["lankv.clear p/", ":2"],
      ["flushall", "+OK"],
      ["dbsize", ":0"],
    ]);
  });
});

describe("SCAN", () => {
  it("looks at no more keys in a call than others can wait for, whatever COUNT says", async () => {
    const { keyspace } = stage;
    for (let index = 0; index < 50_000; index += 1) keyspace.set(`k${index}`, "v");
    let looks = 0;
    const bucket = keyspace.bucket.bind(keyspace);
    keyspace.bucket = (index) => {
      const records = [...bucket(index)];
      looks += records.length;
      return records;
    };
    const met = new Set<string>();
    let cursor = "0";
    do {
      looks = 0;
      const lines = (await stage.reply("scan", cursor, "count", "1000000")).split("\r\n");
      cursor = lines[2] ?? "";
      for (const line of lines) if (line.startsWith("k")) met.add(line);
      assert(looks < 2 * SCAN_MAX, `${looks} keys in a call`);
    } while (cursor !== "0");
    assert.equal(met.size, 50_000);
  });
});

describe("LANKV.CLEAR", () => {
  it("tells of each key", async () => {
    await stage.expect([
      ["mset p/a 1 c 3", "+OK"],
      ["lankv.clear p/", ":1"],
    ]);
    assert.deepEqual(stage.told().slice(4), ["g del p/a"]);
  });
});

describe("OBJECT", () => {
  it("says how Redis would keep a value", async () => {
    stage.keyspace.set("long", "x".repeat(45));
    await stage.expect([
      ["mset int 12 text 0012 big 9223372036854775808", "+OK"],
      ["object encoding int", '"int"'],
      ["object encoding text", '"embstr"'],
      ["object encoding big", '"embstr"'],
      ["object encoding long", '"raw"'],
      ["object encoding nope", "nil"],
      ["object refcount int", ":1"],
    ]);
  });

  it("counts from the last write", async () => {
    await stage.reply("set", "k", "v");
    stage.keyspace.wallMs += 12_000;
    await stage.expect([["object idletime k", ":12"]]);
    assert.match(await stage.reply("object", "freq", "k"), /^-ERR An LFU maxmemory policy is not selected/);
  });

  it("has help", async () => {
    const lines = (await stage.reply("object", "help")).split("\r\n");
    assert.equal(lines[1], "+OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    assert.equal(lines[2], "+ENCODING key");
    assert.equal(lines.at(-2), "+HELP");
    await stage.expect([["object foo", "-ERR unknown subcommand 'foo'. Try OBJECT HELP."]]);
  });
});
