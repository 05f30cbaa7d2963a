import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { fit, lastByteOf, readField, writeField, type Field } from "../../../src/resp/bitfield.js";
import { ClientStage } from "./client-stage.js";

const MIB = 1_048_576;

let stage: ClientStage;

beforeEach(() => {
  stage = new ClientStage();
});

/** The replies of operations that all have a number or null. */
async function replies(line: string): Promise<string> {
  const reply = await stage.reply(...line.split(" "));
  return reply
    .replace(/^\*\d+\r?\n?/, "")
    .replace(/\r\n/g, " ")
    .replaceAll("$-1", "nil");
}

describe("BITFIELD", () => {
  it("reads, writes and counts in the order that is given", async () => {
    assert.equal(await replies("bitfield k set i8 0 -100 get i8 0 get u8 0 set u4 6 5"), ":0 :-100 :156 :0");
    assert.equal(await replies("bitfield k incrby u2 0 1 incrby i64 35 -1 get u63 100"), ":3 :-1 :0");
    assert.equal(await replies("bitfield_ro k get u3 0 get i1 1"), ":6 :-1");
    assert.equal(await replies("bitfield k"), "");
  });

  it("takes offsets in fields", async () => {
    assert.equal(await replies("bitfield k set u8 #1 65 set u8 #0 66 set u16 #1 17220"), ":0 :0 :0");
    assert.equal(await stage.reply("get", "k"), "$4\r\nBACD");
  });

  it("wraps, keeps to the nearest, or refuses what does not fit", async () => {
    assert.equal(await replies("bitfield k set u8 0 255 incrby u8 0 2"), ":0 :1");
    assert.equal(
      await replies("bitfield k overflow sat incrby u8 0 -5 incrby i8 8 300 incrby i8 8 -300"),
      ":0 :127 :-128",
    );
    assert.equal(
      await replies("bitfield k overflow fail incrby u8 0 -5 set i8 0 128 set i8 0 7"),
      "nil nil :0",
    );
    assert.equal(await replies("bitfield k overflow sat set u8 0 -1 get u8 0"), ":7 :255");
    assert.equal(
      await replies("bitfield k set i64 0 9223372036854775807 incrby i64 0 1"),
      [":-36028797018963968", ":-9223372036854775808"].join(" "),
    );
  });

  it("writes and tells only of what changes the value, and keeps the expiry", async () => {
    await stage.reply("set", "k", "\0", "ex", "10");
    stage.told();
    await replies("bitfield k set u4 0 0 get u8 900");
    assert.deepEqual(stage.told(), []);
    await replies("bitfield k set u4 0 1 set u4 0 2");
    await replies("bitfield k set u1 15 0");
    assert.deepEqual(stage.told(), ["$ setbit k", "$ setbit k"]);
    await stage.expect([
      ["get k", '"\x20\0"'],
      ["ttl k", ":10"],
      ["exists nope", ":0"],
    ]);
    await replies("bitfield nope get u8 0");
    assert.equal(await stage.reply("exists", "nope"), ":0");
  });

  it("does nothing when any of it is wrong", async () => {
    const type =
      "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";
    const offset = "-ERR bit offset is not an integer or out of range";
    await stage.expect([
      ["bitfield k set u8 0 1 set u64 0 1", type],
      ["bitfield k get i65 0", type],
      ["bitfield k get x8 0", type],
      ["bitfield k get u8 -1", offset],
      ["bitfield k get u8 #536870912", offset],
      ["bitfield k set u8 0 x", "-ERR value is not an integer or out of range"],
      ["bitfield k set u8 0", "-ERR syntax error"],
      ["bitfield k overflow nope", "-ERR Invalid OVERFLOW type specified"],
      ["bitfield_ro k set u8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"],
      [
        `bitfield k set u8 ${String(8 * MIB - 7)} 0`,
        `-ERR string exceeds maximum allowed size (${String(MIB)} bytes)`,
      ],
      ["exists k", ":0"],
    ]);
    assert.equal(await replies(`bitfield k set u8 ${String(8 * MIB - 8)} 1`), ":0");
  });
});

describe("a field", () => {
  const field: fc.Arbitrary<Field> = fc
    .tuple(fc.nat(100), fc.integer({ min: 1, max: 63 }), fc.boolean())
    .map(([offset, bits, isSigned]) => ({ offset, bits, isSigned }));

  it("holds what was written, and nothing beside it changes", () => {
    fc.assert(
      fc.property(
        field,
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.uint8Array({ minLength: 21, maxLength: 21 }),
        (where, value, bytes) => {
          const fitting = fit(value, where, "WRAP");
          assert(fitting !== undefined);
          const before = [...bytes];
          const replaced = readField(bytes, where);
          writeField(bytes, where, value);
          assert.equal(readField(bytes, where), fitting);
          assert.deepEqual([...bytes.slice(lastByteOf(where) + 1)], before.slice(lastByteOf(where) + 1));
          writeField(bytes, where, replaced);
          assert.deepEqual([...bytes], before);
        },
      ),
    );
  });
});
