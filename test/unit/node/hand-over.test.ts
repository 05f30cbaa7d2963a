/** How long closing waits for a peer: one that this test plays, beside the real core. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Vitals } from "../../../src/core/message.js";
import { Replica } from "../../../src/core/replica.js";
import { HandOver } from "../../../src/node/hand-over.js";

const PEER = "00000000000000b1";
const place = { cluster: 1, port: 1, advertise: "", software: "0" };

/** A replica that has written something, and a linked peer that has taken nothing of it. */
class Table {
  readonly replica = new Replica({ nodeId: "a", writer: "a", name: "own", ...place, random: () => 0.5 });
  nowMs = 1_000;
  readonly #wait: HandOver;

  constructor() {
    this.#step({ type: "start", online: true });
    const vitals = this.#vitals();
    const beacon = { ...vitals, ...place, port: 2, name: "peer", hello: false, goodbye: false };
    this.#step({ type: "beacon", beacon, from: "10.0.0.1" });
    this.#step({ type: "subscription", writer: PEER, present: true });
    this.#tick();
    this.replica.write("k", "v", undefined, this.nowMs);
    this.#step({ type: "flush" });
    this.#wait = new HandOver(this.replica, this.nowMs);
  }

  /** Lets time pass while the peer ticks, and does this every half second. @returns whether closing waited for so long */
  isAwaitedFor(ms: number, act: () => void = () => undefined): boolean {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) {
      if (!this.#wait.isAwaited(this.nowMs)) return false;
      this.nowMs += 100;
      this.#tick();
      if (this.nowMs % 500 === 0) act();
    }
    return this.#wait.isAwaited(this.nowMs);
  }

  ask(): void {
    const ask = { of: "stream", range: { from: 1, to: 1 } } as const;
    this.#step({ type: "message", message: { type: "question", from: PEER, id: 1, budgetBytes: 1, ask } });
  }

  confirm(): void {
    this.#step({ type: "message", message: { type: "receipt", from: PEER, seq: 1 } });
  }

  #vitals(): Vitals {
    return { nodeId: PEER, writer: PEER, wallMs: 0, head: 0, root: "1".repeat(16), keys: 0, state: "live" };
  }

  #tick(): void {
    this.#step({ type: "message", message: { type: "tick", from: PEER, vitals: this.#vitals() } });
  }

  #step(input: Parameters<Replica["step"]>[0]): void {
    this.replica.step(input, { monoMs: this.nowMs, wallMs: this.nowMs });
  }
}

describe("handing over", () => {
  it("waits two seconds for a peer that takes nothing", () => {
    const table = new Table();
    assert.equal(table.isAwaitedFor(1_900), true);
    assert.equal(table.isAwaitedFor(200), false);
  });

  it("ends with the last receipt", () => {
    const table = new Table();
    assert.equal(table.isAwaitedFor(1_000), true);
    table.confirm();
    assert.equal(table.isAwaitedFor(100), false);
  });

  it("goes on for a peer that pulls and cannot confirm anything yet, up to eight seconds", () => {
    const table = new Table();
    const ask = (): void => {
      table.ask();
    };
    assert.equal(table.isAwaitedFor(7_900, ask), true);
    assert.equal(table.isAwaitedFor(200, ask), false);
  });
});
