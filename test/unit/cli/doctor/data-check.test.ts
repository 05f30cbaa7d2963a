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

  it("warns when only the flag said whose keys a directory holds", () => {
    const damage = { path: "/data/about.json.damaged-2026", clusterFrom: "option" };
    const [finding] = checkSaving({ cluster: "home", storage: { failing: null, damages: [damage] } });
    assert.equal(finding?.status, "warn");
    assert.match(String(finding.mend), /not of the cluster "home", stop the daemon/);
    assert.deepEqual(checkSaving({ storage: { damages: [{ ...damage, clusterFrom: "copy" }] } }), []);
  });

  it("has nothing to say when it can, or keeps nothing on disk", () => {
    for (const storage of [{ failing: null }, null, undefined])
      assert.deepEqual(checkSaving({ storage }), []);
  });
});
