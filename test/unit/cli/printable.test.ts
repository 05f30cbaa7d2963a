import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toPrintable, toPrintableLine, toPrintableText } from "../../../src/cli/printable.js";

describe("what is shown of bytes", () => {
  it("is text as it is, with line ends and tabs", () => {
    assert.equal(toPrintable(Buffer.from("grün\n\t日本")), "grün\n\t日本");
  });

  it("has control characters escaped, those of 8 bits too", () => {
    assert.equal(toPrintable(Buffer.from("\x1b[2J\x07\r\x7f\u009b")), "\\x1b[2J\\x07\\x0d\\x7f\\x9b");
  });

  it("is ASCII and escapes when it is not UTF-8", () => {
    assert.equal(toPrintable(Buffer.from([0x61, 0xff, 0xc3, 0xbc, 0x0a])), "a\\xff\\xc3\\xbc\n");
  });

  it("is one line where lines count", () => {
    assert.equal(toPrintableLine(Buffer.from("a\nb\tc")), "a\\x0ab\\x09c");
    assert.equal(toPrintableText("ü\n\u009b"), "ü\\x0a\\x9b");
  });
});
