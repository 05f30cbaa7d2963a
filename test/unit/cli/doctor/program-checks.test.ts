import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkNode, NODE_OLDEST } from "../../../../src/cli/doctor/program-checks.js";
import { textOf } from "../../../conformance/project.js";

describe("the check of Node.js", () => {
  it("goes by what package.json demands", () => {
    const description: unknown = JSON.parse(textOf("package.json"));
    assert(typeof description === "object" && description !== null && "engines" in description);
    assert.deepEqual(description.engines, { node: `>=${NODE_OLDEST}` });
  });

  it("compares number by number", () => {
    const [major = 0] = NODE_OLDEST.split(".").map(Number);
    assert.equal(checkNode(`${String(major - 1)}.99.99`).status, "fail");
    assert.equal(checkNode(`${NODE_OLDEST}.0`).status, "ok");
    assert.equal(checkNode(`${String(major + 1)}.0.0`).status, "ok");
    assert.equal(checkNode("9.9.9").status, "fail");
    assert.equal(checkNode().status, "ok");
  });
});
