import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkSaving } from "../../../../src/cli/doctor/data-check.js";

describe("the check of saving", () => {
  it("fails when the daemon says why it cannot save", () => {
    const [finding] = checkSaving({ storage: { failing: "the disk is full" } });
    assert.equal(finding?.status, "fail");
    assert.match(finding.finding, /cannot save, and refuses writes: the disk is full\./);
  });

  it("warns of each file that cannot be cleaned, and why", () => {
    const stuck = [
      { path: "/data/log/00000001-5a17c0de.log", reason: "this user may not read or remove it" },
    ];
    const [finding] = checkSaving({ storage: { failing: null, stuck } });
    assert.equal(finding?.status, "warn");
    assert.match(finding.finding, /cannot clean \S+1-5a17c0de\.log: this user may not read or remove it\./);
  });

  it("has nothing to say when it can, or keeps nothing on disk", () => {
    for (const storage of [{ failing: null }, null, undefined])
      assert.deepEqual(checkSaving({ storage }), []);
  });
});
