/** A change of a key, in the forms in which it is shown. */
import { toJson } from "../resp/json.js";
import { toPrintableLine } from "./printable.js";
import { bytesOf, named } from "./replies.js";
import type { Colors } from "./terminal.js";

/** The event of a key that was there before anything changed. */
export const INITIAL = "initial";

export interface Change {
  /** In Redis's words, such as set, del, expired, incrby; or `INITIAL`. */
  readonly event: string;
  readonly key: Buffer;
  /** As `lankv get --json` shows it; undefined when the key is gone. */
  readonly entry: Readonly<Record<string, unknown>> | undefined;
}

/** The exact bytes of the value; undefined when the key is gone. */
export function valueOf({ entry }: Change): Buffer | undefined {
  return entry === undefined ? undefined : bytesOf(entry, "value");
}

/** The stable form for programs. */
export function changeToJson({ event, key, entry }: Change): string {
  return toJson({ event, ...(entry ?? { ...named("key", key), deleted: true }) });
}

/** The stable form for pipes: event, key and, unless the key is gone, value, with tabs between them and nothing unprintable. */
export function changeToLine(change: Change): string {
  const value = valueOf(change);
  const fields = [change.key, ...(value === undefined ? [] : [value])].map(toPrintableLine);
  return [toPrintableLine(Buffer.from(change.event)), ...fields].join("\t");
}

/**
 * The form for people: the time, the event, the key, and as much of the value as fits.
 * @param columns how wide the terminal is
 */
export function changeToRow(change: Change, now: Date, columns: number, colors: Colors): string {
  const time = now.toISOString();
  const event = toPrintableLine(Buffer.from(change.event)).padEnd(7);
  const key = toPrintableLine(change.key);
  const value = valueOf(change);
  const paint = value === undefined ? colors.red : change.event === INITIAL ? colors.dim : colors.green;
  const head = `${colors.dim(time)} ${paint(event)} ${colors.bold(key)}`;
  if (value === undefined) return head;
  return `${head}  ${toShort(toPrintableLine(value), columns - [time, event, key].join(" ").length - 2)}`;
}

/** By code points: half a surrogate pair could not be shown. */
function toShort(text: string, width: number): string {
  if (text.length <= width) return text;
  const start = [...text.slice(0, 2 * Math.max(width, 0))];
  return start.length <= width ? start.join("") : `${start.slice(0, Math.max(width - 1, 0)).join("")}…`;
}
