import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSyntax, type Argument } from "../../../src/resp/syntax.js";
import { commandTable } from "../../../src/resp/table.js";

const commands = [...commandTable.values()].flatMap((command) => [command, ...(command.subcommands ?? [])]);

/** The arguments in the notation that they were read from. */
function show(parsed: readonly Argument[]): string {
  return parsed.map(showOne).join(" ");
}

function showOne({ name, type, token, isOptional, isMultiple, parts = [] }: Argument): string {
  const value =
    type === "pure-token"
      ? ""
      : type === "oneof"
        ? parts.map(showOne).join(" | ")
        : type === "block"
          ? show(parts)
          : name;
  const isChoice = type === "oneof" && (token !== undefined || isOptional !== true);
  const once = [token, isChoice ? `<${value}>` : value]
    .filter((part) => part !== undefined && part !== "")
    .join(" ");
  const all = isMultiple ? `${once} [${once} ...]` : once;
  return isOptional ? `[${all}]` : all;
}

describe("the syntax of commands", () => {
  for (const { name, syntax } of commands) {
    it(`of ${name} is read as it is written`, () => {
      assert.equal(show(parseSyntax(syntax)), syntax);
    });
  }

  it("tells keys, numbers and words apart", () => {
    assert.deepEqual(parseSyntax("key value [NX | XX] [EX seconds]"), [
      { name: "key", type: "key" },
      { name: "value", type: "string" },
      {
        name: "nx-or-xx",
        type: "oneof",
        parts: [
          { name: "nx", type: "pure-token", token: "NX" },
          { name: "xx", type: "pure-token", token: "XX" },
        ],
        isOptional: true,
      },
      { name: "seconds", type: "integer", token: "EX", isOptional: true },
    ]);
    assert.deepEqual(parseSyntax("key value [key value ...]"), [
      {
        name: "key-value",
        type: "block",
        parts: [
          { name: "key", type: "key" },
          { name: "value", type: "string" },
        ],
        isMultiple: true,
      },
    ]);
  });

  it("repeats no more than is between the brackets", () => {
    assert.deepEqual(parseSyntax("<AND | NOT> destination key [key ...]").slice(1), [
      { name: "destination", type: "key" },
      { name: "key", type: "key", isMultiple: true },
    ]);
  });

  for (const wrong of ["[a", "a ]", "[]", "<a | >", "a | b"]) {
    it(`refuses ${wrong}`, () => {
      assert.throws(() => parseSyntax(wrong), SyntaxError);
    });
  }

  it("has as many arguments as the arity says at least", () => {
    for (const { name, syntax, arity, subcommands } of commands) {
      if (subcommands !== undefined) continue;
      const least = parseSyntax(syntax).map(leastWords);
      const words = least.reduce((sum, each) => sum + each, name.split("|").length);
      if (arity > 0) assert.equal(words, arity, name);
      else assert(words <= -arity, name);
    }
  });
});

/** How many words an argument takes when as much as possible is left out. */
function leastWords({ type, token, isOptional, parts = [] }: Argument): number {
  if (isOptional) return 0;
  const own = token === undefined ? 0 : 1;
  const sizes = parts.map(leastWords);
  if (type === "pure-token") return own;
  if (type === "oneof") return own + Math.min(...sizes);
  if (type === "block") return own + sizes.reduce((sum, each) => sum + each, 0);
  return own + 1;
}
