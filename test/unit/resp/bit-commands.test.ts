import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { ClientStage } from "./client-stage.js";

const MIB = 1_048_576;

let stage: ClientStage;

beforeEach(() => {
  stage = new ClientStage();
});

describe("SETBIT and GETBIT", () => {
  it("count bits from the highest of the first byte", async () => {
    await stage.expect([
      ["setbit k 1 1", ":0"],
      ["setbit k 7 1", ":0"],
      ["get k", '"A"'],
      ["setbit k 7 0", ":1"],
      ["get k", '"@"'],
      ["getbit k 0", ":0"],
      ["getbit k 1", ":1"],
      ["getbit k 8", ":0"],
      ["getbit k 4294967295", ":0"],
      ["getbit nope 0", ":0"],
    ]);
  });

  it("add the zeros that it takes, and keep the expiry", async () => {
    await stage.expect([
      ["set k \xff ex 10", "+OK"],
      ["setbit k 23 1", ":0"],
      ["get k", '"\xff\0\x01"'],
      ["ttl k", ":10"],
    ]);
  });

  it("write and tell only of what changes the value", async () => {
    await stage.expect([
      ["setbit k 0 0", ":0"],
      ["setbit k 0 0", ":0"],
      ["setbit k 1 1", ":0"],
      ["setbit k 1 1", ":1"],
      ["setbit k 8 0", ":0"],
    ]);
    assert.deepEqual(stage.told(), ["n new k", "$ setbit k", "$ setbit k", "$ setbit k"]);
  });

  it("refuse offsets that no value has, and what is no bit", async () => {
    const outOfRange = "-ERR bit offset is not an integer or out of range";
    const tooLong = `-ERR string exceeds maximum allowed size (${String(MIB)} bytes)`;
    await stage.expect([
      ["setbit k -1 1", outOfRange],
      ["setbit k x 1", outOfRange],
      ["setbit k 4294967296 1", outOfRange],
      ["getbit k 9223372036854775807", outOfRange],
      ["setbit k 0 2", "-ERR bit is not an integer or out of range"],
      ["setbit k 0 x", "-ERR bit is not an integer or out of range"],
      [`setbit k ${String(8 * MIB)} 1`, tooLong],
      ["setbit k 4294967295 0", tooLong],
      ["exists k", ":0"],
      [`setbit k ${String(8 * MIB - 1)} 1`, ":0"],
      ["strlen k", `:${String(MIB)}`],
      [`bitpos k 1`, `:${String(8 * MIB - 1)}`],
    ]);
  });
});

describe("BITCOUNT", () => {
  beforeEach(async () => {
    await stage.reply("set", "k", "foobar");
  });

  it("counts the ones of a value and of ranges of bytes and bits", async () => {
    await stage.expect([
      ["bitcount k", ":26"],
      ["bitcount k 0 0", ":4"],
      ["bitcount k 1 -5 byte", ":6"],
      ["bitcount k 5 30 BIT", ":17"],
      ["bitcount k -1 -1 bit", ":0"],
      ["bitcount k 1 1 bit", ":1"],
      ["bitcount k 0 9223372036854775807 bit", ":26"],
      ["bitcount nope", ":0"],
    ]);
  });

  it("finds nothing in a range that is empty", async () => {
    await stage.reply("set", "empty", "");
    await stage.expect([
      ["bitcount k 6 10", ":0"],
      ["bitcount k 3 2 bit", ":0"],
      ["bitcount k -1 -2", ":0"],
      ["bitcount k -9223372036854775807 -9223372036854775808", ":0"],
      ["bitcount empty", ":0"],
      ["bitcount empty 0 -1 bit", ":0"],
    ]);
  });

  it("takes a start and an end, and a unit", async () => {
    await stage.expect([
      ["bitcount k 0", "-ERR syntax error"],
      ["bitcount k 0 1 foo", "-ERR syntax error"],
      ["bitcount k 0 1 bit bit", "-ERR syntax error"],
      ["bitcount k 0 x", "-ERR value is not an integer or out of range"],
      ["bitcount nope 0", ":0"],
    ]);
  });
});

