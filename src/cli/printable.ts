/** Bytes that must not reach a terminal as they are. */
import { isUtf8 } from "node:buffer";

/** The bytes as text, with control characters as \xNN; when they are not UTF-8, also all that is not ASCII. */
export function toPrintable(bytes: Buffer): string {
  return escape(bytes, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g);
}

/** As `toPrintable`, with line ends and tabs escaped too. */
export function toPrintableLine(bytes: Buffer): string {
  return escape(bytes, /[\x00-\x1f\x7f-\x9f]/g);
}

/** A text that others chose, as one line. */
export function toPrintableText(text: string): string {
  return toPrintableLine(Buffer.from(text));
}

function escape(bytes: Buffer, controls: RegExp): string {
  const hex = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  if (isUtf8(bytes)) return bytes.toString("utf8").replace(controls, hex);
  return bytes
    .toString("latin1")
    .replace(controls, hex)
    .replace(/[\x80-\xff]/g, hex);
}
