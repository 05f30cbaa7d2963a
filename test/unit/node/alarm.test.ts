import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Alarm } from "../../../src/node/alarm.js";
import { monoMs } from "../../../src/node/ambient.js";

/** An alarm, and its next ring. */
function alarmed(): { alarm: Alarm; ring: () => Promise<void> } {
  let wake = (): void => undefined;
  const alarm = new Alarm(() => {
    wake();
  });
  return { alarm, ring: () => new Promise((resolve) => (wake = resolve)) };
}

describe("an alarm", () => {
  it("rings at the earliest time that it was set to, and not before", async () => {
    const { alarm, ring } = alarmed();
    const atMs = monoMs() + 2;
    alarm.set(monoMs() + 1e9);
    alarm.set(atMs);
    alarm.set(monoMs() + 1e9);
    await ring();
    assert.ok(monoMs() >= atMs - 1);
  });

  it("rings again once it is set again", async () => {
    const { alarm, ring } = alarmed();
    for (let i = 0; i < 3; i += 1) {
      alarm.set(monoMs());
      await ring();
    }
  });

  it("does not ring once it was cleared, nor for a time that never comes", async () => {
    const [one, other] = [new Alarm(() => assert.fail("it rang")), alarmed()];
    one.set(monoMs() + 1);
    one.clear();
    one.set(Infinity);
    other.alarm.set(monoMs() + 3);
    await other.ring();
  });
});
