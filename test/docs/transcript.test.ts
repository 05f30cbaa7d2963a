import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { matches, toSteps } from "./transcript.js";

describe("a session in a document", () => {
  it("is commands, what is typed into them, and what they print", () => {
    const text = ["pi1$ lankv serve", "...", '$ echo "a', '> b"', "a", "b", "$ lankv repl", "lankv> 1", "1"];
    assert.deepEqual(toSteps(text.join("\n")), [
      { host: "pi1", command: "lankv serve", typed: [], expected: ["..."] },
      { host: "", command: 'echo "a\nb"', typed: [], expected: ["a", "b"] },
      { host: "", command: "lankv repl", typed: ["1"], expected: ["1"] },
    ]);
    assert.throws(() => toSteps("no command"), /begins with a command/);
  });

  it("is compared line by line, with wildcards", () => {
    assert.ok(matches([], []));
    assert.ok(!matches(["a"], []));
    assert.ok(!matches([], ["a"]));
    assert.ok(matches(["a.b (c)"], ["a.b (c)"]));
    assert.ok(!matches(["axb"], ["a.b"]));
    assert.ok(matches(["took 12 ms"], ["took ... ms"]));
    assert.ok(!matches(["took 12 s"], ["took ... ms"]));
    assert.ok(matches(["a", "b", "c"], ["a", "..."]));
    assert.ok(matches(["a"], ["a", "..."]));
    assert.ok(matches(["a", "b", "c"], ["...", "c"]));
    assert.ok(!matches(["a", "b"], ["...", "c"]));
  });
});
