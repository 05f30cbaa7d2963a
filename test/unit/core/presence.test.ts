/** Which address a peer is connected to, where it is heard from several. */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { Beacon } from "../../../src/core/message.js";
import { GONE_AFTER_MS, Presence, QUIET_AFTER_MS, RECONNECT_AFTER_MS } from "../../../src/core/presence.js";

const WRITER = "00000000000000bb";

/** The peer, and what relays its datagrams. */
const ITS_OWN = "10.0.0.2";
const RELAY = "172.17.0.1";

const BEACON: Beacon = {
  ...{ nodeId: "00000000000000aa", writer: WRITER, wallMs: 0, head: 0, root: "0".repeat(16), keys: 0 },
  ...{ state: "live", cluster: 1, name: "b", port: 7381, advertise: "", software: "" },
  ...{ hello: false, goodbye: false },
};

describe("a peer that is heard from two addresses", () => {
  let presence: Presence;
  let effects: string[];
  let nowMs: number;

  beforeEach(() => {
    effects = [];
    nowMs = 1_000_000;
    presence = new Presence((effect) => {
      if (effect.type === "connect" || effect.type === "disconnect")
        effects.push(`${effect.type} ${effect.endpoint}`);
    });
  });

  /** Lets time pass, a beacon a second from each of the addresses. */
  function pass(ms: number, from: readonly string[], andThen: () => void = () => undefined): void {
    for (const untilMs = nowMs + ms; nowMs < untilMs;) {
      nowMs += 1_000;
      const now = { monoMs: nowMs, wallMs: nowMs };
      for (const address of from) presence.handleBeacon(BEACON, address, now);
      andThen();
      presence.handleWake(now);
    }
  }

  it("is connected to at the other when no message comes from the first, and so on in turn", () => {
    pass(1_000, [RELAY, ITS_OWN]);
    assert.deepEqual(effects, [`connect tcp://${RELAY}:7381`]);
    for (const [left, taken] of [
      [RELAY, ITS_OWN],
      [ITS_OWN, RELAY],
      [RELAY, ITS_OWN],
    ] as const) {
      effects = [];
      pass(RECONNECT_AFTER_MS, [RELAY, ITS_OWN]);
      assert.deepEqual(effects, [`disconnect tcp://${left}:7381`, `connect tcp://${taken}:7381`]);
    }
  });

  it("stays where its messages come from, and is sought there first when they stop", () => {
    pass(1_000, [ITS_OWN, RELAY]);
    pass(10_000, [RELAY, ITS_OWN], () => presence.handleMessage(WRITER, nowMs));
    effects = [];
    pass(RECONNECT_AFTER_MS, [RELAY, ITS_OWN]);
    assert.deepEqual(effects, [`disconnect tcp://${ITS_OWN}:7381`, `connect tcp://${ITS_OWN}:7381`]);
  });

  it("is not sought where it has not been heard of late", () => {
    pass(1_000, [ITS_OWN]);
    pass(1_000, [RELAY, ITS_OWN]);
    pass(QUIET_AFTER_MS + GONE_AFTER_MS + RECONNECT_AFTER_MS, [ITS_OWN]);
    assert.deepEqual(
      new Set(effects),
      new Set([`connect tcp://${ITS_OWN}:7381`, `disconnect tcp://${ITS_OWN}:7381`]),
    );
  });
});
