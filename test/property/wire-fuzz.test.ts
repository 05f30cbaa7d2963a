/**
 * Bytes from the network are hostile. Whatever they are, decoding them neither throws nor takes long nor keeps
 * memory; and what is accepted means the same after it was encoded and decoded again.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { decodeBeacon, encodeBeacon } from "../../src/wire/beacon.js";
import { encodeMessage } from "../../src/wire/message.js";
import { readFrame } from "../received.js";
import { beacon, sent, sentList } from "./wire-arbitraries.js";
import { Chance } from "./wire-chance.js";
import { CLUSTER, realFrames } from "./wire-frames.js";

const SEED = 0x6c616e6b;
const RANDOM_CASES = 400_000;
const MUTATED_CASES = 600_000;
const GENERATED_CASES = 12_000;
/** A decoder that hangs takes for ever; one that works takes microseconds. Between them is room for a busy machine. */
const CASE_MS_MAX = 2_000;
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;

const TO_ALL = ["set ", "publish ", "tick "];
const TO_ONE = ["question ", "answer ", "list ", "list_answer ", "confirm ", "receipt "];
const RECEIVER = "00000000000000b2 ";

let cases = 0;
let accepted = 0;
let slowestMs = 0;

function takeBeacon(datagram: Buffer): void {
  const first = decodeBeacon(datagram, CLUSTER);
  if (typeof first === "string") return;
  accepted += 1;
  const again = encodeBeacon(first);
  const second = decodeBeacon(again, CLUSTER);
  assert.ok(typeof second === "object", "what was accepted is refused when it is encoded again");
  assert.deepEqual(encodeBeacon(second), again);
}

function takeMessage(frame: Buffer): void {
  const first = readFrame(frame);
  if (first === undefined) return;
  accepted += 1;
  const to = TO_ALL.includes(`${first.type} `) ? undefined : RECEIVER.trim();
  const again = encodeMessage(first, to);
  const second = readFrame(again);
  assert.ok(second !== undefined, "what was accepted is refused when it is encoded again");
  assert.ok(encodeMessage(second, to).equals(again));
}

/** Decodes one case, and says which it was when it fails. */
function take(decode: (bytes: Buffer) => void, bytes: Buffer): void {
  cases += 1;
  const sinceMs = performance.now();
  try {
    decode(bytes);
  } catch (cause) {
    throw new Error(`case ${cases} of seed ${SEED} failed: ${bytes.toString("hex")}`, { cause });
  }
  const tookMs = performance.now() - sinceMs;
  if (tookMs > slowestMs) slowestMs = tookMs;
  assert.ok(tookMs < CASE_MS_MAX, `case ${cases} of seed ${SEED} took ${tookMs} ms`);
}

/** Bytes by chance, behind a start by chance that gets them past the first checks. */
function randomCase(chance: Chance): { readonly decode: (bytes: Buffer) => void; readonly bytes: Buffer } {
  const rest = chance.bytes(chance.below(chance.below(8) === 0 ? 600 : 80));
  switch (chance.below(4)) {
    case 0:
      return { decode: takeBeacon, bytes: rest };
    case 1: {
      const start = Buffer.alloc(8);
      start.write("LKV1");
      start.writeUInt32BE(CLUSTER, 4);
      return { decode: takeBeacon, bytes: Buffer.concat([start, rest]) };
    }
    case 2:
      return { decode: takeMessage, bytes: rest };
    default: {
      const at = chance.below(TO_ALL.length + TO_ONE.length);
      const topic = TO_ALL[at] ?? `${TO_ONE[at - TO_ALL.length] ?? ""}${RECEIVER}`;
      const start = Buffer.from(`${topic}\u0001`, "latin1");
      return { decode: takeMessage, bytes: Buffer.concat([start, rest]) };
    }
  }
}

type Mutation = (frame: Buffer, chance: Chance, other: Buffer) => Buffer;

const mutations: readonly [Mutation, ...Mutation[]] = [
  function flipBits(frame, chance) {
    for (let flips = 1 + chance.below(4); flips > 0; flips -= 1) {
      const at = chance.below(frame.length);
      frame[at] = (frame[at] ?? 0) ^ (1 << chance.below(8));
    }
    return frame;
  },
  function truncate(frame, chance) {
    return frame.subarray(0, chance.below(frame.length));
  },
  function append(frame, chance) {
    return Buffer.concat([frame, chance.bytes(1 + chance.below(16))]);
  },
  function splice(frame, chance, other) {
    return Buffer.concat([
      frame.subarray(0, chance.below(frame.length)),
      other.subarray(chance.below(other.length)),
    ]);
  },
  function remove(frame, chance) {
    const at = chance.below(frame.length);
    return Buffer.concat([frame.subarray(0, at), frame.subarray(at + 1 + chance.below(8))]);
  },
  function repeat(frame, chance) {
    const at = chance.below(frame.length);
    return Buffer.concat([frame.subarray(0, at + chance.below(32)), frame.subarray(at)]);
  },
  function blowUpLength(frame, chance) {
    const length = chance.pick([
      "ff7f",
      "ffffff7f",
      "ffffffffffff0f",
      "ffffffffffffff7f",
      "ffffffffffffffffff01",
    ]);
    const at = chance.below(frame.length);
    return Buffer.concat([frame.subarray(0, at), Buffer.from(length, "hex"), frame.subarray(at + 1)]);
  },
  function overwrite(frame, chance) {
    const at = chance.below(frame.length);
    frame.fill(chance.pick([0x00, 0xff, 0x7f, 0x80]), at, Math.min(at + 1 + chance.below(9), frame.length));
    return frame;
  },
];

