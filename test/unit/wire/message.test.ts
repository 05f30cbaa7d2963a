import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LIMITS } from "../../../src/core/bytes.js";
import { REPLACES_MAX } from "../../../src/core/record.js";
import {
  decodeMessage,
  encodeMessage,
  MESSAGE_BYTES_MAX,
  subscriberOf,
  topicsOf,
} from "../../../src/wire/message.js";
import { Writer } from "../../../src/wire/writer.js";
import { readFrame, readMessage } from "../../received.js";
import { ALICE, BOB, samples, sums, tombstone, value, vitals } from "./samples.js";

const FORMAT = 1;
const SAFE_MAX = Number.MAX_SAFE_INTEGER;

/** A frame with this topic whose body, from the format on, the caller writes: also what encodeMessage never would. */
function frame(topic: string, writeBody: (writer: Writer) => void): Buffer {
  const writer = new Writer(2 * MESSAGE_BYTES_MAX);
  writer.ascii(topic);
  writer.u8(FORMAT);
  writer.id(ALICE);
  writeBody(writer);
  return writer.finish();
}

function isAccepted(topic: string, writeBody: (writer: Writer) => void): boolean {
  return decodeMessage(frame(topic, writeBody)) !== undefined;
}

/** A set message with one record, of which the caller writes the record. */
function acceptsRecord(writeRecord: (writer: Writer) => void): boolean {
  return isAccepted("set ", (writer) => {
    writer.varint(1);
    writer.varint(1);
    writer.id(ALICE);
    writer.varint(1);
    writeRecord(writer);
  });
}

interface RecordFields {
  readonly flags?: number;
  readonly writerIndex?: number;
  readonly stamp?: readonly [high: number, low: number];
  readonly replaced?: number;
  readonly replacedIndex?: number;
  readonly key?: string;
  readonly value?: string;
}

function acceptsFields(fields: RecordFields): boolean {
  const { flags = 0, writerIndex = 0, stamp = [0, 1], replaced = 0, replacedIndex = 0 } = fields;
  const { key = "k", value: bytes = "v" } = fields;
  return acceptsRecord((writer) => {
    writer.u8(flags);
    writer.varint(writerIndex);
    writer.u32(stamp[0]);
    writer.u32(stamp[1]);
    for (let i = 0; i < replaced; i += 1) {
      writer.varint(replacedIndex);
      writer.u53(i);
    }
    writer.bytes(key);
    writer.bytes(bytes);
  });
}

describe("a message", () => {
  for (const { name, message, to } of samples) {
    it(`decodes to what was encoded: ${name}`, () => {
      assert.deepEqual(readFrame(encodeMessage(message, to)), message);
    });

    it(`is malformed when cut short at any byte: ${name}`, () => {
      const whole = encodeMessage(message, to);
      for (let length = 0; length < whole.length; length += 1) {
        assert.equal(decodeMessage(whole.subarray(0, length)), undefined, `${length} bytes`);
      }
    });

    it(`is malformed with a byte behind its end: ${name}`, () => {
      const longer = Buffer.concat([encodeMessage(message, to), Buffer.alloc(1)]);
      assert.equal(decodeMessage(longer), undefined);
    });
  }

  it("carries every byte in keys and values", () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    const record = { ...value, key: all, value: all };
    const message = { type: "set", from: ALICE, seq: 1, records: [record] } as const;
    assert.deepEqual(readFrame(encodeMessage(message, undefined)), message);
  });

  it("carries a record of the greatest size with as many writers as may be", () => {
    const replaces = Array.from({ length: REPLACES_MAX }, (_, i) => ({
      stamp: SAFE_MAX - i,
      writer: `000000000000000${i.toString(16)}`,
    }));
    const record = {
      ...value,
      stamp: SAFE_MAX,
      key: "k".repeat(LIMITS.keyBytesMax),
      value: "v".repeat(LIMITS.valueBytesMax),
      expiresAtMs: 2 ** 48 - 1,
      replaces,
    };
    const message = {
      type: "answer",
      from: ALICE,
      id: 0,
      part: SAFE_MAX,
      last: true,
      next: SAFE_MAX - 1,
      tail: SAFE_MAX,
      omits: true,
      records: [record],
    } as const;
    const encoded = encodeMessage(message, BOB);
    assert.ok(encoded.length <= MESSAGE_BYTES_MAX);
    assert.deepEqual(readFrame(encoded), message);
  });

  it("leaves keys and values where they came, and takes everything else out", () => {
    const whole = encodeMessage({ type: "set", from: ALICE, seq: 1, records: [value, tombstone] }, undefined);
    const message = decodeMessage(whole);
    whole.fill(0x2e);
    assert.ok(message !== undefined);
    assert.deepEqual(readMessage(message), {
      type: "set",
      from: ALICE,
      seq: 1,
      records: [
        { ...value, key: ".".repeat(value.key.length), value: ".".repeat(value.value.length) },
        { ...tombstone, key: ".".repeat(tombstone.key.length) },
      ],
    });
  });

  it("may be a megabyte and an eighth long, and no longer", () => {
    const empty = frame("question 00000000000000b2 ", (writer) => {
      writer.u32(0);
      writer.varint(0);
      writer.u8(2);
    });
    const keys = Math.floor((MESSAGE_BYTES_MAX - empty.length) / 1026);
    const question = (rest: number) =>
      isAccepted("question 00000000000000b2 ", (writer) => {
        writer.u32(0);
        writer.varint(0);
        writer.u8(2);
        writer.varint(keys + 1);
        for (let i = 0; i < keys; i += 1) writer.bytes("k".repeat(1024));
        writer.bytes("k".repeat(rest));
      });
    const room = MESSAGE_BYTES_MAX - empty.length - 2 - keys * 1026 - 2;
    assert.ok(room > 128 && room < 1024);
    assert.ok(question(room));
    assert.ok(!question(room + 1));
  });
});

