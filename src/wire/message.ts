/**
 * The messages between nodes: one PUB/SUB frame each, topic and body together, because a second
 * frame would double the cost of receiving.
 *
 *     set           "set "                   from seq records
 *     publish       "publish "               from publications
 *     tick          "tick "                  from vitals
 *     question      "question RECEIVER "     from id budget ask
 *     answer        "answer RECEIVER "       from id part last next tail records
 *     list          "list RECEIVER "         from id, 256 sums
 *     list_answer   "list_answer RECEIVER "  from id part last groups
 *     confirm       "confirm RECEIVER "      from head
 *     receipt       "receipt RECEIVER "      from seq
 *
 * RECEIVER is the 16 hexadecimal digits of the receiver's writer, so that PUB filters and a message
 * reaches only the one that it is for. The topic ends with a space because subscriptions match prefixes.
 * The body starts with one byte, the version of the format, then the sender's writer in 8 bytes.
 * docs/protocol.md has every field and test vectors.
 */
import { BATCH_BYTES_MAX } from "../core/batch.js";
import { LIMITS, toFrame } from "../core/bytes.js";
import { BUCKETS_PER_GROUP, GROUPS } from "../core/hash.js";
import { HELD_WORDS } from "../core/held.js";
import type {
  AnswerMessage,
  Ask,
  ListAnswerMessage,
  ListedGroup,
  ListMessage,
  Message,
  MessageType,
  Publication,
  PublishMessage,
  QuestionMessage,
  ReceivedMessage,
  SetMessage,
  Span,
  TickMessage,
} from "../core/message.js";
import { publicationBytes } from "../core/outbox.js";
import type { StoredRecord } from "../core/record.js";
import type { Writer as WriterId } from "../core/version.js";
import { readVitals, VITALS_BYTES_MAX, writeVitals } from "./beacon.js";
import { Reader } from "./reader.js";
import { readRecords, recordsBytesMax, writeRecords } from "./records.js";
import { Writer } from "./writer.js";

const FORMAT = 1;
const HEADER_BYTES_MAX = 64;
const SEQ_MAX = Number.MAX_SAFE_INTEGER;
const ASKS = ["stream", "buckets", "keys"] as const;
const GROUP_BYTES = 2 * BUCKETS_PER_GROUP * 4 + 16;
const SPAN_BYTES_MIN = 5;
const KEY_BYTES_MIN = 2;
const PUBLICATION_BYTES_MIN = 2;
const LAST = 1;
const OMITS = 2;

/** No frame of this protocol is longer: a part of an answer may carry one record of the greatest size. */
export const MESSAGE_BYTES_MAX = LIMITS.valueBytesMax + 128 * 1024;

/** The topic of what was written. */
export const SET_TOPIC = "set ";

/** What a node subscribes to: everything for all, and what is for it. */
export function topicsOf(receiver: WriterId): readonly string[] {
  return [
    SET_TOPIC,
    "publish ",
    "tick ",
    ...["question", "answer", "list", "list_answer", "confirm", "receipt"].map(
      (type) => `${type} ${receiver} `,
    ),
  ];
}

/** The receiver in the topic that only a subscription to questions has; undefined for every other topic. */
export function subscriberOf(topic: string): WriterId | undefined {
  return /^question ([0-9a-f]{16}) $/.exec(topic)?.[1];
}

/** @param to the receiver; undefined for a message to all */
export function encodeMessage(message: Message, to: WriterId | undefined): Buffer {
  const writer = new Writer(HEADER_BYTES_MAX + bodyBytesMax(message));
  writer.ascii(to === undefined ? `${message.type} ` : `${message.type} ${to} `);
  writer.u8(FORMAT);
  writer.id(message.from);
  writeBody(writer, message);
  return writer.finish();
}

function bodyBytesMax(message: Message): number {
  switch (message.type) {
    case "set":
      return 8 + recordsBytesMax(message.records);
    case "tick":
      return VITALS_BYTES_MAX;
    case "question":
      return 16 + askBytesMax(message.ask);
    case "answer":
      return 40 + recordsBytesMax(message.records);
    case "list":
      return 8 + message.sums.length * 4;
    case "list_answer":
      return 16 + message.groups.length * (GROUP_BYTES + 16);
    case "publish":
      return message.publications.reduce(
        (sum, { channel, payload }) => sum + 16 + channel.length + payload.length,
        8,
      );
    case "confirm":
    case "receipt":
      return 8;
  }
}

