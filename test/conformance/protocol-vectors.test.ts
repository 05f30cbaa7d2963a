/** The vectors of docs/protocol.md are what the code does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bucketOf, hex64, murmur3, versionHash } from "../../src/core/hash.js";
import { pushHeld } from "../../src/core/held.js";
import type { Message } from "../../src/core/message.js";
import type { Sums } from "../../src/core/fingerprints.js";
import { RecordMap } from "../../src/core/record-map.js";
import type { KvRecord } from "../../src/core/record.js";
import {
  stampToWallMs,
  textToVersion,
  TICKS_PER_MS,
  versionToText,
  type Version,
} from "../../src/core/version.js";
import { decodeBeacon, encodeBeacon } from "../../src/wire/beacon.js";
import { encodeMessage } from "../../src/wire/message.js";
import { readFrame } from "../received.js";
import { blocksOf } from "./project.js";

type Fields = Readonly<Record<string, unknown>>;

const blocks = blocksOf("docs/protocol.md").filter(({ info }) => info.startsWith("vectors "));

function vectorsOf(kind: string): readonly Fields[] {
  const lines = blocks
    .filter(({ info }) => info === `vectors ${kind}`)
    .flatMap(({ text }) => text.split("\n"));
  assert.ok(lines.length > 0, `there are no vectors ${kind}`);
  return lines.map(toFields);
}

function toFields(line: string): Fields {
  const parsed: unknown = JSON.parse(line);
  assert.ok(isFields(parsed));
  return parsed;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function text(value: unknown): string {
  assert.ok(typeof value === "string");
  return value;
}

function number(value: unknown): number {
  assert.ok(typeof value === "number");
  return value;
}

function bytes(hex: unknown): string {
  return Buffer.from(text(hex), "hex").toString("latin1");
}

function toHex(byteString: string): string {
  return Buffer.from(byteString, "latin1").toString("hex");
}

function hex32(word: number): string {
  return word.toString(16).padStart(8, "0");
}

function version(value: unknown): Version {
  const parsed = textToVersion(text(value));
  assert.ok(parsed !== undefined);
  return parsed;
}

function recordWith(key: string, ofVersion: Version): KvRecord {
  return { ...ofVersion, key, kind: "value", value: "", expiresAtMs: undefined, replaces: [] };
}

/** Sums as the document shows them: only those that are not 0, by index. */
function showSums(sums: Sums): Fields {
  const shown: Record<string, string> = {};
  for (let i = 0; i < sums.length / 2; i += 1) {
    const sum = hex64(sums[2 * i] ?? 0, sums[2 * i + 1] ?? 0);
    if (sum !== "0000000000000000") shown[String(i)] = sum;
  }
  return shown;
}

function showRecord({ key, kind, value, expiresAtMs, replaces, ...ofVersion }: KvRecord): Fields {
  return {
    key: toHex(key),
    kind,
    ...(kind === "value" ? { value: toHex(value) } : {}),
    version: versionToText(ofVersion),
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(replaces.length === 0 ? {} : { replaces: replaces.map(versionToText) }),
  };
}

/** A message as the document shows it. */
function show(message: Message): unknown {
  switch (message.type) {
    case "set":
      return { ...message, records: message.records.map(showRecord) };
    case "answer": {
      const { next, ...rest } = message;
      return { ...rest, ...(next === undefined ? {} : { next }), records: message.records.map(showRecord) };
    }
    case "list":
      return { ...message, sums: showSums(message.sums) };
    case "list_answer":
      return {
        ...message,
        groups: message.groups.map((group) => ({ ...group, sums: showSums(group.sums) })),
      };
    case "question": {
      const { ask } = message;
      if (ask.of === "stream") return message;
      if (ask.of === "keys") return { ...message, ask: { ...ask, keys: ask.keys.map(toHex) } };
      const spans = ask.spans.map((span) => ({ ...span, held: Array.from(span.held, hex32) }));
      return { ...message, ask: { ...ask, spans } };
    }
    case "publish":
      return {
        ...message,
        publications: message.publications.map(({ channel, payload }) => ({
          channel: toHex(channel),
          payload: toHex(payload),
        })),
      };
    case "tick":
    case "confirm":
    case "receipt":
      return message;
  }
}

