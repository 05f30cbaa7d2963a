/** Inline commands: a line typed by a person, with the quotes and escapes that redis-cli prints. */
import type { Bytes } from "../core/bytes.js";

/** A word: quoted either way, or up to the next blank. What follows a closing quote must be a blank. */
const WORD =
  /[ \t\r\0\v\f]*(?:"((?:[^"\\]|\\[^])*)"(?=[ \t\r\0\v\f]|$)|'((?:[^'\\]|\\[^])*)'(?=[ \t\r\0\v\f]|$)|([^ \t\r\0\v\f"'][^ \t\r\0\v\f"']*)(?=[ \t\r\0\v\f]|$))/y;

const BLANKS = " \t\r\0\v\f";

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/** The words of a line; undefined when its quotes do not match up. */
export function splitInline(line: Bytes): Bytes[] | undefined {
  const words: Bytes[] = [];
  // A pattern that ends with $ would be tried at every blank.
  let end = line.length;
  while (end > 0 && BLANKS.includes(line.charAt(end - 1))) end -= 1;
  WORD.lastIndex = 0;
  while (WORD.lastIndex < end) {
    const match = WORD.exec(line);
    if (match === null) return undefined;
    const [, double, single, bare] = match;
    if (double !== undefined) words.push(unescapeDouble(double));
    else if (single !== undefined) words.push(single.replaceAll("\\'", "'"));
    else words.push(bare ?? "");
  }
  return words;
}

function unescapeDouble(text: string): Bytes {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([^]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
