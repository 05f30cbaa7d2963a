import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ValueSlabs } from "../../src/core/value-slabs.js";

const lengths = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 700 }),
  fc.constantFrom(16_384, 16_385, 32_767, 32_768, 32_769, 65_536, 100_000),
);

type Call =
  | { readonly kind: "add"; readonly value: string }
  | { readonly kind: "replace"; readonly of: number; readonly value: string };

const value = fc.tuple(lengths, fc.integer({ min: 0, max: 255 })).map(([length, byte]) =>
  String.fromCharCode(byte, (byte + 1) % 256)
    .repeat(length)
    .slice(0, length),
);
const call: fc.Arbitrary<Call> = fc.oneof(
  value.map((one): Call => ({ kind: "add", value: one })),
  fc.record({ kind: fc.constant("replace" as const), of: fc.nat(), value }),
);

describe("values in slabs", () => {
  it("are what was put there, whatever else comes and goes", () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        const slabs = new ValueSlabs();
        const held: { place: number; value: string }[] = [];
        for (const each of calls) {
          const of = each.kind === "replace" ? held[each.of % held.length] : undefined;
          if (of === undefined) held.push({ place: slabs.add(each.value), value: each.value });
          else {
            of.place = slabs.replace(of.place, each.value);
            of.value = each.value;
          }
        }
        const places = held.filter(({ value: { length } }) => length > 0).map(({ place }) => place);
        assert.equal(new Set(places).size, places.length, "no two have one place");
        for (const one of held) assert.equal(slabs.read(one.place, one.value.length), one.value);
      }),
    );
  });

  it("waste a fifth at the most, and a slab", () => {
    for (let length = 64; length <= 32_768; length = Math.ceil(length * 1.09)) {
      const slabs = new ValueSlabs();
      const count = Math.ceil(2_000_000 / length);
      for (let i = 0; i < count; i += 1) slabs.add("v".repeat(length));
      const most = 1.26 * length * count + 65_536;
      assert.ok(slabs.heldBytes <= most, `${slabs.heldBytes} bytes for ${count} values of ${length}`);
    }
  });

  it("give back what they took: values that all grow, then all shrink, leave nothing behind", () => {
    const slabs = new ValueSlabs();
    const places = Array.from({ length: 10_000 }, () => slabs.add("v".repeat(100)));
    const before = slabs.heldBytes;
    for (const length of [1_000, 40_000, 10, 0, 100]) {
      for (const [i, place] of places.entries()) places[i] = slabs.replace(place, "w".repeat(length));
    }
    // One slab of each size may be kept.
    assert.ok(slabs.heldBytes <= before + 4 * 65_536, `${slabs.heldBytes} bytes, ${before} before`);
  });

  it("keep their slabs where a few values are left in each, and use them again", () => {
    const slabs = new ValueSlabs();
    const places = Array.from({ length: 300_000 }, () => slabs.add("v".repeat(100)));
    const before = slabs.heldBytes;
    for (const [i, place] of places.entries()) if (i % 20 !== 0) places[i] = slabs.replace(place, "");
    assert.equal(slabs.heldBytes, before);
    for (const [i, place] of places.entries())
      if (i % 20 !== 0) places[i] = slabs.replace(place, "w".repeat(100));
    assert.equal(slabs.heldBytes, before);
  });

  it("do not grow while values of like lengths are overwritten", () => {
    const slabs = new ValueSlabs();
    const places = Array.from({ length: 1_000 }, () => slabs.add("v".repeat(100)));
    const before = slabs.heldBytes;
    for (let i = 0; i < 100_000; i += 1) {
      const at = i % places.length;
      places[at] = slabs.replace(places[at] ?? 0, "v".repeat(97 + (i % 16)));
    }
    assert.equal(slabs.heldBytes, before);
  });
});
