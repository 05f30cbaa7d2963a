import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { InStream, OutStream } from "../../src/core/stream.js";

const SEQ_MAX = 60;
const seq = fc.integer({ min: 1, max: SEQ_MAX });
const event = fc.oneof(
  fc.tuple(fc.constant("receive" as const), seq, fc.integer({ min: 0, max: 5 })),
  fc.tuple(fc.constant("head" as const), seq, fc.constant(0)),
  fc.tuple(fc.constant("announce" as const), seq, fc.constant(0)),
);

describe("the stream of a peer", () => {
  it("lacks exactly what a set of numbers lacks", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), fc.array(event, { maxLength: 60 }), (have, events) => {
        const stream = new InStream(have);
        const arrived = new Set(Array.from({ length: have }, (_, i) => i + 1));
        let head = have;
        for (const [what, from, more] of events) {
          head = Math.max(head, from + more);
          if (what === "head") stream.observeHead(from);
          else if (what === "announce") stream.announce(from);
          else {
            stream.receive(from, from + more);
            for (let i = from; i <= from + more; i += 1) arrived.add(i);
          }
        }
        const lacking = Array.from({ length: head }, (_, i) => i + 1).filter(
          (number) => !arrived.has(number),
        );
        assert.equal(stream.head, head);
        assert.equal(stream.behind, lacking.length);
        const range = stream.missing();
        assert.equal(range?.from, lacking[0]);
        if (range === undefined) return;
        for (let number = range.from; number <= range.to; number += 1) assert.ok(!arrived.has(number));
        assert.ok(range.to === head || arrived.has(range.to + 1));
      }),
    );
  });

  it("tells as held only what is, whatever was taken for arrived", () => {
    const range = fc.tuple(seq, fc.integer({ min: 0, max: 5 }));
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(fc.constant("receive" as const), range) },
      fc.tuple(fc.constant("presume" as const), range),
      fc.tuple(fc.constant("verify" as const), range),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), fc.array(step, { maxLength: 60 }), (have, steps) => {
        const stream = new InStream(have);
        const held = new Set<number>();
        for (const [what, [from, more]] of steps) {
          const to = from + more;
          if (what === "receive") stream.receive(from, to);
          else if (what === "presume") stream.presume(from, to);
          else stream.verify(to);
          const first = what === "verify" ? 1 : from;
          if (what !== "presume") for (let number = first; number <= to; number += 1) held.add(number);
          for (let number = 1; number <= stream.held; number += 1) assert.ok(held.has(number));
          if (what === "verify") assert.ok(stream.held >= to);
        }
        stream.verify(stream.head);
        assert.equal(stream.held, stream.head);
        assert.equal(stream.isDoubtful, false);
      }),
    );
  });

  it("ends up whole when each range that it lacks is received, however many runs there were", () => {
    const stream = new InStream(0);
    for (let number = 2; number <= 1_000; number += 2) stream.receive(number, number);
    let asked = 0;
    for (let range = stream.missing(); range !== undefined; range = stream.missing()) {
      stream.receive(range.from, range.to);
      asked += 1;
      assert.ok(asked <= 1_000);
    }
    assert.equal(stream.behind, 0);
  });
});

describe("the own stream", () => {
  it("remembers the latest messages, within its bound of keys", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 }), (sizes) => {
        const stream = new OutStream(20);
        for (const [at, size] of sizes.entries()) {
          const slots = Array.from({ length: size }, (_, i) => 10 * at + i);
          assert.equal(stream.append({ slots, stampMax: at }), at + 1);
        }
        assert.equal(stream.head, sizes.length);
        let keys = 0;
        for (let number = 1; number <= sizes.length; number += 1) {
          const sent = stream.sent(number);
          assert.equal(sent.slots.length, number < stream.tail ? 0 : (sizes[number - 1] ?? 0));
          keys += sent.slots.length;
        }
        assert.ok(keys <= 20 || stream.tail === stream.head);
      }),
    );
  });
});