describe("a topic", () => {
  it("is one that a node subscribes to", () => {
    for (const { message, to } of samples) {
      const text = encodeMessage(message, to).toString("latin1", 0, 40);
      assert.equal(topicsOf(BOB).filter((topic) => text.startsWith(topic)).length, 1);
    }
  });

  it("of a message to one node is no other's", () => {
    for (const { message, to } of samples.filter((sample) => sample.to !== undefined)) {
      const text = encodeMessage(message, to).toString("latin1", 0, 40);
      assert.ok(!topicsOf(ALICE).some((topic) => text.startsWith(topic)));
    }
  });

  it("names its subscriber when it is for questions", () => {
    assert.deepEqual(
      topicsOf(BOB).filter((topic) => subscriberOf(topic) === BOB),
      [`question ${BOB} `],
    );
    assert.equal(topicsOf(BOB).filter((topic) => subscriberOf(topic) !== undefined).length, 1);
    assert.equal(subscriberOf(`question ${BOB}`), undefined);
    assert.equal(subscriberOf(`question ${BOB.toUpperCase()} `), undefined);
    assert.equal(subscriberOf(`xquestion ${BOB} `), undefined);
  });

  it("must be known, with a receiver where there is one", () => {
    const body = encodeMessage({ type: "tick", from: ALICE, vitals }, undefined).subarray("tick ".length);
    const withTopic = (topic: string) => decodeMessage(Buffer.concat([Buffer.from(topic), body]));
    assert.ok(withTopic("tick "));
    for (const topic of ["", "tock ", "tick", " tick ", "TICK ", `tick ${BOB} `, "ticks "]) {
      assert.equal(withTopic(topic), undefined, topic);
    }
    const list = encodeMessage({ type: "list", from: ALICE, id: 2, sums: sums(256) }, BOB);
    const listBody = list.subarray(`list ${BOB} `.length);
    for (const topic of ["list ", "list 00 ", `list ${BOB}`, `list ${BOB.toUpperCase()} `, `lists ${BOB} `]) {
      assert.equal(decodeMessage(Buffer.concat([Buffer.from(topic), listBody])), undefined, topic);
    }
  });

  it("is followed by the version of the format", () => {
    const tick = encodeMessage({ type: "tick", from: ALICE, vitals }, undefined);
    for (const format of [0, 2, 255]) {
      tick[5] = format;
      assert.equal(decodeMessage(tick), undefined);
    }
  });
});

