import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { globToPredicate, PATTERN_BYTES_MAX } from "../../../src/resp/glob.js";

describe("a glob pattern", () => {
  for (const [pattern, matching, others] of [
    ["*", ["", "a", "a\nb"], []],
    ["robots/*", ["robots/", "robots/1/x"], ["robots", "a robots/1"]],
    ["h?llo", ["hello", "h\xffllo", "h\nllo"], ["hllo", "heello"]],
    ["h*llo", ["hllo", "heeello"], ["hllo!"]],
    ["*a*b*", ["ab", "xaxbx", "aab"], ["ba", ""]],
    ["h[ae]llo", ["hello", "hallo"], ["hillo", "h[ae]llo"]],
    ["h[^e]llo", ["hallo"], ["hello", "hllo"]],
    ["h[a-c]llo", ["hallo", "hcllo"], ["hdllo", "h-llo"]],
    ["h[c-a]llo", ["hbllo"], ["hdllo"]],
    ["\\*\\?", ["*?"], ["ab", "\\*\\?"]],
    ["[\\]]", ["]"], ["\\"]],
    ["a.c+", ["a.c+"], ["abc", "a.ccc"]],
    ["[\\a-c]", ["a", "-", "c"], ["b"]],
    ["", [""], ["a"]],
    ["[ab", ["a", "b"], ["c", ""]],
    ["x[", [], ["x", "x["]],
    ["x[^", ["xa"], ["x"]],
    ["[]a", [], ["a", "]a"]],
    ["a\\", ["a\\"], ["a"]],
    ["*[0-9]?", ["1x", "a12"], ["1", "x1"]],
    ["**a**", ["a", "bab"], ["b"]],
  ] as const) {
    it(`${JSON.stringify(pattern)} matches what it says and nothing else`, () => {
      const matches = globToPredicate(pattern);
      for (const text of matching) assert(matches(text), JSON.stringify(text));
      for (const text of others) assert(!matches(text), JSON.stringify(text));
    });
  }

  it("costs no more than the pattern times the text", () => {
    assert(!globToPredicate(`${"a*".repeat(50)}b`)("a".repeat(1_000)));
  });

  it("is no longer than its bound", () => {
    assert(globToPredicate("a".repeat(PATTERN_BYTES_MAX))("a".repeat(PATTERN_BYTES_MAX)));
    assert.throws(() => globToPredicate("a".repeat(PATTERN_BYTES_MAX + 1)), RangeError);
  });
});
