import path from "node:path";

/**
 * A reporter for `node --test` that writes one JSON line an event, for scripts/test.mjs to count:
 * `{ kind, name, file }`. A `begin` has an `end` unless the test hangs; each test has one of `pass`, `fail`
 * and `skip`. A suite counts only where its tests could not: it was skipped, or itself failed.
 */
export default async function* report(events) {
  for await (const { type, data } of events) {
    const kind = kindOf(type, data);
    if (kind !== undefined) yield `${JSON.stringify({ kind, name: data.name, file: data.file })}\n`;
  }
}

function kindOf(type, data) {
  if (type === "test:dequeue") return "begin";
  if (type === "test:complete") return "end";
  if (type !== "test:pass" && type !== "test:fail") return undefined;
  if (data.skip !== undefined || data.todo !== undefined) return "skip";
  if (type === "test:fail") {
    const ofItsTests = data.details.error?.failureType === "subtestsFailed";
    return data.details.type === "suite" && ofItsTests ? undefined : "fail";
  }
  if (data.details.type === "suite") return undefined;
  // Node reports a file in which it found no test as one passed test, named after the file.
  return isWholeFile(data.name) ? "fail" : "pass";
}

/** Whether a test is not one that somebody wrote but the file: what Node reports of a crash or a hang. */
export function isWholeFile(name) {
  return path.isAbsolute(name) && name.endsWith(".test.js");
}
