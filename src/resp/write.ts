/** What all writing commands do: write, and tell of it. */
import type { Bytes } from "../core/bytes.js";
import { LIMITS } from "../core/bytes.js";
import { runsOutBy, type KvRecord } from "../core/record.js";
import { CommandError, type Context } from "./command.js";

/**
 * Writes a value and tells of a key that is new.
 * @throws {RangeError} the key or value is outside its bounds
 */
export function write(context: Context, key: Bytes, value: Bytes, expiresAtMs?: number): KvRecord {
  const isNew = context.hears("n") && !isHeld(context, key);
  const record = context.keyspace.set(key, value, expiresAtMs);
  if (isNew) context.notify("n", "new", key);
  return record;
}

function isHeld({ keyspace }: Context, key: Bytes): boolean {
  const held = keyspace.lastWrite(key);
  return held?.kind === "value" && !runsOutBy(held, keyspace.nowMs());
}

/** Writes another value under the same expiry. */
export function rewrite(context: Context, key: Bytes, value: Bytes, held: KvRecord | undefined): void {
  write(context, key, value, held?.expiresAtMs);
}

/** @returns whether the key held a value */
export function remove(context: Context, key: Bytes): boolean {
  const isRemoved = context.keyspace.delete(key);
  if (isRemoved) context.notify("g", "del", key);
  return isRemoved;
}

/**
 * Gives a value another expiry, or none; a time that is over deletes it.
 * @param expiresAtMs undefined = never
 */
export function setExpiry(context: Context, held: KvRecord, expiresAtMs: number | undefined): void {
  const { key, value } = held;
  if (expiresAtMs !== undefined && expiresAtMs <= context.keyspace.nowMs()) {
    remove(context, key);
    return;
  }
  context.keyspace.set(key, value, expiresAtMs);
  context.notify("g", expiresAtMs === undefined ? "persist" : "expire", key);
}

/** @throws {CommandError} a value of so many bytes would be too long; nothing has been allocated for it */
export function checkLength(bytes: number): void {
  if (bytes > LIMITS.valueBytesMax) {
    throw new CommandError(`ERR string exceeds maximum allowed size (${String(LIMITS.valueBytesMax)} bytes)`);
  }
}
