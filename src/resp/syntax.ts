/**
 * Reads the notation in which the table writes the arguments of a command, that of Redis's documentation:
 *
 *     key value [NX | XX] [GET] [EX seconds | PX milliseconds] [name [name ...]]
 *
 * Words in capitals are meant as they are, a word in small letters stands for a value, brackets hold what may be left
 * out, angle brackets and bars a choice, and `[x ...]` behind x says that x may be repeated. COMMAND DOCS gives
 * clients the result, and redis-cli shows its hints from it.
 */

export interface Argument {
  readonly name: string;
  readonly type: "key" | "string" | "integer" | "unix-time" | "pattern" | "pure-token" | "oneof" | "block";
  /** The word that comes before it, or that it is. */
  readonly token?: string;
  readonly isOptional?: true;
  readonly isMultiple?: true;
  /** Of a choice or a block. */
  readonly parts?: readonly Argument[];
}

const WORDS = /[^\s[\]<>|]+|[[\]<>|]/g;
const TOKEN = /^[A-Z]/;

const TYPES: Readonly<Record<string, Argument["type"]>> = {
  key: "key",
  key1: "key",
  key2: "key",
  newkey: "key",
  source: "key",
  destination: "key",
  pattern: "pattern",
};
const INTEGER =
  /(?:^|-)(?:seconds|milliseconds|increment|decrement|offset|start|end|count|cursor|index|len|limit)$/;

/** @throws {SyntaxError} it is not written so */
export function parseSyntax(syntax: string): readonly Argument[] {
  const words = syntax.match(WORDS) ?? [];
  const reader = new SyntaxReader(words);
  const parsed = reader.sequence();
  if (reader.next !== undefined) throw new SyntaxError(`unexpected "${reader.next}" in "${syntax}"`);
  return parsed;
}

class SyntaxReader {
  readonly #words: readonly string[];
  #at = 0;

  constructor(words: readonly string[]) {
    this.#words = words;
  }

  get next(): string | undefined {
    return this.#words[this.#at];
  }

  /** Arguments one after another, up to a bar or a closing bracket. */
  sequence(): readonly Argument[] {
    const items: Argument[] = [];
    for (let word = this.next; word !== undefined && !["]", ">", "|"].includes(word); word = this.next) {
      if (word === "[" && this.#isRepetition()) {
        items.push({ ...block(items.splice(-this.#repetition().length)), isMultiple: true });
      } else {
        items.push(this.#item());
      }
    }
    return items;
  }

  #item(): Argument {
    const word = this.next ?? "";
    this.#at += 1;
    if (word === "[") return { ...this.#choice("]"), isOptional: true };
    if (word === "<") return this.#choice(">");
    if (!TOKEN.test(word)) return { name: word, type: typeOf(word) };
    const value = this.next;
    if (value === "<") {
      this.#at += 1;
      return { ...this.#choice(">"), token: word };
    }
    if (value === undefined || !/^[a-z]/.test(value)) return pureToken(word);
    this.#at += 1;
    return { name: value, type: typeOf(value), token: word };
  }

  /** Sequences with bars between them, up to the closing bracket. */
  #choice(end: string): Argument {
    const choices: Argument[] = [];
    do {
      choices.push(block(this.sequence()));
    } while (this.#take("|"));
    if (!this.#take(end)) throw new SyntaxError(`"${end}" is missing`);
    const [only] = choices;
    if (only !== undefined && choices.length === 1) return only;
    return { name: choices.map(({ name }) => name).join("-or-"), type: "oneof", parts: choices };
  }

  #take(word: string): boolean {
    if (this.next !== word) return false;
    this.#at += 1;
    return true;
  }

  /** What stands before the dots between the brackets here. */
  #repetition(): readonly Argument[] {
    this.#at += 1;
    const repeated = this.sequence().slice(0, -1);
    this.#at += 1;
    return repeated;
  }

  /** Whether the bracket here closes before another opens, and with dots before it. */
  #isRepetition(): boolean {
    const end = this.#words.indexOf("]", this.#at);
    const inner = this.#words.indexOf("[", this.#at + 1);
    return this.#words[end - 1] === "..." && (inner < 0 || inner > end);
  }
}

function block(items: readonly Argument[]): Argument {
  const [only] = items;
  if (only === undefined) throw new SyntaxError("nothing stands between brackets or bars");
  if (items.length === 1) return only;
  return { name: items.map(({ name }) => name).join("-"), type: "block", parts: items };
}

function pureToken(token: string): Argument {
  return { name: token.toLowerCase(), type: "pure-token", token };
}

function typeOf(name: string): Argument["type"] {
  if (name.startsWith("unix-time")) return "unix-time";
  return TYPES[name] ?? (INTEGER.test(name) ? "integer" : "string");
}
