import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { Log } from "../../../src/cli/log.js";
import { colorsFor } from "../../../src/cli/terminal.js";

const colors = colorsFor(process.stderr, { color: false });

function logged(isJson: boolean, log: (log: Log) => void): string {
  const stream = new PassThrough();
  log(new Log(stream, { level: "info", isJson, colors }));
  return String(stream.read());
}

describe("the log", () => {
  for (const isJson of [false, true]) {
    it(`passes on nothing that a terminal would obey${isJson ? ", in JSON neither" : ""}`, () => {
      const line = logged(isJson, (log) => {
        log.info("peer up: \x1b[2J\u009b31m", { address: "\x1b]0;x\x07", version: "a\u009b b" });
      });
      assert.match(line, /^[ -~]+\n$/);
      assert.match(line, /31m/);
    });
  }

  it("keeps a message on one line", () => {
    const line = logged(false, (log) => {
      log.error("one\n  two", { data: "in memory only" });
    });
    assert.match(line, /Z error one two data="in memory only"\n$/);
  });
});
