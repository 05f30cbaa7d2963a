/**
 * A line of JSON Lines, and the command that writes it.
 *
 *     {"key":"one","value":"111"}      {"keyBase64":"/w==","valueBase64":"AP8=","expiresAt":1767225600000}
 */
import { isUtf8 } from "node:buffer";
import type { Argument } from "./client.js";
import { LINE_BYTES_MAX } from "./lines.js";
import { isObject } from "./replies.js";

/** Why a line cannot be imported. */
export class BadLine extends Error {
  override readonly name = "BadLine";
}

/** What a line says. */
export interface LineEntry {
  readonly key: Buffer;
  readonly value: Buffer;
  /** As text; undefined when it says none. */
  readonly version: string | undefined;
  /** Unix milliseconds; undefined = never. */
  readonly expiresAtMs: number | undefined;
}

/**
 * @param text undefined = the line was too long
 * @throws {BadLine}
 */
export function toEntry(text: Buffer | undefined): LineEntry {
  const { key, keyBase64, value, valueBase64, version, expiresAt } = toMembers(text);
  const keyBytes = toBytes(key, keyBase64);
  const valueBytes = toBytes(value, valueBase64);
  if (keyBytes === undefined) throw new BadLine('it has no "key" or "keyBase64" that is a string');
  if (valueBytes === undefined) throw new BadLine('it has no "value" or "valueBase64" that is a string');
  return {
    key: keyBytes,
    value: valueBytes,
    version: typeof version === "string" ? version : undefined,
    expiresAtMs: toExpiry(expiresAt),
  };
}

/**
 * The command that writes an entry.
 * @param onlyOver write only over what is older than the entry's version; the reply is null when it is not
 * @throws {BadLine} its version is needed, and it has none
 */
export function toCommand({ key, value, version, expiresAtMs }: LineEntry, onlyOver: boolean): Argument[] {
  const expiry: Argument[] = expiresAtMs === undefined ? [] : ["PXAT", expiresAtMs];
  if (!onlyOver) return ["SET", key, value, ...expiry];
  if (version === undefined) throw new BadLine('it has no "version", which --update goes by');
  return ["LANKV.SET", key, value, "IFOLDER", version, ...expiry];
}

function toMembers(text: Buffer | undefined): Readonly<Record<string, unknown>> {
  if (text === undefined) throw new BadLine(`it has more than ${String(LINE_BYTES_MAX)} bytes`);
  // Decoding would put other characters in the place of what is not.
  if (!isUtf8(text)) throw new BadLine("it is not UTF-8; other bytes go into keyBase64 and valueBase64");
  let entry: unknown;
  try {
    entry = JSON.parse(text.toString("utf8"));
  } catch (cause) {
    throw new BadLine("it is not JSON", { cause });
  }
  if (!isObject(entry)) throw new BadLine("it is not a JSON object");
  return entry;
}

function toBytes(text: unknown, base64: unknown): Buffer | undefined {
  if (typeof text === "string") {
    if (/\p{Surrogate}/u.test(text)) throw new BadLine("it has half a character, which no UTF-8 can hold");
    return Buffer.from(text);
  }
  if (typeof base64 !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  return Buffer.from(base64, "base64");
}

function toExpiry(expiresAt: unknown): number | undefined {
  if (expiresAt === undefined || expiresAt === null) return undefined;
  if (typeof expiresAt === "number" && Number.isSafeInteger(expiresAt) && expiresAt >= 1) return expiresAt;
  throw new BadLine('"expiresAt" is not a time in Unix milliseconds');
}