describe("the vectors of the protocol", () => {
  it("are all of kinds that are checked", () => {
    const kinds = ["beacon", "buckets", "held", "map", "messages", "murmur3", "versions"];
    assert.deepEqual([...new Set(blocks.map(({ info }) => info.slice("vectors ".length)))].sort(), kinds);
  });

  it("hold for MurmurHash3", () => {
    for (const vector of vectorsOf("murmur3")) {
      assert.equal(hex32(murmur3(bytes(vector["bytes"]), number(vector["seed"]))), vector["murmur3"]);
    }
  });

  it("hold for buckets and clusters", () => {
    for (const { key, bucket, cluster, hash } of vectorsOf("buckets")) {
      if (key === undefined) assert.equal(hex32(murmur3(text(cluster), 0)), hash);
      else assert.equal(bucketOf(bytes(key)), bucket);
    }
  });

  it("hold for versions", () => {
    for (const vector of vectorsOf("versions")) {
      const stamp = number(vector["stamp"]);
      const parsed = version(vector["text"]);
      assert.deepEqual(parsed, { stamp, writer: vector["writer"] });
      assert.equal(versionToText(parsed), vector["text"]);
      assert.equal(stampToWallMs(stamp), vector["wallMs"]);
      assert.equal(stamp % TICKS_PER_MS, vector["tick"]);
      const { high, low } = versionHash(parsed.stamp, parsed.writer);
      assert.equal(hex64(high, low), vector["hash"]);
    }
  });

  it("hold for roots", () => {
    const map = new RecordMap(() => undefined);
    for (const { apply, root } of vectorsOf("map")) {
      assert.ok(isFields(apply));
      map.apply(recordWith(bytes(apply["key"]), version(apply["version"])));
      assert.equal(map.root, root);
    }
  });

  it("hold for what a question says is held", () => {
    for (const vector of vectorsOf("held")) {
      const words: number[] = [];
      const record = recordWith(bytes(vector["key"]), version(vector["version"]));
      pushHeld(words, record, number(vector["question"]));
      assert.deepEqual(words.map(hex32), vector["words"]);
    }
  });

  it("hold for beacons", () => {
    for (const { beacon, hex } of vectorsOf("beacon")) {
      assert.ok(isFields(beacon));
      const datagram = Buffer.from(text(hex), "hex");
      const decoded = decodeBeacon(datagram, number(beacon["cluster"]));
      assert.deepEqual(decoded, beacon);
      assert.ok(typeof decoded === "object");
      assert.equal(encodeBeacon(decoded).toString("hex"), hex);
    }
  });

  it("hold for messages that are shown whole", () => {
    const whole = vectorsOf("messages").filter((vector) => vector["hex"] !== undefined);
    assert.ok(whole.length >= 7);
    for (const { message, to, hex } of whole) {
      const decoded = readFrame(Buffer.from(text(hex), "hex"));
      assert.ok(decoded !== undefined);
      assert.deepEqual(show(decoded), message);
      assert.equal(encodeMessage(decoded, to === undefined ? undefined : text(to)).toString("hex"), hex);
    }
  });

  it("hold for messages that are shown by length and hash", () => {
    const long = vectorsOf("messages").filter((vector) => vector["hex"] === undefined);
    assert.deepEqual(
      long.map(({ message }) => isFields(message) && message["type"]),
      ["list", "list_answer"],
    );
    for (const vector of long) {
      const { message, to } = vector;
      assert.ok(isFields(message));
      const frame = encodeMessage(unshow(message), text(to));
      assert.equal(frame.length, vector["bytes"]);
      assert.equal(hex32(murmur3(frame.toString("latin1"), 0)), vector["murmur3"]);
      const decoded = readFrame(frame);
      assert.ok(decoded !== undefined);
      assert.deepEqual(show(decoded), message);
    }
  });
});

/** The sums that {@link showSums} showed. */
function unshowSums(shown: unknown): Sums {
  assert.ok(isFields(shown));
  const sums = new Uint32Array(512);
  for (const [index, sum] of Object.entries(shown)) {
    sums[2 * Number(index)] = Number.parseInt(text(sum).slice(0, 8), 16);
    sums[2 * Number(index) + 1] = Number.parseInt(text(sum).slice(8), 16);
  }
  return sums;
}

/** A list or list_answer from how the document shows it. */
function unshow(message: Fields): Message {
  const [from, id] = [text(message["from"]), number(message["id"])];
  if (message["type"] === "list") return { type: "list", from, id, sums: unshowSums(message["sums"]) };
  const shown: unknown = message["groups"];
  assert.ok(Array.isArray(shown));
  const groups = shown.filter(isFields).map(({ group, records, bytes: size, sums }) => ({
    group: number(group),
    records: number(records),
    bytes: number(size),
    sums: unshowSums(sums),
  }));
  return {
    type: "list_answer",
    from,
    id,
    part: number(message["part"]),
    last: message["last"] === true,
    groups,
  };
}
