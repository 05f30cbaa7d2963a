/** The same question about many keys, asked of a few at a time: neither end ever holds the answers to all of them. */
import type { Client } from "./client.js";
import { toBufferOrNull } from "./replies.js";

/** How many keys are asked for at once; each answer may be a value of the longest. */
export const KEYS_AT_ONCE = 64;

/** The answers about keys that are there, window by window. What was deleted meanwhile is left out. */
export async function* askEach(
  client: Pick<Client, "call">,
  command: "LANKV.ENTRY" | "LANKV.META",
  keys: readonly Buffer[],
): AsyncGenerator<Buffer[], void> {
  for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) {
    const wanted = keys.slice(at, at + KEYS_AT_ONCE);
    const replies = await Promise.all(wanted.map((key) => client.call(command, key)));
    yield replies.map(toBufferOrNull).filter((reply) => reply !== null);
  }
}
