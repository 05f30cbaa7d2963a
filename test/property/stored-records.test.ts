/** What storage or a message gives is the record that was written, whichever way it was read, and the map holds the same of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { toFrame } from "../../src/core/bytes.js";
import { storedToRecord, type KvRecord, type StoredRecord } from "../../src/core/record.js";
import { Clock } from "../../src/core/clock.js";
import { Copy } from "../../src/core/copy.js";
import type { Effect } from "../../src/core/effect.js";
import { hashOf } from "../../src/core/hash.js";
import { RecordMap } from "../../src/core/record-map.js";
import { decodeMessage, encodeMessage } from "../../src/wire/message.js";
import { Reader } from "../../src/wire/reader.js";
import { readRecords, readStoredRecord, recordsBytesMax, writeOneRecord } from "../../src/wire/records.js";
import { readEffect } from "../received.js";
import { kvRecord } from "./wire-arbitraries.js";

/** Lengths around those at which a varint has another byte, and at the bounds. */
const lengths = fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 1_048_576, 1_048_577);
const record: fc.Arbitrary<KvRecord> = fc.oneof(
  kvRecord,
  fc.tuple(kvRecord, fc.constantFrom(1, 127, 128, 1_024, 1_025), lengths).map(([one, keyLength, length]) => ({
    ...one,
    key: "k".repeat(keyLength),
    value: one.kind === "value" ? "v".repeat(length) : "",
    replaces: [],
  })),
);

function blockOf(one: StoredRecord): Buffer {
  const frame = toFrame(Buffer.alloc(recordsBytesMax([one])));
  return frame.bytes.subarray(0, writeOneRecord(frame, 0, one));
}

/** The same record, as it lies in memory. */
function lying(one: KvRecord): StoredRecord {
  const frame = toFrame(Buffer.from(`<${one.key}${one.value}>`, "latin1"));
  const [from, length] = [1 + one.key.length, one.value.length];
  return { ...one, key: { frame, at: 1, length: one.key.length }, value: { frame, at: from, length } };
}

/** As blocks are read that are as few are: where one has the usual index of the writer, it is given a byte too many. */
function readAny(block: Buffer): KvRecord | undefined {
  const index = block[11] ?? 0x80;
  const isUsual = block[0] === 1 && block[9] === 1 && index < 0x80;
  const unusual = Buffer.concat([block.subarray(0, 11), Buffer.of(index | 0x80, 0), block.subarray(12)]);
  const reader = new Reader(toFrame(isUsual ? unusual : block));
  const records = readRecords(reader);
  return reader.done && records.length === 1 ? records.map(storedToRecord)[0] : undefined;
}

function readStored(block: Buffer): StoredRecord | undefined {
  const frame = toFrame(Buffer.concat([Buffer.of(1, 2, 3), block, Buffer.of(4)]));
  return readStoredRecord(frame, 3, 3 + block.length);
}

function readText(block: Buffer): KvRecord | undefined {
  const stored = readStored(block);
  return stored === undefined ? undefined : storedToRecord(stored);
}

/** What a copy makes of records, of which some are too late. */
function keep(records: readonly StoredRecord[], wallMs: number): { copy: Copy; told: Effect[] } {
  const clock = new Clock();
  clock.trust(0);
  const told: Effect[] = [];
  const copy = new Copy(clock, (effect) => told.push(effect));
  copy.apply(records, { monoMs: 0, wallMs });
  return { copy, told };
}