describe("the bounds of a record", () => {
  it("keep flags to those that exist and eight replaced versions", () => {
    assert.ok(acceptsFields({ flags: 0 }));
    assert.ok(acceptsFields({ flags: REPLACES_MAX << 2, replaced: REPLACES_MAX }));
    assert.ok(!acceptsFields({ flags: (REPLACES_MAX + 1) << 2, replaced: REPLACES_MAX + 1 }));
    for (let flags = 36; flags < 256; flags += 1) {
      assert.ok(!acceptsFields({ flags, replaced: flags >> 2 }), `flags ${flags}`);
    }
  });

  it("keep stamps below 2^53", () => {
    assert.ok(acceptsFields({ stamp: [0x1f_ffff, 0xffff_ffff] }));
    assert.ok(!acceptsFields({ stamp: [0x20_0000, 0] }));
    assert.ok(!acceptsFields({ stamp: [0xffff_ffff, 0xffff_ffff] }));
  });

  it("keep writers to those that the block lists", () => {
    assert.ok(!acceptsFields({ writerIndex: 1 }));
    assert.ok(!acceptsFields({ writerIndex: SAFE_MAX }));
    assert.ok(acceptsFields({ flags: 1 << 2, replaced: 1, replacedIndex: 0 }));
    assert.ok(!acceptsFields({ flags: 1 << 2, replaced: 1, replacedIndex: 1 }));
  });

  it("keep keys to 1 to 1 024 bytes", () => {
    assert.ok(!acceptsFields({ key: "" }));
    assert.ok(acceptsFields({ key: "k".repeat(1024) }));
    assert.ok(!acceptsFields({ key: "k".repeat(1025) }));
  });

  it("keep values to 1 MiB", () => {
    assert.ok(acceptsFields({ value: "" }));
    assert.ok(acceptsFields({ value: "v".repeat(2 ** 20) }));
    assert.ok(!acceptsFields({ value: "v".repeat(2 ** 20 + 1) }));
  });

  it("leave no value to a tombstone", () => {
    assert.ok(!acceptsFields({ flags: 1 }));
    assert.ok(
      acceptsRecord((writer) => {
        writer.u8(1);
        writer.varint(0);
        writer.u53(1);
        writer.bytes("key");
      }),
    );
  });

  it("keep the counts of writers and records to what the frame can hold", () => {
    for (const count of [1, 2, 200, SAFE_MAX]) {
      const noWriters = isAccepted("set ", (writer) => {
        writer.varint(1);
        writer.varint(count);
      });
      const noRecords = isAccepted("set ", (writer) => {
        writer.varint(1);
        writer.varint(0);
        writer.varint(count);
      });
      assert.ok(!noWriters && !noRecords, `count ${count}`);
    }
  });
});

describe("the bounds of a set and a tick", () => {
  const set = (seq: number) =>
    isAccepted("set ", (writer) => {
      writer.varint(seq);
      writer.varint(0);
      writer.varint(0);
    });

  it("number messages from 1 to 2^53 - 1", () => {
    assert.ok(!set(0));
    assert.ok(set(1));
    assert.ok(set(SAFE_MAX));
    assert.ok(!set(SAFE_MAX + 1));
  });

  it("let a number take at most eight bytes", () => {
    const padded = (length: number) =>
      isAccepted("set ", (writer) => {
        writer.u8(0x81);
        for (let i = 2; i < length; i += 1) writer.u8(0x80);
        writer.u8(0);
        writer.varint(0);
        writer.varint(0);
      });
    assert.ok(padded(8));
    assert.ok(!padded(9));
  });

  it("make a tick speak of its own sender", () => {
    const message = { type: "tick", from: BOB, vitals } as const;
    assert.equal(decodeMessage(encodeMessage(message, undefined)), undefined);
  });
});

describe("the bounds of publications", () => {
  const publish = (channel: number, payload: number) =>
    isAccepted("publish ", (writer) => {
      writer.varint(1);
      writer.bytes("c".repeat(channel));
      writer.bytes("p".repeat(payload));
    });

  it("keep channels to 1 024 bytes and payloads to 1 MiB, and let both be empty", () => {
    assert.ok(publish(0, 0));
    assert.ok(publish(1024, 2 ** 20));
    assert.ok(!publish(1025, 0));
    assert.ok(!publish(0, 2 ** 20 + 1));
  });

  it("keep the count to what the frame can hold", () => {
    for (const count of [1, 2, SAFE_MAX]) {
      assert.ok(!isAccepted("publish ", (writer) => writer.varint(count)), `count ${count}`);
    }
  });

  it("are for all, and fit into a frame at their greatest", () => {
    const publications = [
      { channel: "c".repeat(LIMITS.channelBytesMax), payload: "p".repeat(LIMITS.payloadBytesMax) },
    ];
    const whole = encodeMessage({ type: "publish", from: ALICE, publications }, undefined);
    assert.ok(whole.length <= MESSAGE_BYTES_MAX);
    assert.deepEqual(decodeMessage(whole), { type: "publish", from: ALICE, publications });
  });
});

describe("the bounds of a confirm and a receipt", () => {
  for (const type of ["confirm", "receipt"]) {
    it(`number messages from 1 to 2^53 - 1: ${type}`, () => {
      const accepts = (seq: number) =>
        isAccepted(`${type} ${BOB} `, (writer) => {
          writer.varint(seq);
        });
      assert.ok(accepts(1) && accepts(SAFE_MAX));
      assert.ok(!accepts(0) && !accepts(SAFE_MAX + 1));
    });
  }
});