function mutated(frame: Buffer, chance: Chance, other: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(frame);
  for (let rounds = 1 + chance.below(2); rounds > 0 && bytes.length > 0; rounds -= 1) {
    bytes = chance.pick(mutations)(bytes, chance, other);
  }
  return bytes;
}

function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

describe(`decoding hostile bytes (seed ${SEED})`, () => {
  const frames = realFrames(SEED);
  /** Large frames cost most of the time and take the same ways. */
  const isSmall = (frame: Buffer): boolean => frame.length <= 600;
  const small = frames.messages.filter(isSmall);
  const large = frames.messages.filter((frame) => !isSmall(frame));
  const types = new Set(frames.messages.map((frame) => frame.toString("latin1", 0, frame.indexOf(" "))));
  let heapBefore = 0;

  before(() => {
    const chance = new Chance(SEED);
    for (let i = 0; i < 20_000; i += 1) {
      const { decode, bytes } = randomCase(chance);
      take(decode, bytes);
    }
    heapBefore = heapBytes();
  });

  it("has real frames of every type to start from", () => {
    const all = [...TO_ALL, ...TO_ONE].map((topic) => topic.trim());
    assert.deepEqual([...types].sort(), all.sort());
    assert.ok(small.length > 0 && large.length > 0);
    for (const frame of frames.messages) assert.ok(readFrame(frame) !== undefined);
    for (const datagram of frames.beacons) assert.ok(typeof decodeBeacon(datagram, CLUSTER) === "object");
  });

  it(`survives ${RANDOM_CASES} cases of random bytes`, () => {
    const chance = new Chance(SEED + 1);
    for (let i = 0; i < RANDOM_CASES; i += 1) {
      const { decode, bytes } = randomCase(chance);
      take(decode, bytes);
    }
  });

  it(`survives ${MUTATED_CASES} mutations of real frames`, () => {
    const chance = new Chance(SEED + 2);
    const draw = (from: readonly Buffer[]): Buffer => from[chance.below(from.length)] ?? frames.messages[0];
    for (let i = 0; i < MUTATED_CASES; i += 1) {
      if (chance.below(3) === 0) {
        const datagram = chance.pick(frames.beacons);
        take(takeBeacon, mutated(datagram, chance, chance.pick(frames.beacons)));
      } else {
        const from = chance.below(40) === 0 ? large : small;
        take(takeMessage, mutated(draw(from), chance, draw(small)));
      }
    }
  });

  it(`survives ${GENERATED_CASES} mutations of generated frames`, () => {
    const chance = new Chance(SEED + 3);
    const someBytes = fc.oneof(
      beacon.map((original) => encodeBeacon({ ...original, cluster: CLUSTER })),
      { weight: 3, arbitrary: sent.map(({ message, to }) => encodeMessage(message, to)) },
    );
    const mutate = (frame: Buffer): void => {
      const isBeacon = frame.toString("latin1", 0, 3) === "LKV";
      take(isBeacon ? takeBeacon : takeMessage, mutated(frame, chance, chance.pick(frames.messages)));
    };
    fc.assert(fc.property(someBytes, mutate), { seed: SEED, numRuns: GENERATED_CASES - 200 });
    const lists = sentList.map(({ message, to }) => encodeMessage(message, to));
    fc.assert(fc.property(lists, mutate), { seed: SEED, numRuns: 200 });
  });

  it("has seen a million cases, accepted some, and kept nothing", () => {
    const grown = heapBytes() - heapBefore;
    assert.ok(cases >= 1_000_000, `${cases} cases`);
    assert.ok(accepted > cases / 100, `${accepted} accepted`);
    assert.ok(grown < GROWTH_BYTES_MAX, `${grown} bytes more`);
  });

  after(() => {
    console.log(
      `${cases} cases of seed ${SEED}, ${accepted} accepted, the slowest ${slowestMs.toFixed(1)} ms`,
    );
  });
});
