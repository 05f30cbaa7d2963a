import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { addLongDoubles, longDoubleToText, textToLongDouble } from "../../../src/resp/long-double.js";
import { ClientStage } from "./client-stage.js";

let stage: ClientStage;

beforeEach(() => {
  stage = new ClientStage();
});

describe("counters", () => {
  it("count up and down from 0, and keep the expiry", async () => {
    await stage.expect([
      ["incr k", ":1"],
      ["incrby k 41", ":42"],
      ["expire k 100", ":1"],
      ["decrby k 2", ":40"],
      ["decr k", ":39"],
      ["get k", '"39"'],
      ["ttl k", ":100"],
    ]);
    assert.deepEqual(stage.told().slice(0, 3), ["n new k", "$ incrby k", "$ incrby k"]);
  });

  it("are exact over 64 bits, and no further", async () => {
    await stage.expect([
      ["set k 9007199254740991", "+OK"],
      ["incr k", ":9007199254740992"],
      ["incr k", ":9007199254740993"],
      ["incrby k 9214364837600034814", ":9223372036854775807"],
      ["incr k", "-ERR increment or decrement would overflow"],
      ["get k", '"9223372036854775807"'],
      ["decrby k -1", "-ERR increment or decrement would overflow"],
      ["decrby k -9223372036854775808", "-ERR decrement would overflow"],
      ["set k -9223372036854775808", "+OK"],
      ["decr k", "-ERR increment or decrement would overflow"],
      ["incrby k 9223372036854775807", ":-1"],
    ]);
  });

  for (const value of [" 1", "1 ", "01", "+1", "-0", "1.0", "", "9223372036854775808", "x"]) {
    it(`take ${JSON.stringify(value)} for no integer`, async () => {
      await stage.reply("set", "k", value);
      assert.equal(await stage.reply("incr", "k"), "-ERR value is not an integer or out of range");
      assert.equal(await stage.reply("incrby", "new", value), "-ERR value is not an integer or out of range");
      assert.equal(await stage.reply("exists", "new"), ":0");
    });
  }
});

describe("INCRBYFLOAT", () => {
  it("adds, tells of it, and keeps the expiry", async () => {
    await stage.expect([
      ["set k 10.50 ex 100", "+OK"],
      ["incrbyfloat k 0.1", '"10.6"'],
      ["incrbyfloat k -5", '"5.6"'],
      ["get k", '"5.6"'],
      ["ttl k", ":100"],
      ["incrbyfloat new 3.0e3", '"3000"'],
    ]);
    assert.deepEqual(stage.told().slice(-3), ["$ incrbyfloat k", "n new new", "$ incrbyfloat new"]);
  });

  it("refuses what is no number", async () => {
    await stage.expect([
      ["incrbyfloat k x", "-ERR value is not a valid float"],
      ["incrbyfloat k nan", "-ERR value is not a valid float"],
      ["incrbyfloat k +inf", "-ERR increment would produce NaN or Infinity"],
      ["set k abc", "+OK"],
      ["incrbyfloat k 1", "-ERR value is not a valid float"],
    ]);
  });

  // What a redis-server 7.0.15 on x86-64 answers.
  for (const [a, b, sum] of [
    ["0.1", "0.2", "0.3"],
    ["17179869184", "1.5", "17179869185.5"],
    ["1", "-1.1", "-0.1"],
    ["0.024390243902439025", "-0.024390243902439025", "0"],
    ["9223372036854775807", "1", "9223372036854775808"],
    ["18446744073709551615", "1", "18446744073709551616"],
    ["18446744073709551616", "1", "18446744073709551616"],
    ["1e-17", "0", "0.00000000000000001"],
    ["-4e-18", "0", "0"],
    ["0x10", "-0x1.8p3", "4"],
    [".5", "1.", "1.5"],
    ["-0", "0", "0"],
  ] as const) {
    it(`makes ${sum} of ${a} and ${b}`, () => {
      assert.equal(add(a, b), sum);
    });
  }

  it("has infinity, and nothing beyond", () => {
    assert.equal(add("1.1e4932", "1.1e4932"), undefined);
    for (const text of [
      "1e4933",
      "1e99999999999999999999",
      "1e-5000",
      "0x1p16384",
      "",
      ".",
      "e5",
      "1e",
      "0x",
      " 1",
    ]) {
      assert.equal(textToLongDouble(text), undefined, text);
    }
    assert.equal(add("0e99999999999999999999", "1"), "1");
  });
});

function add(a: string, b: string): string | undefined {
  const [left, right] = [textToLongDouble(a), textToLongDouble(b)];
  assert(left !== undefined && right !== undefined);
  const sum = addLongDoubles(left, right);
  return sum === undefined ? undefined : longDoubleToText(sum);
}
