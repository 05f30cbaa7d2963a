/** Inline commands: a line typed by a person, with the quotes and escapes that redis-cli prints. */
import type { Bytes } from "../core/bytes.js";

const BLANKS = " \t\r\n\0\v\f";

/** What a word begins with, up to a quote or a blank. */
const BARE = /[^ \t\r\n\0"']*/y;
const DOUBLE_QUOTED = /"((?:[^"\\]|\\[^])*)"/y;
const SINGLE_QUOTED = /'((?:[^'\\]|\\'|\\(?!'))*)'/y;

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", a: "\x07" };

/**
 * The words of a line; undefined when its quotes do not match up. A word may end in quotes, and what follows them must
 * be a blank: `a"b c"` is one word, `a"b"c` is none.
 */
export function splitInline(line: Bytes): Bytes[] | undefined {
  const words: Bytes[] = [];
  let at = skipBlanks(line, 0);
  while (at < line.length) {
    const bare = matchAt(BARE, line, at)?.[0] ?? "";
    at += bare.length;
    const quote = line[at];
    if (quote === '"' || quote === "'") {
      const [whole, inside] = matchAt(quote === '"' ? DOUBLE_QUOTED : SINGLE_QUOTED, line, at) ?? [];
      if (whole === undefined || inside === undefined) return undefined;
      at += whole.length;
      if (at < line.length && !BLANKS.includes(line.charAt(at))) return undefined;
      words.push(bare + (quote === '"' ? unescapeDouble(inside) : inside.replaceAll("\\'", "'")));
    } else {
      words.push(bare);
    }
    at = skipBlanks(line, at);
  }
  return words;
}

function skipBlanks(line: Bytes, from: number): number {
  let at = from;
  while (at < line.length && BLANKS.includes(line.charAt(at))) at += 1;
  return at;
}

function matchAt(pattern: RegExp, line: Bytes, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(line);
}

function unescapeDouble(text: string): Bytes {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([^]))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
