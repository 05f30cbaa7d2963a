/** The own xxHash32 is that of a library, whatever the length, the place and the seed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createXXHash32 } from "hash-wasm";
import { toFrame } from "../../../src/core/bytes.js";
import { checksum } from "../../../src/storage/checksum.js";

test("the vectors of the specification's library", () => {
  const of = (text: string) => hexadecimal(checksum(toFrame(Buffer.from(text)), 0, text.length, 0));
  assert.equal(of(""), "02cc5d05");
  assert.equal(of("abc"), "32d153ff");
  assert.equal(of("Nobody inspects the spammish repetition"), "e2293b2f");
});

test("all lengths around those at which another way is taken", async () => {
  const bytes = Buffer.from(Array.from({ length: 200 }, (_, i) => (i * 151 + (i >> 3)) & 0xff));
  for (let length = 0; length < 100; length += 1) {
    const seed = Math.imul(length, 0x9e3779b1);
    const library = await createXXHash32(seed >>> 0);
    for (const from of [0, 1, 7, 50]) {
      const expected = library
        .init()
        .update(bytes.subarray(from, from + length))
        .digest();
      const found = checksum(toFrame(bytes), from, from + length, seed);
      assert.equal(hexadecimal(found), expected, `${String(length)} from ${String(from)}`);
    }
  }
});

test("any bytes, places and seeds", async () => {
  const place = fc.integer({ min: 0, max: 2_000 });
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 2_000, size: "max" }),
      place,
      place,
      fc.integer(),
      async (array, a, b, seed) => {
        const bytes = Buffer.from(array);
        const [from, to] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
        const library = await createXXHash32(seed >>> 0);
        const expected = library.init().update(bytes.subarray(from, to)).digest();
        assert.equal(hexadecimal(checksum(toFrame(bytes), from, to, seed)), expected);
      },
    ),
  );
});

test("damage within any bytes that are read at once is found", () => {
  const bytes = Buffer.from(Array.from({ length: 158 }, (_, i) => (i * 37) & 0xff));
  const whole = checksum(toFrame(bytes), 0, bytes.length, 7);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    for (const flips of [1, 0x80, 0xff000000, 0x12345678, 0xffffffff]) {
      const damaged = Buffer.from(bytes);
      damaged.writeUInt32LE((damaged.readUInt32LE(at) ^ flips) >>> 0, at);
      assert.notEqual(checksum(toFrame(damaged), 0, damaged.length, 7), whole);
    }
  }
  for (const at of [156, 157]) {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
    assert.notEqual(checksum(toFrame(damaged), 0, damaged.length, 7), whole);
  }
});

function hexadecimal(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, "0");
}