function askBytesMax(ask: Ask): number {
  switch (ask.of) {
    case "stream":
      return 20;
    case "buckets":
      return ask.spans.reduce((sum, { held }) => sum + 16 + held.length * 4, 16);
    case "keys":
      return ask.keys.reduce((sum, key) => sum + 8 + key.length, 16);
  }
}

function writeBody(writer: Writer, message: Message): void {
  switch (message.type) {
    case "set":
      writer.varint(message.seq);
      writeRecords(writer, message.records);
      return;
    case "tick":
      writeVitals(writer, message.vitals);
      return;
    case "question":
      writer.u32(message.id);
      writer.varint(message.budgetBytes);
      writeAsk(writer, message.ask);
      return;
    case "answer":
      writer.u32(message.id);
      writer.varint(message.part);
      writer.u8((message.last ? LAST : 0) | (message.omits ? OMITS : 0));
      writer.varint(message.next === undefined ? 0 : message.next + 1);
      writer.varint(message.tail);
      writeRecords(writer, message.records);
      return;
    case "list":
      writer.u32(message.id);
      writer.words(message.sums);
      return;
    case "list_answer":
      writer.u32(message.id);
      writer.varint(message.part);
      writer.u8(message.last ? 1 : 0);
      writer.varint(message.groups.length);
      for (const { group, records, bytes, sums } of message.groups) {
        writer.u8(group);
        writer.varint(records);
        writer.varint(bytes);
        writer.words(sums);
      }
      return;
    case "publish":
      writer.varint(message.publications.length);
      for (const { channel, payload } of message.publications) {
        writer.bytes(channel);
        writer.bytes(payload);
      }
      return;
    case "confirm":
      writer.varint(message.head);
      return;
    case "receipt":
      writer.varint(message.seq);
  }
}

function writeAsk(writer: Writer, ask: Ask): void {
  writer.u8(ASKS.indexOf(ask.of));
  switch (ask.of) {
    case "stream":
      writer.varint(ask.range.from);
      writer.varint(ask.range.to);
      return;
    case "buckets":
      writer.varint(ask.spans.length);
      for (const { from, to, held } of ask.spans) {
        writer.u16(from);
        writer.u16(to);
        writer.varint(held.length / HELD_WORDS);
        writer.words(held);
      }
      return;
    case "keys":
      writer.varint(ask.keys.length);
      for (const key of ask.keys) writer.bytes(key);
  }
}

const TOPICS = /^(?:(set|publish|tick)|(question|answer|list|list_answer|confirm|receipt) [0-9a-f]{16}) /;
const TOPIC_BYTES_MAX = 29;

/** The message in a frame, which nobody may change from then on; undefined when it is malformed. */
export function decodeMessage(frame: Buffer): ReceivedMessage | undefined {
  if (frame.length > MESSAGE_BYTES_MAX) return undefined;
  const topic = TOPICS.exec(frame.toString("latin1", 0, TOPIC_BYTES_MAX));
  if (topic === null) return undefined;
  const type = messageType(topic[1] ?? topic[2]);
  const reader = new Reader(toFrame(frame), topic[0].length);
  if (type === undefined || reader.u8() !== FORMAT) return undefined;
  const message = readBody(reader, type, reader.id());
  return reader.done ? message : undefined;
}

function messageType(text: string | undefined): MessageType | undefined {
  switch (text) {
    case "set":
    case "publish":
    case "tick":
    case "question":
    case "answer":
    case "list":
    case "list_answer":
    case "confirm":
    case "receipt":
      return text;
    default:
      return undefined;
  }
}

function readBody(reader: Reader, type: MessageType, from: WriterId): ReceivedMessage {
  switch (type) {
    case "set":
      return readSet(reader, from);
    case "tick":
      return readTick(reader, from);
    case "question":
      return readQuestion(reader, from);
    case "answer":
      return readAnswer(reader, from);
    case "list":
      return readList(reader, from);
    case "list_answer":
      return readListAnswer(reader, from);
    case "publish":
      return readPublish(reader, from);
    case "confirm":
      return { type, from, head: reader.varint(SEQ_MAX, 1) };
    case "receipt":
      return { type, from, seq: reader.varint(SEQ_MAX, 1) };
  }
}

