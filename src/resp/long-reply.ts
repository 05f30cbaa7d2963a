/** Replies of many keys, encoded with a turn for others in between: half a million at once would take a fifth of a second. */
import { setImmediate } from "node:timers/promises";
import type { Bytes } from "../core/bytes.js";
import { encode, Encoded, REPLY_BYTES_MAX, type Reply } from "./reply.js";

/** How many keys are encoded before others get a turn. */
const KEYS_A_TURN = 16_384;

/** An array of keys. One that is too long for a reply is left as it is, for it is refused before it is encoded. */
export async function toLongReply(keys: readonly Bytes[], keysATurn = KEYS_A_TURN): Promise<Reply> {
  if (keys.length <= keysATurn) return keys;
  const parts = [`*${String(keys.length)}\r\n`];
  let bytes = 0;
  for (let from = 0; from < keys.length; from += keysATurn) {
    await setImmediate();
    const part = keys
      .slice(from, from + keysATurn)
      .map((key) => encode(key, 2))
      .join("");
    bytes += part.length;
    if (bytes > REPLY_BYTES_MAX) return keys;
    parts.push(part);
  }
  return new Encoded(parts.join(""));
}
