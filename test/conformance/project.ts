import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** The project's top level: these tests run compiled, three folders below it. */
export const root = path.resolve(import.meta.dirname, "../../..");

export function textOf(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}

/** The TypeScript files below a folder, relative to the top level. */
export function sourcesOf(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => path.posix.join(folder, file.split(path.sep).join("/")))
    .sort();
}

interface Block {
  /** The words behind the opening fence. */
  readonly info: string;
  readonly text: string;
  /** The heading that it stands under. */
  readonly heading: string;
}

/** The fenced blocks of a document. */
export function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let open: { readonly info: string; readonly lines: string[] } | undefined;
  for (const line of textOf(file).split("\n")) {
    if (open !== undefined) {
      if (line === "```") {
        blocks.push({ info: open.info, text: open.lines.join("\n"), heading });
        open = undefined;
      } else open.lines.push(line);
    } else if (line.startsWith("```")) open = { info: line.slice(3), lines: [] };
    else if (/^#+ /.test(line)) heading = line.replace(/^#+ /, "");
  }
  return blocks;
}

/** The rows of the tables of a document, as the texts of their cells; headers and rules left out. */
export function rowsOf(text: string): string[][] {
  const rows: string[][] = [];
  const lines = text.split("\n");
  lines.forEach((line, at) => {
    const isRule = /^\|[-|: ]+\|$/.test(line);
    const isHeader = /^\|[-|: ]+\|$/.test(lines[at + 1] ?? "");
    if (!line.startsWith("|") || isRule || isHeader) return;
    rows.push(
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  });
  return rows;
}
