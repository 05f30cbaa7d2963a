/** One beacon and messages of every type, with each optional part present and absent. */
import type { Beacon, Message, Vitals } from "../../../src/core/message.js";
import type { KvRecord } from "../../../src/core/record.js";

export const ALICE = "00000000000000a1";
export const BOB = "00000000000000b2";
export const CLUSTER = 0x12345678;

export const vitals: Vitals = {
  nodeId: "0123456789abcdef",
  writer: ALICE,
  wallMs: 1_767_225_600_123,
  head: 300,
  root: "fedcba9876543210",
  keys: 7,
  state: "live",
};

export const beacon: Beacon = {
  ...vitals,
  cluster: CLUSTER,
  name: "küche",
  port: 40_001,
  advertise: "10.1.2.3",
  software: "0.1.0",
  hello: true,
  goodbye: false,
};

export const value: KvRecord = {
  stamp: 2 ** 49 + 5,
  writer: ALICE,
  key: "robots/7",
  kind: "value",
  value: "\u0000\u00ff",
  expiresAtMs: 1_767_225_601_000,
  replaces: [
    { stamp: 2 ** 49 + 4, writer: BOB },
    { stamp: 3, writer: "00000000000000c3" },
  ],
};

export const tombstone: KvRecord = {
  stamp: 9,
  writer: BOB,
  key: "k",
  kind: "tombstone",
  value: "",
  expiresAtMs: undefined,
  replaces: [],
};

/** `count` 32-bit numbers that all differ. */
function words(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
}

/** `count` 64-bit numbers, two words each. */
export function sums(count: number): Uint32Array {
  return words(2 * count);
}

interface Sample {
  readonly name: string;
  readonly message: Message;
  /** The receiver; undefined = all. */
  readonly to: string | undefined;
}

const question = { type: "question", from: ALICE, id: 0xffff_ffff, budgetBytes: 262_144 } as const;
const answer = { type: "answer", from: ALICE, id: 1, part: 0, tail: 1, omits: false } as const;

export const samples: readonly Sample[] = [
  { name: "set", message: { type: "set", from: ALICE, seq: 1, records: [value, tombstone] }, to: undefined },
  {
    name: "set without its records",
    message: { type: "set", from: ALICE, seq: 200, records: [] },
    to: undefined,
  },
  {
    name: "publish",
    message: {
      type: "publish",
      from: ALICE,
      publications: [
        { channel: "", payload: "" },
        { channel: "c".repeat(1024), payload: "\u0000\u00ff" },
      ],
    },
    to: undefined,
  },
  {
    name: "publish without publications",
    message: { type: "publish", from: ALICE, publications: [] },
    to: undefined,
  },
  { name: "tick", message: { type: "tick", from: ALICE, vitals }, to: undefined },
  {
    name: "question for a stream",
    message: { ...question, ask: { of: "stream", range: { from: 1, to: Number.MAX_SAFE_INTEGER } } },
    to: BOB,
  },
  {
    name: "question for buckets",
    message: {
      ...question,
      ask: {
        of: "buckets",
        spans: [
          { from: 0, to: 0, held: words(8) },
          { from: 1, to: 65_535, held: words(0) },
        ],
      },
    },
    to: BOB,
  },
  {
    name: "question for keys",
    message: { ...question, ask: { of: "keys", keys: ["a", "\u00ff".repeat(1024)] } },
    to: BOB,
  },
  {
    name: "answer, the last part, all answered",
    message: { ...answer, last: true, next: undefined, records: [value] },
    to: BOB,
  },
  {
    name: "answer, with records left out",
    message: { ...answer, last: true, next: undefined, omits: true, records: [] },
    to: BOB,
  },
  {
    name: "answer, to go on from 0",
    message: { ...answer, last: true, next: 0, records: [] },
    to: BOB,
  },
  {
    name: "answer, a part in the middle",
    message: { ...answer, part: 3, last: false, next: undefined, tail: 2 ** 40, records: [tombstone] },
    to: BOB,
  },
  { name: "list", message: { type: "list", from: ALICE, id: 2, sums: sums(256) }, to: BOB },
  {
    name: "list_answer",
    message: {
      type: "list_answer",
      from: ALICE,
      id: 2,
      part: 0,
      last: true,
      groups: [{ group: 255, records: 1, bytes: 2, sums: sums(256) }],
    },
    to: BOB,
  },
  {
    name: "list_answer without groups",
    message: { type: "list_answer", from: ALICE, id: 2, part: 1, last: false, groups: [] },
    to: BOB,
  },
  {
    name: "confirm",
    message: { type: "confirm", from: ALICE, head: Number.MAX_SAFE_INTEGER },
    to: BOB,
  },
  { name: "receipt", message: { type: "receipt", from: ALICE, seq: 300 }, to: BOB },
];
