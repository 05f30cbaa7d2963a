import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AnswerMessage, Beacon } from "../../../src/core/message.js";
import { Peer } from "../../../src/core/peer.js";
import { OPEN_MAX, OPEN_PER_PEER_MAX, Questions } from "../../../src/core/questions.js";

const RANGE = { of: "stream", range: { from: 1, to: 2 } } as const;

function linkedPeer(writer: string): Peer {
  const beacon: Beacon = {
    nodeId: writer,
    writer,
    wallMs: 0,
    head: 0,
    root: "0".repeat(16),
    keys: 0,
    state: "live",
    cluster: 0,
    name: writer,
    port: 1,
    advertise: "",
    software: "",
    hello: false,
    goodbye: false,
  };
  const peer = new Peer(beacon, "10.0.0.1", 0, 1_000);
  peer.subscribed = true;
  peer.messageAtMs = 1;
  return peer;
}

function part(id: number, number: number, last: boolean, from = "a"): AnswerMessage {
  return {
    type: "answer",
    from,
    id,
    part: number,
    last,
    next: undefined,
    tail: 1,
    omits: false,
    records: [],
  };
}

describe("questions under way", () => {
  it("are bounded, to one peer and in all", () => {
    const questions = new Questions();
    const peers = Array.from({ length: 5 }, (_, i) => linkedPeer(String(i)));
    let asked = 0;
    for (const peer of peers) {
      for (let i = 0; i < 3; i += 1) {
        if (!questions.hasRoom(peer)) continue;
        questions.open(peer, RANGE, 0);
        asked += 1;
      }
    }
    assert.equal(asked, OPEN_MAX);
    assert.equal(OPEN_MAX, 4 * OPEN_PER_PEER_MAX);
  });

  it("are answered when all parts have come, in any order", () => {
    const questions = new Questions();
    const { id } = questions.open(linkedPeer("a"), RANGE, 0);
    assert.equal(questions.handlePart(part(id, 1, true), 1), undefined);
    assert.equal(questions.handlePart(part(id, 1, true), 2), undefined);
    assert.equal(questions.handlePart(part(id, 0, false), 3)?.id, id);
    assert.equal(questions.size, 0);
  });

  it("take no answer from another peer, of another kind, or without end", () => {
    const questions = new Questions();
    const { id } = questions.open(linkedPeer("a"), RANGE, 0);
    assert.equal(questions.handlePart(part(id, 0, true, "b"), 1), undefined);
    assert.equal(questions.handlePart(part(id + 1, 0, true), 1), undefined);
    const list = { type: "list_answer", from: "a", id, part: 0, last: true, groups: [] } as const;
    assert.equal(questions.handlePart(list, 1), undefined);
    for (let number = 1; number < 1_000; number += 1) questions.handlePart(part(id, number, false), 1);
    assert.equal(questions.handlePart(part(id, 0, true), 1), undefined);
    assert.equal(questions.size, 1);
  });

  it("are lost after a time without progress, which doubles up to 32 s and shrinks with answers", () => {
    const questions = new Questions();
    const peer = linkedPeer("a");
    const peers = new Map([["a", peer]]);
    let nowMs = 0;
    for (const patienceMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000]) {
      questions.open(peer, RANGE, nowMs);
      assert.equal(questions.wakeAtMs, nowMs + patienceMs);
      assert.equal(questions.takeOverdue(peers, nowMs + patienceMs - 1).length, 0);
      nowMs += patienceMs;
      assert.equal(questions.takeOverdue(peers, nowMs).length, 1);
    }
    const { id } = questions.open(peer, RANGE, nowMs);
    questions.handlePart(part(id, 0, true), nowMs + 10);
    assert.equal(peer.patienceMs, 16_000);
  });

  it("are lost at once with their peer, or with the link to it", () => {
    const questions = new Questions();
    const peer = linkedPeer("a");
    questions.open(peer, RANGE, 0);
    assert.equal(questions.takeOverdue(new Map([["a", linkedPeer("a")]]), 1).length, 1);
    questions.open(peer, RANGE, 0);
    peer.subscribed = false;
    assert.equal(questions.takeOverdue(new Map([["a", peer]]), 1).length, 1);
    assert.equal(peer.patienceMs, 1_000);
  });

  it("know where an answer ended though its last part came first", () => {
    const questions = new Questions();
    const { id } = questions.open(linkedPeer("a"), RANGE, 0);
    assert.equal(questions.handlePart({ ...part(id, 1, true), next: 7 }, 1), undefined);
    assert.equal(questions.handlePart(part(id, 0, false), 2)?.next, 7);
  });
});
