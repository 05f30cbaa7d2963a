import assert from "node:assert/strict";
import { isObject } from "../../src/cli/replies.js";

type Json = Readonly<Record<string, unknown>>;

/** The object that a command printed. */
export function objectFrom(text: string): Json {
  const parsed: unknown = JSON.parse(text);
  assert(isObject(parsed), text);
  return parsed;
}

/** The array of objects that a command printed. */
export function objectsFrom(text: string): readonly Json[] {
  const parsed: unknown = JSON.parse(text);
  assert(Array.isArray(parsed) && parsed.every(isObject), text);
  return parsed;
}
