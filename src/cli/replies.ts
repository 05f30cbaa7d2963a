/** Replies of the daemon, narrowed to what a command returns. */
import { isUtf8 } from "node:buffer";

export function toBufferOrNull(reply: unknown): Buffer | null {
  if (reply === null || Buffer.isBuffer(reply)) return reply;
  throw unexpected(reply);
}

export function toText(reply: unknown): string {
  if (Buffer.isBuffer(reply)) return reply.toString("utf8");
  throw unexpected(reply);
}

export function toNumber(reply: unknown): number {
  return Number(toDigits(reply));
}

/** An integer, which may be too large for a number. */
export function toDigits(reply: unknown): string {
  if (typeof reply === "string") return reply;
  throw unexpected(reply);
}

export function toBuffers(reply: unknown): readonly Buffer[] {
  if (Array.isArray(reply)) return reply.map((item: unknown) => toBufferOrNull(item) ?? Buffer.alloc(0));
  throw unexpected(reply);
}

/** The object in a reply that is JSON. */
export function toObject(reply: unknown): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(toText(reply));
  if (isObject(parsed)) return parsed;
  throw unexpected(parsed);
}

/** The objects in a reply that is a JSON array. */
export function toObjects(reply: unknown): readonly Readonly<Record<string, unknown>>[] {
  const parsed: unknown = JSON.parse(toText(reply));
  if (Array.isArray(parsed) && parsed.every(isObject)) return parsed;
  throw unexpected(parsed);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The bytes as text under their name or, when they are not UTF-8, as base64 under `nameBase64`. */
export function named(name: "key", bytes: Buffer): Readonly<Record<string, string>> {
  return isUtf8(bytes) ? { [name]: bytes.toString("utf8") } : { [`${name}Base64`]: bytes.toString("base64") };
}

/** The bytes that an object has under a name, or as base64 under `nameBase64`; undefined when it has neither. */
export function bytesOf(
  object: Readonly<Record<string, unknown>>,
  name: "key" | "value",
): Buffer | undefined {
  const [text, base64] = [object[name], object[`${name}Base64`]];
  if (typeof text === "string") return Buffer.from(text);
  return typeof base64 === "string" ? Buffer.from(base64, "base64") : undefined;
}

function unexpected(reply: unknown): Error {
  return new Error(
    `The daemon answered ${JSON.stringify(reply) ?? "nothing"}, which this version of lankv does not understand.`,
  );
}
