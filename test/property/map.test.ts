import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BUCKETS, BUCKETS_PER_GROUP, GROUPS, bucketOf, hex64, versionHash } from "../../src/core/hash.js";
import type { KvRecord } from "../../src/core/record.js";
import { RecordMap } from "../../src/core/record-map.js";

/** Few keys, stamps and writers, so that records meet, tie and clash. */
const record: fc.Arbitrary<KvRecord> = fc
  .record({
    key: fc.constantFrom("a", "b", "c", "d", "e", "\u00ff"),
    stamp: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.maxSafeNat()),
    writer: fc.constantFrom("0000000000000001", "0000000000000002", "ffffffffffffffff"),
    isTombstone: fc.boolean(),
    value: fc.constantFrom("", "x", "yy"),
    expiresAtMs: fc.constantFrom(undefined, 1, 2),
  })
  .map(({ isTombstone, value, ...rest }) => ({
    ...rest,
    kind: isTombstone ? "tombstone" : "value",
    value: isTombstone ? "" : value,
    replaces: [],
  }));
const records = fc.array(record, { maxLength: 40 });

function mapOf(...lists: readonly (readonly KvRecord[])[]): RecordMap {
  const map = new RecordMap(() => undefined);
  for (const list of lists) for (const one of list) map.apply(one);
  return map;
}

function plain(key: string, stamp: number): KvRecord {
  return {
    stamp,
    writer: "0000000000000001",
    key,
    kind: "value",
    value: "v",
    expiresAtMs: undefined,
    replaces: [],
  };
}

/** What is held once every time has run out: whether a value or its remains are held before is a matter of clocks. */
function contents(map: RecordMap): readonly string[] {
  const texts = [...map.all()].map(({ key, stamp, writer, expiresAtMs, kind, value }) =>
    JSON.stringify([key, stamp, writer, expiresAtMs, ...(expiresAtMs === undefined ? [kind, value] : [])]),
  );
  return texts.sort();
}

describe("the map, a join-semilattice", () => {
  it("holds the same whatever the order of two lists", () => {
    fc.assert(
      fc.property(records, records, (a, b) => {
        assert.deepEqual(contents(mapOf(a, b)), contents(mapOf(b, a)));
        assert.equal(mapOf(a, b).root, mapOf(b, a).root);
      }),
    );
  });

  it("holds the same whether room was made for some of it before or not", () => {
    const [reserved, grown] = [new RecordMap(() => undefined), new RecordMap(() => undefined)];
    for (let i = 0; i < 5_000; i += 1) {
      if (i === 10) reserved.reserve(3_001);
      const one = plain(`key:${String(i)}`, i);
      reserved.apply(one);
      grown.apply(one);
    }
    assert.deepEqual([...reserved.all()], [...grown.all()]);
    assert.equal(reserved.root, grown.root);
    for (let i = 0; i < 5_000; i += 1) assert.equal(reserved.get(`key:${String(i)}`)?.stamp, i);
  });

  it("holds the same however three lists are grouped", () => {
    fc.assert(
      fc.property(records, records, records, (a, b, c) => {
        const left = mapOf([...mapOf(a, b).all()], c);
        const right = mapOf(a, [...mapOf(b, c).all()]);
        assert.deepEqual(contents(left), contents(right));
      }),
    );
  });

  it("holds the same when all comes twice", () => {
    fc.assert(
      fc.property(records, (a) => {
        assert.deepEqual(contents(mapOf(a)), contents(mapOf(a, a)));
        assert.equal(mapOf(a).root, mapOf(a, a).root);
      }),
    );
  });

  it("holds the same whenever the values expire, and whatever came as its remains", () => {
    const times = fc.array(fc.tuple(record, fc.constantFrom(0, 1, 2), fc.nat(3)), { maxLength: 40 });
    fc.assert(
      fc.property(times, records, (a, b) => {
        const expiring = new RecordMap(() => undefined);
        for (const [one, nowMs, max] of a) {
          expiring.apply(one);
          const { root } = expiring;
          for (const { expiresAtMs } of expiring.expire(nowMs, max)) assert.ok((expiresAtMs ?? 3) <= nowMs);
          assert.equal(expiring.root, root);
        }
        const spread = mapOf(b, [...expiring.all()]);
        const plain = mapOf(
          a.map(([one]) => one),
          b,
        );
        assert.deepEqual(contents(spread), contents(plain));
        assert.equal(spread.root, plain.root);
        while (expiring.expire(2, 1).length > 0);
        assert.ok(
          [...expiring.all()].every((one) => one.kind === "tombstone" || one.expiresAtMs === undefined),
        );
        assert.equal(expiring.nextExpiryMs, Infinity);
      }),
    );
  });

  it("never goes back", () => {
    fc.assert(
      fc.property(records, record, (a, one) => {
        const map = mapOf(a);
        const before = map.get(one.key);
        map.apply(one);
        const after = map.get(one.key);
        assert.ok(after !== undefined && (before === undefined || after.stamp >= before.stamp));
      }),
    );
  });
});

describe("the fingerprints", () => {
  it("are after any writes what their records add up to", () => {
    fc.assert(
      fc.property(records, (list) => {
        const map = mapOf(list);
        map.expire(1, list.length % 3);
        const buckets = new Map<number, bigint>();
        let values = 0;
        let bytes = 0;
        for (const one of map.all()) {
          const { high, low } = versionHash(one.stamp, one.writer);
          const hash = BigInt(`0x${hex64(high, low)}`);
          const bucket = bucketOf(one.key);
          buckets.set(bucket, BigInt.asUintN(64, (buckets.get(bucket) ?? 0n) + hash));
          values += one.kind === "value" ? 1 : 0;
          bytes += one.key.length + one.value.length;
        }
        assert.equal(
          map.root,
          sumOf([...buckets.values()])
            .toString(16)
            .padStart(16, "0"),
        );
        assert.equal(map.values, values);
        assert.equal(map.bytes, bytes);
        for (const bucket of buckets.keys()) {
          const group = Math.floor(bucket / BUCKETS_PER_GROUP);
          const inGroup = [...buckets].filter(([other]) => Math.floor(other / BUCKETS_PER_GROUP) === group);
          assert.equal(sumAt(map.groupSums(), group), sumOf(inGroup.map(([, sum]) => sum)));
          assert.equal(sumAt(map.bucketSums(group), bucket % BUCKETS_PER_GROUP), buckets.get(bucket));
        }
      }),
    );
  });

  it("put every record into the bucket of its key, once", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, unit: "binary-ascii" }), { maxLength: 300 }), (keys) => {
        const list = keys.map((key, stamp): KvRecord => ({
          stamp,
          writer: "0000000000000001",
          key,
          kind: "value",
          value: "",
          expiresAtMs: undefined,
          replaces: [],
        }));
        const map = mapOf(list, list);
        const found: string[] = [];
        for (const bucket of new Set(keys.map(bucketOf))) {
          assert.ok(bucket < BUCKETS && bucket / BUCKETS_PER_GROUP < GROUPS);
          for (const one of map.bucket(bucket)) found.push(one.key);
        }
        assert.deepEqual(found.sort(), [...new Set(keys)].sort());
      }),
      { numRuns: 50 },
    );
  });
});

function sumOf(sums: readonly bigint[]): bigint {
  return sums.reduce((sum, one) => BigInt.asUintN(64, sum + one), 0n);
}

function sumAt(sums: Uint32Array, index: number): bigint {
  return (BigInt(sums[2 * index] ?? 0) << 32n) | BigInt(sums[2 * index + 1] ?? 0);
}
