/** What came over the wire and what was told of it, with byte strings for keys and values: as those who check it read it. */
import type { Effect, Input } from "../src/core/effect.js";
import type { Message, ReceivedMessage } from "../src/core/message.js";
import { storedToRecord, type KvRecord } from "../src/core/record.js";
import { decodeMessage } from "../src/wire/message.js";

export type ReadInput = Exclude<Input, { type: "message" }> | { type: "message"; message: Message };

type Applied = Effect & { type: "applied" };
export type ReadApplied = Omit<Applied, "records"> & { readonly records: readonly KvRecord[] };
export type ReadEffect = Exclude<Effect, Applied> | ReadApplied;

export function readMessage(message: ReceivedMessage): Message {
  if (message.type === "set") return { ...message, records: message.records.map(storedToRecord) };
  if (message.type === "answer") return { ...message, records: message.records.map(storedToRecord) };
  return message;
}

export function readEffect(effect: Effect): ReadEffect {
  return effect.type === "applied" ? { ...effect, records: effect.records.map(storedToRecord) } : effect;
}

/** As `decodeMessage`. */
export function readFrame(frame: Buffer): Message | undefined {
  const message = decodeMessage(frame);
  return message === undefined ? undefined : readMessage(message);
}
