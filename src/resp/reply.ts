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

/** Several replies, one after another, or none. */
export class Several {
  constructor(readonly replies: readonly Reply[]) {}
}

/** What is on the wire already. */
export class Encoded {
  constructor(readonly text: Bytes) {}
}

/** A reply that is always the same: it is put into its form on the wire once for each version of the protocol. */
export class Constant {
  readonly #reply: Reply;
  #resp2: Bytes | undefined;
  #resp3: Bytes | undefined;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  encode(protocol: Protocol): Bytes {
    if (protocol === 3) return (this.#resp3 ??= flat(encode(this.#reply, 3)));
    return (this.#resp2 ??= flat(encode(this.#reply, 2)));
  }
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
  | MapReply
  | SetReply
  | Push
  | Several
  | Encoded
  | Constant
  | readonly Reply[];

export const OK = new Simple("OK");
/** The command has no reply at all. */
export const NO_REPLY = new Several([]);

/** The longest reply. What is longer is refused before it is built: no string could hold the longest of them. */
export const REPLY_BYTES_MAX = 256 * 1_048_576;

/** What an item takes besides its bytes: its type, its length or digits, and line ends. */
const ITEM_BYTES = 32;

export const TOO_LONG = new ErrorReply(`ERR reply is larger than ${String(REPLY_BYTES_MAX)} bytes`);

/** As `encode`; an error instead of a reply that is too long. */
export function encodeBounded(reply: Reply, protocol: Protocol): Bytes {
  return encodeWithin(reply, protocol, REPLY_BYTES_MAX) ?? encode(TOO_LONG, protocol);
}

/** As `encode`; undefined for what is longer than so many bytes, unless it is a number or a line of the server's own. */
export function encodeWithin(reply: Reply, protocol: Protocol, bytesMax: number): Bytes | undefined {
  // Most replies are a single item, which needs no walk.
  if (reply instanceof Simple || typeof reply === "number" || reply instanceof ErrorReply) {
    return encode(reply, protocol);
  }
  const bytes = typeof reply === "string" ? reply.length : bytesOf(reply, protocol, bytesMax);
  return bytes > bytesMax ? undefined : encode(reply, protocol);
}

/** No less than `encode` makes of the values in a reply; of one that is too long, no less than the bound. */
function bytesOf(reply: Reply, protocol: Protocol, bytesMax: number): number {
  if (typeof reply === "string") return ITEM_BYTES + reply.length;
  if (typeof reply !== "object" || reply === null || reply instanceof Double) return ITEM_BYTES;
  if (reply instanceof Simple || reply instanceof ErrorReply || reply instanceof Verbatim) {
    return ITEM_BYTES + reply.text.length;
  }
  // Whoever encoded it has bounded it.
  if (reply instanceof Encoded) return 0;
  if (reply instanceof Constant) return reply.encode(protocol).length;
  let bytes = ITEM_BYTES;
  for (const item of itemsOf(reply)) {
    bytes += bytesOf(item, protocol, bytesMax);
    if (bytes > bytesMax) break;
  }
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
  if (reply instanceof Constant) return reply.encode(protocol);
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

/** The same text without the pieces that it was put together of. */
function flat(text: Bytes): Bytes {
  return Buffer.from(text, "latin1").toString("latin1");
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
