/** Replies: the values that commands return, and their form in RESP2. */
import { isBytes, type Bytes } from "../core/bytes.js";

/** A short text of the server's own, such as OK. */
export class Simple {
  constructor(readonly text: string) {}
}

/** An error as the client shows it: a code in capitals, a space, and the sentence. */
export class ErrorReply {
  constructor(readonly text: string) {}
}

/** A byte string is a bulk string; null is "nothing there". */
export type Reply = Bytes | number | null | Simple | ErrorReply | readonly Reply[];

export const OK = new Simple("OK");

/** The longest reply. What is longer is refused before it is built: no string could hold the longest of them. */
export const REPLY_BYTES_MAX = 256 * 1_048_576;

/** What an item takes besides its bytes: its type, its length or digits, and line ends. */
const ITEM_BYTES = 32;

/** As `encode`; an error instead of a reply that is too long. */
export function encodeBounded(reply: Reply): Bytes {
  const isTooLong = bytesOf(reply) > REPLY_BYTES_MAX;
  return encode(
    isTooLong ? new ErrorReply(`ERR reply is larger than ${String(REPLY_BYTES_MAX)} bytes`) : reply,
  );
}

/** No less than `encode` makes of the values in a reply. */
function bytesOf(reply: Reply): number {
  if (typeof reply === "string") return ITEM_BYTES + reply.length;
  if (typeof reply === "number" || reply === null) return ITEM_BYTES;
  if (reply instanceof Simple || reply instanceof ErrorReply) return ITEM_BYTES + reply.text.length;
  let bytes = ITEM_BYTES;
  for (const item of reply) bytes += bytesOf(item);
  return bytes;
}

/** The reply as it goes onto the wire. */
export function encode(reply: Reply): Bytes {
  if (typeof reply === "string") return `$${String(reply.length)}\r\n${reply}\r\n`;
  if (typeof reply === "number") return `:${String(reply)}\r\n`;
  if (reply === null) return "$-1\r\n";
  if (reply instanceof Simple) return `+${reply.text}\r\n`;
  if (reply instanceof ErrorReply) return `-${toLine(reply.text)}\r\n`;
  let encoded = `*${String(reply.length)}\r\n`;
  for (const item of reply) encoded += encode(item);
  return encoded;
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
