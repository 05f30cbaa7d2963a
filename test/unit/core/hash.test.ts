import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BUCKETS, bucketOf, hex64, murmur3, versionHash } from "../../../src/core/hash.js";

describe("MurmurHash3_x86_32", () => {
  const vectors = [
    ["", 0, 0],
    ["", 1, 0x514e28b7],
    ["test", 0, 0xba6bd213],
    ["Hello, world!", 0x9747b28c, 0x24884cba],
    ["The quick brown fox jumps over the lazy dog", 0x9747b28c, 0x2fa826cd],
    ["\u00ff\u00ff\u00ff\u00ff", 0, 0x76293b50],
    ["\u0021\u0043\u0065\u0087", 0, 0xf55b516b],
    ["\u0021\u0043\u0065", 0, 0x7e4a8634],
    ["\u0021\u0043", 0, 0xa0f7b07a],
    ["\u0021", 0, 0x72661cf4],
  ] as const;

  for (const [text, seed, hash] of vectors) {
    it(`gives ${hash.toString(16)} for ${JSON.stringify(text)} under ${seed.toString(16)}`, () => {
      assert.equal(murmur3(text, seed), hash);
    });
  }
});

describe("buckets and version hashes", () => {
  it("takes the top 16 bits of a key's hash for its bucket", () => {
    assert.equal(bucketOf("test"), 0xba6b);
    assert.ok(bucketOf("\u00ff") < BUCKETS);
  });

  it("hashes a version as its 24 bytes, under two seeds", () => {
    const version = { stamp: 0x12_3456_789a_bcde, writer: "0123456789abcdef" };
    const bytes = Buffer.alloc(24);
    bytes.writeBigUInt64LE(BigInt(version.stamp));
    bytes.write(version.writer, 8, "latin1");
    const text = bytes.toString("latin1");
    const { high, low } = versionHash(version.stamp, version.writer);
    assert.equal(high >>> 0, murmur3(text, 0x6c616e6b));
    assert.equal(low >>> 0, murmur3(text, 0x76303031));
  });

  it("writes a sum as 16 digits", () => {
    assert.equal(hex64(1, 0xffffffff), "00000001ffffffff");
  });
});