describe("BITPOS", () => {
  beforeEach(async () => {
    await stage.reply("set", "ones", "\xff\xf0\0");
    await stage.reply("set", "zeros", "\0\x0f\0");
    await stage.reply("set", "full", "\xff\xff");
    await stage.reply("set", "empty", "");
  });

  it("finds the first bit, from the beginning of the value on", async () => {
    await stage.expect([
      ["bitpos ones 0", ":12"],
      ["bitpos zeros 1", ":12"],
      ["bitpos ones 0 2", ":16"],
      ["bitpos ones 0 -1", ":16"],
      ["bitpos zeros 1 2", ":-1"],
      ["bitpos zeros 1 13 -1 bit", ":13"],
      ["bitpos zeros 0 12 15 bit", ":-1"],
      ["bitpos ones 1 2 200", ":-1"],
    ]);
  });

  it("finds a zero behind the value only in a range without an end", async () => {
    await stage.expect([
      ["bitpos full 0", ":16"],
      ["bitpos full 0 1", ":16"],
      ["bitpos full 0 0 -1", ":-1"],
      ["bitpos full 0 0 -1 bit", ":-1"],
      ["bitpos full 0 2", ":-1"],
      ["bitpos empty 0", ":-1"],
      ["bitpos nope 0", ":0"],
      ["bitpos nope 1", ":-1"],
    ]);
  });

  it("takes a bit, a start, an end and a unit", async () => {
    const noInteger = "-ERR value is not an integer or out of range";
    await stage.expect([
      ["bitpos k 2", "-ERR The bit argument must be 1 or 0."],
      ["bitpos k x", noInteger],
      ["bitpos full 1 x", noInteger],
      ["bitpos full 1 0 x", noInteger],
      ["bitpos full 1 0 x foo", "-ERR syntax error"],
      ["bitpos full 1 0 1 bit bit", "-ERR syntax error"],
    ]);
  });
});

describe("BITOP", () => {
  it("combines values as if the shorter went on in zeros", async () => {
    await stage.reply("mset", "a", "\x01\x02\xff\xff", "b", "\x03\x01\x0f");
    await stage.expect([
      ["bitop and to a b", ":4"],
      ["get to", '"\x01\0\x0f\0"'],
      ["bitop OR to b a nope", ":4"],
      ["get to", '"\x03\x03\xff\xff"'],
      ["bitop xor to a b", ":4"],
      ["get to", '"\x02\x03\xf0\xff"'],
      ["bitop not b b", ":3"],
      ["get b", '"\xfc\xfe\xf0"'],
      ["bitop and to nope a", ":4"],
      ["get to", '"\0\0\0\0"'],
    ]);
  });

  it("writes as SET does, and deletes when there is nothing to write", async () => {
    await stage.expect([
      ["set to v ex 10", "+OK"],
      ["set a A", "+OK"],
    ]);
    stage.told();
    await stage.expect([
      ["bitop or to a", ":1"],
      ["ttl to", ":-1"],
      ["bitop not new a", ":1"],
      ["bitop xor to nope nope", ":0"],
      ["exists to", ":0"],
      ["bitop xor to nope", ":0"],
    ]);
    assert.deepEqual(stage.told(), ["$ set to", "n new new", "$ set new", "g del to"]);
  });

  it("refuses other operations, NOT of several, and values that would take long", async () => {
    await stage.reply("setrange", "k", String(MIB - 1), "x");
    await stage.expect([
      ["bitop nand to k", "-ERR syntax error"],
      ["bitop not to k k", "-ERR BITOP NOT must be called with a single source key."],
      [`bitop or to${" k".repeat(32)}`, `:${String(MIB)}`],
      [
        `bitop or to${" k".repeat(33)}`,
        "-ERR the sources of BITOP would have more than 33554432 bytes together",
      ],
    ]);
  });
});