function readSet(reader: Reader, from: WriterId): SetMessage<StoredRecord> {
  const seq = reader.varint(SEQ_MAX, 1);
  return { type: "set", from, seq, records: readRecords(reader) };
}

/** Refuses what no batch holds: a frame full of empty publications would take long to tell. */
function readPublish(reader: Reader, from: WriterId): PublishMessage {
  const publications: Publication[] = [];
  let bytes = 0;
  for (let count = reader.count(PUBLICATION_BYTES_MIN); count > 0 && reader.ok; count -= 1) {
    const channel = reader.bytes(LIMITS.channelBytesMax);
    const publication = { channel, payload: reader.bytes(LIMITS.payloadBytesMax) };
    publications.push(publication);
    bytes += publicationBytes(publication);
    if (publications.length > 1 && bytes > BATCH_BYTES_MAX) reader.fail();
  }
  return { type: "publish", from, publications };
}

function readTick(reader: Reader, from: WriterId): TickMessage {
  const vitals = readVitals(reader);
  if (vitals.writer !== from) reader.fail();
  return { type: "tick", from, vitals };
}

function readQuestion(reader: Reader, from: WriterId): QuestionMessage {
  const id = reader.u32();
  const budgetBytes = reader.varint(SEQ_MAX);
  return { type: "question", from, id, budgetBytes, ask: readAsk(reader) };
}

function readAsk(reader: Reader): Ask {
  const of = ASKS[reader.u8()];
  switch (of) {
    case "stream": {
      const from = reader.varint(SEQ_MAX, 1);
      return { of: "stream", range: { from, to: reader.varint(SEQ_MAX, from) } };
    }
    case "buckets": {
      const spans: Span[] = [];
      for (let count = reader.count(SPAN_BYTES_MIN); count > 0 && reader.ok; count -= 1) {
        const from = reader.u16();
        const to = reader.u16();
        if (to < from || from <= (spans.at(-1)?.to ?? -1)) reader.fail();
        spans.push({ from, to, held: reader.words(HELD_WORDS * reader.count(4 * HELD_WORDS)) });
      }
      return { of: "buckets", spans };
    }
    case "keys": {
      const keys: string[] = [];
      for (let count = reader.count(KEY_BYTES_MIN); count > 0 && reader.ok; count -= 1) {
        keys.push(reader.bytes(LIMITS.keyBytesMax, 1));
      }
      return { of: "keys", keys };
    }
    default:
      reader.fail();
      return { of: "keys", keys: [] };
  }
}

function readAnswer(reader: Reader, from: WriterId): AnswerMessage<StoredRecord> {
  const id = reader.u32();
  const part = reader.varint(SEQ_MAX);
  const flags = reader.u8();
  if (flags > (LAST | OMITS)) reader.fail();
  const next = reader.varint(SEQ_MAX);
  const tail = reader.varint(SEQ_MAX);
  const records = readRecords(reader);
  return {
    type: "answer",
    from,
    id,
    part,
    last: (flags & LAST) !== 0,
    next: next === 0 ? undefined : next - 1,
    tail,
    omits: (flags & OMITS) !== 0,
    records,
  };
}

function readList(reader: Reader, from: WriterId): ListMessage {
  const id = reader.u32();
  return { type: "list", from, id, sums: reader.sums(GROUPS) };
}

function readListAnswer(reader: Reader, from: WriterId): ListAnswerMessage {
  const id = reader.u32();
  const part = reader.varint(SEQ_MAX);
  const last = readFlag(reader);
  const groups: ListedGroup[] = [];
  for (let count = reader.count(2 * BUCKETS_PER_GROUP * 4); count > 0 && reader.ok; count -= 1) {
    const group = reader.u8();
    const records = reader.varint(SEQ_MAX);
    const bytes = reader.varint(SEQ_MAX);
    groups.push({ group, records, bytes, sums: reader.sums(BUCKETS_PER_GROUP) });
  }
  return { type: "list_answer", from, id, part, last, groups };
}

function readFlag(reader: Reader): boolean {
  const flag = reader.u8();
  if (flag > 1) reader.fail();
  return flag === 1;
}
