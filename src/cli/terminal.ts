/** What is shown to people: colours and tables. */
import pico from "picocolors";
import type { GlobalFlags } from "./flags.js";

export type Colors = ReturnType<typeof pico.createColors>;

/** Colours for what goes to a stream: none when it is no terminal, or when they are not wanted. */
export function colorsFor(stream: NodeJS.WriteStream, { color }: Pick<GlobalFlags, "color">): Colors {
  const { NO_COLOR: noColor = "", TERM: term } = process.env;
  // A stream that is no terminal has no isTTY at all, and undefined would let the library decide.
  return pico.createColors(color && Boolean(stream.isTTY) && noColor === "" && term !== "dumb");
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
