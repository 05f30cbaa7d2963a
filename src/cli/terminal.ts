/** What is shown to people: colours, tables, and bytes that must not reach a terminal as they are. */
import { isUtf8 } from "node:buffer";
import pico from "picocolors";
import type { GlobalFlags } from "./flags.js";

export type Colors = ReturnType<typeof pico.createColors>;

/** Colours for what goes to a stream: none when it is no terminal, or when they are not wanted. */
export function colorsFor(stream: NodeJS.WriteStream, { color }: Pick<GlobalFlags, "color">): Colors {
  const { NO_COLOR: noColor, TERM: term } = process.env;
  return pico.createColors(color && stream.isTTY && (noColor ?? "") === "" && term !== "dumb");
}

/** The bytes as text, with control characters as \xNN; when they are not UTF-8, also all that is not ASCII. */
export function toPrintable(bytes: Buffer): string {
  return escape(bytes, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g);
}

/** As `toPrintable`, with line ends and tabs escaped too. */
export function toPrintableLine(bytes: Buffer): string {
  return escape(bytes, /[\x00-\x1f\x7f-\x9f]/g);
}

/** Rows under a head, aligned, without lines. */
export async function toTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<string> {
  const { default: Table } = await import("cli-table3");
  const none = { top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "" };
  const table = new Table({
    head: [...head],
    chars: {
      ...none,
      ...{ "bottom-left": "", "bottom-right": "", left: "", "left-mid": "", mid: "", "mid-mid": "" },
      ...{ right: "", "right-mid": "", middle: "  " },
    },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

function escape(bytes: Buffer, controls: RegExp): string {
  const hex = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  if (isUtf8(bytes)) return bytes.toString("utf8").replace(controls, hex);
  return bytes
    .toString("latin1")
    .replace(controls, hex)
    .replace(/[\x80-\xff]/g, hex);
}
