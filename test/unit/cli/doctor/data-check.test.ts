import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkSaving } from "../../../../src/cli/doctor/data-check.js";

describe("the check of saving", () => {
  it("fails when the daemon says why it cannot save", () => {
    const [finding] = checkSaving({ storage: { failing: "the disk is full" } });
    assert.equal(finding?.status, "fail");
    assert.match(finding.finding, /cannot save, and refuses writes: the disk is full\./);
  });

  it("has nothing to say when it can, or keeps nothing on disk", () => {
    for (const storage of [{ failing: null }, null, undefined])
      assert.deepEqual(checkSaving({ storage }), []);
  });
});
