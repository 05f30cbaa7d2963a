/** Everything that a node may say, as fast-check arbitraries. */
import fc from "fast-check";
import { REPLACES_MAX, type KvRecord } from "../../src/core/record.js";
import { STATES, type Ask, type Beacon, type Message, type Vitals } from "../../src/core/message.js";
import type { Version } from "../../src/core/version.js";

function record<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(fields, { noNullPrototype: true });
}

function bytes(minLength: number, maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array).toString("latin1"));
}

const id = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((array) => Buffer.from(array).toString("hex"));
const natural = fc.maxSafeNat();
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const wallMs = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const questionId = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const held = fc
  .array(fc.tuple(word, word, word, word), { maxLength: 4 })
  .map((records) => Uint32Array.from(records.flat()));
const sums256 = fc.array(word, { minLength: 512, maxLength: 512 }).map((halves) => Uint32Array.from(halves));

const vitalsFields = {
  nodeId: id,
  writer: id,
  wallMs,
  head: natural,
  root: id,
  keys: natural,
  state: fc.constantFrom(...STATES),
};

const vitals: fc.Arbitrary<Vitals> = record<Vitals>(vitalsFields);

export const beacon: fc.Arbitrary<Beacon> = record<Beacon>({
  ...vitalsFields,
  cluster: questionId,
  name: fc.string({ maxLength: 16, unit: "binary" }),
  port: fc.integer({ min: 1, max: 65_535 }),
  advertise: fc.oneof(fc.constant(""), fc.domain(), fc.ipV4(), fc.ipV6()),
  software: fc
    .array(fc.integer({ min: 0, max: 127 }), { maxLength: 32 })
    .map((codes) => String.fromCharCode(...codes)),
  hello: fc.boolean(),
  goodbye: fc.boolean(),
});

const version: fc.Arbitrary<Version> = record<Version>({ stamp: natural, writer: id });

const recordFields = {
  stamp: natural,
  writer: id,
  key: bytes(1, 40),
  expiresAtMs: fc.option(wallMs, { nil: undefined }),
  replaces: fc.array(version, { maxLength: REPLACES_MAX }),
};

export const kvRecord: fc.Arbitrary<KvRecord> = fc.oneof(
  record<KvRecord>({ ...recordFields, kind: fc.constant("value"), value: bytes(0, 40) }),
  record<KvRecord>({ ...recordFields, kind: fc.constant("tombstone"), value: fc.constant("") }),
);

const records = fc.array(kvRecord, { maxLength: 6 });

const streamAsk: fc.Arbitrary<Ask> = fc
  .tuple(positive, positive)
  .map(([a, b]) => ({ of: "stream", range: { from: Math.min(a, b), to: Math.max(a, b) } }));

const bucketsAsk: fc.Arbitrary<Ask> = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 0, max: 65_535 }), { maxLength: 12 }),
    fc.array(held, { minLength: 6, maxLength: 6 }),
  )
  .map(([bounds, held]) => {
    const ascending = [...bounds].sort((a, b) => a - b);
    const spans = held.slice(0, ascending.length >> 1).map((hashes, i) => ({
      from: ascending[2 * i] ?? 0,
      to: ascending[2 * i + 1] ?? 0,
      held: hashes,
    }));
    return { of: "buckets", spans };
  });

const keysAsk: fc.Arbitrary<Ask> = record<Ask & { of: "keys" }>({
  of: fc.constant("keys"),
  keys: fc.array(bytes(1, 40), { maxLength: 6 }),
});

export interface Sent {
  readonly message: Message;
  readonly to: string | undefined;
}

const toAll: fc.Arbitrary<Message> = fc.oneof(
  record<Message & { type: "set" }>({ type: fc.constant("set"), from: id, seq: positive, records }),
  vitals.map((own): Message => ({ type: "tick", from: own.writer, vitals: own })),
  record<Message & { type: "publish" }>({
    type: fc.constant("publish"),
    from: id,
    publications: fc.array(record({ channel: bytes(0, 40), payload: bytes(0, 40) }), { maxLength: 6 }),
  }),
);

const toOne: fc.Arbitrary<Message> = fc.oneof(
  record<Message & { type: "question" }>({
    type: fc.constant("question"),
    from: id,
    id: questionId,
    budgetBytes: natural,
    ask: fc.oneof(streamAsk, bucketsAsk, keysAsk),
  }),
  record<Message & { type: "answer" }>({
    type: fc.constant("answer"),
    from: id,
    id: questionId,
    part: natural,
    last: fc.boolean(),
    next: fc.option(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 }), { nil: undefined }),
    tail: natural,
    omits: fc.boolean(),
    records,
  }),
  record<Message & { type: "confirm" }>({ type: fc.constant("confirm"), from: id, head: positive }),
  record<Message & { type: "receipt" }>({ type: fc.constant("receipt"), from: id, seq: positive }),
);

/** Lists are large, so they are drawn apart. */
const lists: fc.Arbitrary<Message> = fc.oneof(
  record<Message & { type: "list" }>({ type: fc.constant("list"), from: id, id: questionId, sums: sums256 }),
  record<Message & { type: "list_answer" }>({
    type: fc.constant("list_answer"),
    from: id,
    id: questionId,
    part: natural,
    last: fc.boolean(),
    groups: fc.array(
      record({ group: fc.integer({ min: 0, max: 255 }), records: natural, bytes: natural, sums: sums256 }),
      { maxLength: 2 },
    ),
  }),
);

export const sent: fc.Arbitrary<Sent> = fc.oneof(
  record<Sent>({ message: toAll, to: fc.constant(undefined) }),
  record<Sent>({ message: toOne, to: id }),
);

export const sentList: fc.Arbitrary<Sent> = record<Sent>({ message: lists, to: id });
