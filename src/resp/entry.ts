/** Records as JSON: the stable form that `lankv get --json` and `lankv export` print. */
import { isUtf8 } from "node:buffer";
import type { Bytes } from "../core/bytes.js";
import type { Conflict } from "../core/conflicts.js";
import type { KvRecord } from "../core/record.js";
import { stampToWallMs, versionToText } from "../core/version.js";

/** What is known of a key. */
export function recordToEntry(record: KvRecord): object {
  return {
    ...named("key", record.key),
    ...(record.kind === "value" ? named("value", record.value) : { deleted: true }),
    ...writeOf(record),
  };
}

/** What is known of a key besides its value. */
export function recordToMeta(record: KvRecord): object {
  return { ...named("key", record.key), ...writeOf(record), bytes: record.value.length };
}

export function conflictToEntry({ winner, loser, foundAtMs }: Conflict): object {
  return {
    ...named("key", winner.key),
    foundAt: foundAtMs,
    winner: recordToEntry(winner),
    loser: recordToEntry(loser),
  };
}

/** The write that a record is of. */
function writeOf(record: KvRecord): object {
  return {
    version: versionToText(record),
    origin: record.writer,
    updatedAt: stampToWallMs(record.stamp),
    expiresAt: record.expiresAtMs ?? null,
  };
}

/** The bytes as text under their name or, when they are not UTF-8, as base64 under `nameBase64`. */
function named(name: "key" | "value", bytes: Bytes): object {
  const buffer = Buffer.from(bytes, "latin1");
  return isUtf8(buffer)
    ? { [name]: buffer.toString("utf8") }
    : { [`${name}Base64`]: buffer.toString("base64") };
}
