/** The own CRC-32 is that of zlib, whatever the length, the place and the begin. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { toFrame } from "../../../src/core/bytes.js";
import { checksum } from "../../../src/storage/checksum.js";

test("the vector of the standard", () => {
  assert.equal(checksum(toFrame(Buffer.from("123456789")), 0, 9, 0), 0xcbf43926);
});

test("all lengths around those at which another way is taken", () => {
  const bytes = Buffer.from(Array.from({ length: 700 }, (_, i) => (i * 151 + (i >> 3)) & 0xff));
  for (let length = 0; length < 650; length += 1) {
    for (const from of [0, 1, 7, 50]) {
      const begin = (length * 0x9e3779b1) >>> 0;
      const found = checksum(toFrame(bytes), from, from + length, begin);
      assert.equal(
        found,
        crc32(bytes.subarray(from, from + length), begin),
        `${String(length)} from ${String(from)}`,
      );
    }
  }
});

test("any bytes, places and begins", () => {
  const place = fc.integer({ min: 0, max: 2_000 });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 2_000, size: "max" }),
      place,
      place,
      fc.nat(0xffffffff),
      (array, a, b, begin) => {
        const bytes = Buffer.from(array);
        const [from, to] = [Math.min(a, b, bytes.length), Math.min(Math.max(a, b), bytes.length)];
        // Of no bytes zlib says 0, whatever came before them; no body is empty.
        const expected = from === to ? begin : crc32(bytes.subarray(from, to), begin);
        assert.equal(checksum(toFrame(bytes), from, to, begin), expected);
      },
    ),
  );
});
