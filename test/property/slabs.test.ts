import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toFrame } from "../../src/core/bytes.js";
import { cellOf, slabOf, Slabs } from "../../src/core/slabs.js";

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

describe("cells in slabs", () => {
  it("are what was put there, whatever else comes and goes", () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        const slabs = new Values();
        const held: { place: number; value: string }[] = [];
        for (const each of calls) {
          const of = each.kind === "replace" ? held[each.of % held.length] : undefined;
          if (of === undefined) held.push({ place: slabs.add(each.value), value: each.value });
          else {
            of.place = slabs.replace(of.place, each.value);
            of.value = each.value;
          }
        }
        const places = held.map(({ place }) => place);
        assert.equal(new Set(places).size, places.length, "no two have one place");
        for (const one of held) assert.equal(slabs.read(one.place, one.value.length), one.value);
        for (const one of held) assert.equal(slabs.isThere(one.place, one.value), true);
        for (const one of held)
          if (one.value !== "") assert.equal(slabs.isThere(one.place, other(one.value)), false);
      }),
    );
  });

  it("take slices of any length from any place, and their neighbours stay", () => {
    const source = Buffer.from(Array.from({ length: 700 }, (_, i) => (i * 151 + (i >> 3)) & 0xff));
    const slabs = new Slabs();
    for (let length = 1; length < 600; length += 1) {
      const at = length % 7;
      const places = [slabs.take(length + 3), slabs.take(length + 3), slabs.take(length + 3)];
      const [left = 0, middle = 0, right = 0] = places;
      for (const place of [left, right]) slabs.write(slabOf(place), cellOf(place), 0, "n".repeat(length + 3));
      slabs.write(slabOf(middle), cellOf(middle), 0, "abc");
      slabs.write(slabOf(middle), cellOf(middle), 3, { frame: toFrame(source), at, length });
      const expected = `abc${source.toString("latin1", at, at + length)}`;
      assert.equal(slabs.read(slabOf(middle), cellOf(middle), 0, length + 3), expected);
      for (const place of [left, right])
        assert.equal(slabs.read(slabOf(place), cellOf(place), 0, length + 3), "n".repeat(length + 3));
    }
  });

  it("waste a fifth at the most, and a slab", () => {
    for (let length = 64; length <= 32_768; length = Math.ceil(length * 1.09)) {
      const slabs = new Values();
      const count = Math.ceil(2_000_000 / length);
      for (let i = 0; i < count; i += 1) slabs.add("v".repeat(length));
      const most = 1.26 * length * count + 65_536;
      assert.ok(slabs.heldBytes <= most, `${slabs.heldBytes} bytes for ${count} values of ${length}`);
    }
  });

  it("give back what they took: values that all grow, then all shrink, leave nothing behind", () => {
    const slabs = new Values();
    const places = Array.from({ length: 10_000 }, () => slabs.add("v".repeat(100)));
    const before = slabs.heldBytes;
    for (const length of [1_000, 40_000, 10, 0, 100]) {
      for (const [i, place] of places.entries()) places[i] = slabs.replace(place, "w".repeat(length));
    }
    // One slab of each size may be kept.
    assert.ok(slabs.heldBytes <= before + 4 * 65_536, `${slabs.heldBytes} bytes, ${before} before`);
  });

  it("keep their slabs where a few values are left in each, and use them again", () => {
    const slabs = new Values();
    const places = Array.from({ length: 300_000 }, () => slabs.add("v".repeat(100)));
    const before = slabs.heldBytes;
    for (const [i, place] of places.entries()) if (i % 20 !== 0) places[i] = slabs.replace(place, "");
    const small = slabs.heldBytes - before;
    assert.ok(small > 0 && small <= 300_000 * 16 + 65_536, `${small} bytes for what is empty`);
    for (const [i, place] of places.entries())
      if (i % 20 !== 0) places[i] = slabs.replace(place, "w".repeat(100));
    // One slab of what was empty may be kept.
    assert.ok(slabs.heldBytes <= before + 65_536);
  });

  it("do not grow while values of like lengths are overwritten", () => {
    const slabs = new Values();
    const places = Array.from({ length: 1_000 }, () => slabs.add("v".repeat(100)));
    const before = slabs.heldBytes;
    for (let i = 0; i < 100_000; i += 1) {
      const at = i % places.length;
      places[at] = slabs.replace(places[at] ?? 0, "v".repeat(97 + (i % 16)));
    }
    assert.equal(slabs.heldBytes, before);
  });
});

/** Values, each in a cell of its own. */
class Values {
  readonly #slabs = new Slabs();

  get heldBytes(): number {
    return this.#slabs.heldBytes;
  }

  add(bytes: string): number {
    const place = this.#slabs.take(bytes.length);
    // In two parts, as a key and a value are.
    const middle = bytes.length >> 1;
    this.#slabs.write(slabOf(place), cellOf(place), 0, bytes.slice(0, middle));
    this.#slabs.write(slabOf(place), cellOf(place), middle, bytes.slice(middle));
    return place;
  }

  replace(place: number, bytes: string): number {
    if (!this.#slabs.fits(slabOf(place), bytes.length)) {
      this.#slabs.giveBack(slabOf(place), cellOf(place));
      return this.add(bytes);
    }
    this.#slabs.write(slabOf(place), cellOf(place), 0, bytes);
    return place;
  }

  read(place: number, length: number): string {
    return this.#slabs.read(slabOf(place), cellOf(place), 0, length);
  }

  isThere(place: number, bytes: string): boolean {
    return this.#slabs.startsWith(slabOf(place), cellOf(place), bytes);
  }
}

/** Another one of the same length: its last byte is one more. */
function other(bytes: string): string {
  return bytes.slice(0, -1) + String.fromCharCode((bytes.charCodeAt(bytes.length - 1) + 1) % 256);
}
