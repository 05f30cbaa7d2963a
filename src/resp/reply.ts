/** Replies: the values that commands return, and their form on the wire. */
import { isBytes, type Bytes } from "../core/bytes.js";

/** A short text of the server's own, such as OK. */
export class Simple {
  constructor(readonly text: string) {}
}

/** An error as the client shows it: a code in capitals, a space, and the sentence. */
export class ErrorReply {
  constructor(readonly text: string) {}
}

/** A map: keys and values in turn. In RESP2 an array of both. */
export class MapReply {
  constructor(readonly entries: readonly Reply[]) {}
}

/** A set; in RESP2 an array. */
export class SetReply {
  constructor(readonly members: readonly Reply[]) {}
}

/** A floating-point number; in RESP2 a bulk string. */
export class Double {
  constructor(readonly value: number) {}
}

/** A text for people; in RESP2 a bulk string. */
export class Verbatim {
  constructor(readonly text: Bytes) {}
}

/** What is sent without being a reply, such as a message of a channel. In RESP2 an array. */
export class Push {
  constructor(readonly items: readonly Reply[]) {}
}

/** A reply that is in its form on the wire already, the same in both versions of the protocol. */
export class Encoded {
  constructor(readonly text: Bytes) {}
}

/** Several replies, one after another, or none. */
export class Several {
  constructor(readonly replies: readonly Reply[]) {}
}

/** "No array", where RESP2 tells it from "no bulk string": an EXEC that was given up. */
export const NULL_ARRAY = Symbol("null array");

/** The version of the protocol that a connection speaks. */
export type Protocol = 2 | 3;

/** A byte string is a bulk string; a bigint is an integer; null is "nothing there"; a boolean is 1 or 0 in RESP2. */
export type Reply =
  | Bytes
  | number
  | bigint
  | boolean
  | null
  | typeof NULL_ARRAY
  | Simple
  | ErrorReply
  | Double
  | Verbatim
  | Encoded
  | MapReply
  | SetReply
  | Push
  | Several
  | readonly Reply[];

export const OK = new Simple("OK");
/** The command has no reply at all. */
export const NO_REPLY = new Several([]);

/** The longest reply. What is longer is refused before it is built: no string could hold the longest of them. */
export const REPLY_BYTES_MAX = 256 * 1_048_576;

/** What an item takes besides its bytes: its type, its length or digits, and line ends. */
const ITEM_BYTES = 32;

/** As `encode`; an error instead of a reply that is too long. */
export function encodeBounded(reply: Reply, protocol: Protocol): Bytes {
  // Most replies are a single item, which needs no walk.
  if (reply instanceof Simple || typeof reply === "number") return encode(reply, protocol);
  const bytes = typeof reply === "string" ? reply.length : bytesOf(reply);
  return encode(
    bytes > REPLY_BYTES_MAX
      ? new ErrorReply(`ERR reply is larger than ${String(REPLY_BYTES_MAX)} bytes`)
      : reply,
    protocol,
  );
}

/** No less than `encode` makes of the values in a reply. */
function bytesOf(reply: Reply): number {
  if (typeof reply === "string") return ITEM_BYTES + reply.length;
  if (typeof reply !== "object" || reply === null || reply instanceof Double) return ITEM_BYTES;
  if (
    reply instanceof Simple ||
    reply instanceof ErrorReply ||
    reply instanceof Verbatim ||
    reply instanceof Encoded
  ) {
    return ITEM_BYTES + reply.text.length;
  }
  let bytes = ITEM_BYTES;
  for (const item of itemsOf(reply)) bytes += bytesOf(item);
  return bytes;
}

type Aggregate = MapReply | SetReply | Push | Several | readonly Reply[];

function itemsOf(reply: Aggregate): readonly Reply[] {
  if (reply instanceof MapReply) return reply.entries;
  if (reply instanceof SetReply) return reply.members;
  if (reply instanceof Push) return reply.items;
  return reply instanceof Several ? reply.replies : reply;
}

/** The reply as it goes onto the wire. */
export function encode(reply: Reply, protocol: Protocol): Bytes {
  if (typeof reply === "string") return bulk(reply);
  if (typeof reply === "number" || typeof reply === "bigint") return `:${String(reply)}\r\n`;
  if (reply === null) return protocol === 3 ? "_\r\n" : "$-1\r\n";
  if (typeof reply === "boolean")
    return protocol === 3 ? `#${reply ? "t" : "f"}\r\n` : `:${reply ? "1" : "0"}\r\n`;
  if (reply === NULL_ARRAY) return protocol === 3 ? "_\r\n" : "*-1\r\n";
  if (reply instanceof Simple) return `+${reply.text}\r\n`;
  if (reply instanceof ErrorReply) return `-${toLine(reply.text)}\r\n`;
  if (reply instanceof Double)
    return protocol === 3 ? `,${doubleToText(reply.value)}\r\n` : bulk(doubleToText(reply.value));
  if (reply instanceof Verbatim) {
    return protocol === 3 ? `=${String(reply.text.length + 4)}\r\ntxt:${reply.text}\r\n` : bulk(reply.text);
  }
  if (reply instanceof Encoded) return reply.text;
  const items = itemsOf(reply);
  let encoded = head(reply, items.length, protocol);
  for (const item of items) encoded += encode(item, protocol);
  return encoded;
}

function head(reply: Aggregate, length: number, protocol: Protocol): Bytes {
  if (reply instanceof Several) return "";
  if (protocol === 3 && reply instanceof MapReply) return `%${String(length / 2)}\r\n`;
  const isSet = reply instanceof SetReply;
  const type = protocol === 2 ? "*" : isSet ? "~" : reply instanceof Push ? ">" : "*";
  return `${type}${String(length)}\r\n`;
}

function bulk(bytes: Bytes): Bytes {
  return `$${String(bytes.length)}\r\n${bytes}\r\n`;
}

/** As RESP3 writes it: the shortest digits, or `inf`, `-inf`, `nan`. */
function doubleToText(value: number): Bytes {
  if (Number.isFinite(value)) return String(value);
  if (Number.isNaN(value)) return "nan";
  return value > 0 ? "inf" : "-inf";
}

/** Errors are one line; they may quote what a client or a disk has said. */
function toLine(text: string): Bytes {
  const line = text.replace(/[\r\n]+/g, " ");
  return isBytes(line) ? line : textToBytes(line);
}

/** The UTF-8 bytes of a text. */
export function textToBytes(text: string): Bytes {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}
