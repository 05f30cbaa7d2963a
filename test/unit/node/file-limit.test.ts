import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectionsMax, connectionsOf } from "../../../src/node/file-limit.js";

function limitsWith(soft: string): string {
  return `Limit    Soft Limit  Hard Limit  Units\nMax processes  9  9  processes\nMax open files            ${soft}                4096                 files\n`;
}

describe("the number of clients that the process can hold", () => {
  it("leaves the node files of its own", () => {
    assert.equal(connectionsOf(limitsWith("4096")), 3_840);
    assert.equal(connectionsOf(limitsWith("1024")), 768);
    assert.equal(connectionsOf(limitsWith("120")), 60);
    assert.equal(connectionsOf(limitsWith("1")), 1);
  });

  it("has no bound where none is told", async () => {
    assert.equal(connectionsOf(limitsWith("unlimited")), Infinity);
    assert.equal(connectionsOf(""), Infinity);
    assert((await connectionsMax()) > 0);
  });
});