describe("the bounds of a question", () => {
  const question = (writeAsk: (writer: Writer) => void) =>
    isAccepted(`question ${BOB} `, (writer) => {
      writer.u32(7);
      writer.varint(1000);
      writeAsk(writer);
    });
  const spans = (count: number, ...bounds: readonly (readonly [from: number, to: number])[]) =>
    question((writer) => {
      writer.u8(1);
      writer.varint(count);
      for (const [from, to] of bounds) {
        writer.u16(from);
        writer.u16(to);
        writer.varint(0);
      }
    });

  it("ask for a stream, buckets or keys", () => {
    for (const of of [3, 255]) {
      assert.ok(
        !question((writer) => {
          writer.u8(of);
          writer.varint(1);
          writer.varint(1);
        }),
      );
    }
  });

  it("make a range of a stream start at 1 or later, and end no earlier than it starts", () => {
    const range = (from: number, to: number) =>
      question((writer) => {
        writer.u8(0);
        writer.varint(from);
        writer.varint(to);
      });
    assert.ok(range(1, 1));
    assert.ok(range(SAFE_MAX, SAFE_MAX));
    assert.ok(!range(0, 1));
    assert.ok(!range(2, 1));
    assert.ok(!range(1, SAFE_MAX + 1));
  });

  it("make spans of buckets ascend without touching twice", () => {
    assert.ok(spans(0));
    assert.ok(spans(2, [0, 3], [4, 65_535]));
    assert.ok(!spans(1, [5, 4]), "backwards");
    assert.ok(!spans(2, [0, 3], [3, 4]), "overlapping");
    assert.ok(!spans(2, [7, 8], [1, 2]), "descending");
    assert.ok(!spans(2, [7, 7], [7, 7]), "twice");
  });

  it("keep counts to what the frame can hold", () => {
    assert.ok(!spans(2, [0, 3]));
    assert.ok(!spans(SAFE_MAX, [0, 3]));
    for (const count of [1, 2, SAFE_MAX]) {
      const hashes = question((writer) => {
        writer.u8(1);
        writer.varint(1);
        writer.u16(0);
        writer.u16(0);
        writer.varint(count);
        writer.u32(0);
        writer.u32(0);
      });
      const keys = question((writer) => {
        writer.u8(2);
        writer.varint(count);
        writer.u8(1);
      });
      assert.ok(!hashes && !keys, `count ${count}`);
    }
  });

  it("keep keys to 1 to 1 024 bytes", () => {
    const key = (length: number) =>
      question((writer) => {
        writer.u8(2);
        writer.varint(1);
        writer.bytes("k".repeat(length));
      });
    assert.ok(!key(0));
    assert.ok(key(1));
    assert.ok(key(1024));
    assert.ok(!key(1025));
  });
});

describe("the bounds of answers and lists", () => {
  it("keep the marks of a part to those that exist", () => {
    const answer = (last: number) =>
      isAccepted(`answer ${BOB} `, (writer) => {
        writer.u32(7);
        writer.varint(0);
        writer.u8(last);
        for (let i = 0; i < 4; i += 1) writer.varint(0);
      });
    const listAnswer = (last: number) =>
      isAccepted(`list_answer ${BOB} `, (writer) => {
        writer.u32(7);
        writer.varint(0);
        writer.u8(last);
        writer.varint(0);
      });
    for (const marks of [0, 1, 2, 3, 4, 255]) {
      assert.equal(answer(marks), marks <= 3);
      assert.equal(listAnswer(marks), marks <= 1);
    }
  });

  it("keep several publications to what an honest message holds", () => {
    const publish = (payloads: readonly number[]) =>
      isAccepted("publish ", (writer) => {
        writer.varint(payloads.length);
        for (const bytes of payloads) {
          writer.bytes("");
          writer.bytes("x".repeat(bytes));
        }
      });
    const most = 64 * 1024 - 2 * 5;
    assert.ok(publish([most, 0]));
    assert.ok(!publish([most, 1]));
    assert.ok(!publish([0, 2 ** 20]));
    assert.ok(!publish(Array.from({ length: 100_000 }, () => 0)));
  });

  it("keep a list to exactly 256 sums", () => {
    const list = (count: number) =>
      isAccepted(`list ${BOB} `, (writer) => {
        writer.u32(7);
        writer.words(sums(count));
      });
    assert.ok(list(256));
    assert.ok(!list(0) && !list(255) && !list(257));
  });

  it("keep the count of groups to what the frame can hold", () => {
    const groups = (count: number, written: number) =>
      isAccepted(`list_answer ${BOB} `, (writer) => {
        writer.u32(7);
        writer.varint(0);
        writer.u8(1);
        writer.varint(count);
        for (let group = 0; group < written; group += 1) {
          writer.u8(group);
          writer.varint(1);
          writer.varint(1);
          writer.words(sums(256));
        }
      });
    assert.ok(groups(2, 2));
    assert.ok(!groups(2, 1));
    assert.ok(!groups(1, 2));
    assert.ok(!groups(SAFE_MAX, 1));
  });
});
