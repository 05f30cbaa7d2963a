import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkClock } from "../../../../src/cli/doctor/clock-check.js";

const nowMs = Date.UTC(2026, 0);

function judge(...offsets: readonly number[]): string[] {
  const others = offsets.map((offsetMs, index) => ({ name: `h${String(index + 2)}`, offsetMs }));
  return checkClock(others, nowMs).map(({ status, finding }) => `${status} ${finding}`);
}

describe("the check of the clocks", () => {
  it("says nothing when there is nobody to compare with", () => {
    assert.deepEqual(judge(), []);
  });

  it("takes two seconds for nothing", () => {
    assert.deepEqual(judge(2_000), ["ok The clocks of this machine and h2 agree."]);
    assert.deepEqual(judge(-2_000, 0, 1_999), ["ok The clocks of this machine and 3 other nodes agree."]);
  });

  it("blames neither of two", () => {
    assert.deepEqual(judge(2_001), ["warn This machine's clock is 2s behind that of h2."]);
    assert.deepEqual(judge(-3_600_000), ["fail This machine's clock is 1h ahead of that of h2."]);
  });

  it("blames who is alone with its time", () => {
    assert.deepEqual(judge(10_000, 10_010), ["warn This machine: its clock is 10s behind most others."]);
    assert.deepEqual(judge(0, -86_400_000, 5), ["fail h3: its clock is 1d behind most others."]);
    assert.deepEqual(judge(5_000, 90_000, 5_000), [
      "warn This machine: its clock is 5s behind most others.",
      "fail h3: its clock is 1m ahead of most others.",
    ]);
  });

  it("sees that a clock was never set", () => {
    const [finding] = checkClock([], 86_400_000);
    assert.equal(finding?.status, "fail");
    assert.match(finding.finding, /1970-01-02.*never set/);
  });
});
