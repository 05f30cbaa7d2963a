import assert from "node:assert/strict";

/** The member of an object that came as JSON; undefined when there is none. */
export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

export function textMember(value: unknown, name: string): string {
  const found = member(value, name);
  assert(typeof found === "string", `${name} is a text in ${JSON.stringify(value)}`);
  return found;
}

export function numberMember(value: unknown, name: string): number {
  const found = member(value, name);
  assert(typeof found === "number", `${name} is a number in ${JSON.stringify(value)}`);
  return found;
}

export function listFrom(json: string): unknown[] {
  const parsed: unknown = JSON.parse(json);
  assert(Array.isArray(parsed), `a list: ${json}`);
  return parsed;
}