describe("a stored record", () => {
  it("is the one that was written", () => {
    fc.assert(
      fc.property(record, (one) => {
        const isWithin = one.key.length <= 1_024 && one.value.length <= 1_048_576;
        assert.deepEqual(readText(blockOf(one)), isWithin ? one : undefined);
      }),
    );
  });

  it("is written alike from where it lies in memory", () => {
    fc.assert(
      fc.property(record, (one) => {
        assert.deepEqual(blockOf(lying(one)), blockOf(one));
      }),
    );
  });

  it("is what any reader finds in the same bytes, whatever they are", () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        kvRecord,
        fc.array(change, { maxLength: 3 }),
        fc.integer({ min: -3, max: 3 }),
        (one, changes, more) => {
          const written = blockOf(one);
          const block = Buffer.concat([written, Buffer.alloc(3)]).subarray(0, written.length + more);
          for (const [at, byte] of changes) block[at % block.length] = byte;
          assert.deepEqual(readText(block), readAny(block));
        },
      ),
      { numRuns: 20_000 },
    );
  });

  it("with lengths that have a byte too many is read nevertheless", () => {
    const block = blockOf({ ...plain, key: "k", value: "" });
    const longer = Buffer.concat([block.subarray(0, 20), Buffer.of(0x81, 0), block.subarray(21)]);
    assert.equal(readText(longer)?.key, "k");
    assert.deepEqual(readText(longer), readAny(longer));
  });

  it("has a key with the hash that the same key has as a byte string", () => {
    fc.assert(
      fc.property(kvRecord, fc.nat(70), (one, length) => {
        const key = one.key.repeat(70).slice(0, 1 + length);
        const stored = readStored(blockOf({ ...one, key }));
        assert.equal(stored === undefined ? undefined : hashOf(stored.key), hashOf(key));
      }),
    );
  });

  it("is held by the map as the same record of byte strings", () => {
    const keys = fc.constantFrom("a", "b", "c", "k".repeat(24), "k".repeat(25), "\u00ff".repeat(1_024));
    const fewKeys = fc.array(fc.tuple(kvRecord, keys), { maxLength: 30 });
    fc.assert(
      fc.property(fewKeys, (list) => {
        const [stored, plainly] = [new RecordMap(() => undefined), new RecordMap(() => undefined)];
        for (const [one, key] of list) {
          const block = blockOf({ ...one, key });
          const from = readStored(block);
          const [a, b] = [from !== undefined && stored.apply(from), plainly.apply({ ...one, key })];
          assert.equal(a, b);
        }
        assert.deepEqual([...stored.all()], [...plainly.all()]);
        assert.deepEqual(
          [stored.root, stored.bytes, stored.values],
          [plainly.root, plainly.bytes, plainly.values],
        );
      }),
    );
  });

  it("is held by the map alike, whatever it was told to expect", () => {
    const keys = fc.constantFrom("a", "b", "c", "d", "k".repeat(25));
    const few = fc.array(fc.tuple(kvRecord, keys, fc.option(fc.nat(), { freq: 3 })), { maxLength: 60 });
    fc.assert(
      fc.property(few, (list) => {
        const records = list.flatMap(([one, key]) => readStored(blockOf({ ...one, key })) ?? []);
        const [told, plainly] = [new RecordMap(() => undefined), new RecordMap(() => undefined)];
        for (const [i, one] of records.entries()) {
          // Mostly what comes next, as it should be.
          const from = list[i]?.[2] ?? undefined;
          const next = records.slice(from === undefined || from % 2 === 0 ? i : from % records.length);
          if (from !== undefined) told.expect(next.map(({ key }) => key));
          assert.equal(told.apply(one), plainly.apply(storedToRecord(one)));
        }
        assert.deepEqual([...told.all()], [...plainly.all()]);
        assert.equal(told.root, plainly.root);
        for (const { key } of plainly.heads()) assert.deepEqual(told.get(key), plainly.get(key));
      }),
    );
  });
});

describe("a record of a message", () => {
  it("is kept and told of as the same record of byte strings, and apart from the message", () => {
    const keys = fc.constantFrom("a", "b", "c", "k".repeat(24), "k".repeat(129), "\u00ff".repeat(1_024));
    const values = fc.constantFrom(
      "",
      "v",
      "four",
      "fives",
      "\u00ff".repeat(127),
      "v".repeat(129),
      "v".repeat(70_000),
    );
    const few = fc.array(fc.tuple(kvRecord, keys, values), { maxLength: 40 });
    fc.assert(
      fc.property(few, fc.constantFrom(0, 2 ** 47), (list, wallMs) => {
        const records = list.map(([one, key, value]) =>
          one.kind === "value" ? { ...one, key, value } : { ...one, key },
        );
        const frame = encodeMessage({ type: "set", from: plain.writer, seq: 1, records }, undefined);
        const message = decodeMessage(frame);
        assert.ok(message?.type === "set");
        const came = keep(message.records, wallMs);
        const given = keep(records, wallMs);
        assert.deepEqual(came.told.map(readEffect), given.told);
        frame.fill(0);
        assert.deepEqual([...came.copy.map.all()], [...given.copy.map.all()]);
        assert.deepEqual(came.copy.conflicts.list(), given.copy.conflicts.list());
        assert.equal(came.copy.map.root, given.copy.map.root);
      }),
    );
  });
});

const plain: KvRecord = {
  stamp: 1,
  writer: "00112233445566ff",
  key: "k",
  kind: "value",
  value: "",
  expiresAtMs: undefined,
  replaces: [],
};
