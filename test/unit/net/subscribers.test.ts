import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Subscribers } from "../../../src/net/subscribers.js";

const A = "00000000000000aa";
const B = "00000000000000bb";

function came(topic: string): Buffer {
  return Buffer.from(`\x01${topic}`, "latin1");
}

function went(topic: string): Buffer {
  return Buffer.from(`\x00${topic}`, "latin1");
}

describe("who subscribes", () => {
  it("hears what was written while it subscribes to that, by whatever prefix", () => {
    for (const topic of ["", "se", "set "]) {
      const subscribers = new Subscribers();
      assert.equal(subscribers.hearSets, false);
      assert.equal(subscribers.handle(came(topic)), undefined);
      assert.equal(subscribers.hearSets, true);
      subscribers.handle(went(topic));
      assert.equal(subscribers.hearSets, false);
    }
  });

  it("does not hear it when it subscribes to something else", () => {
    const subscribers = new Subscribers();
    for (const topic of ["set x", "tick ", "sets"]) subscribers.handle(came(topic));
    subscribers.handle(Buffer.from("\x07set "));
    subscribers.handle(Buffer.alloc(0));
    assert.equal(subscribers.hearSets, false);
  });

  it("is a node by its subscription to questions, as long as one of them is left", () => {
    const subscribers = new Subscribers();
    assert.deepEqual(subscribers.handle(came(`question ${A} `)), { writer: A, present: true });
    assert.deepEqual(subscribers.handle(came(`question ${A} `)), { writer: A, present: true });
    assert.equal(subscribers.handle(went(`question ${A} `)), undefined);
    assert.deepEqual(subscribers.handle(went(`question ${A} `)), { writer: A, present: false });
    assert.equal(subscribers.hearSets, false);
  });

  it("hears as a node, whatever others have unsubscribed", () => {
    const subscribers = new Subscribers();
    for (const topic of ["set ", `question ${A} `, "set ", `question ${B} `]) subscribers.handle(came(topic));
    for (let i = 0; i < 3; i += 1) subscribers.handle(went("set "));
    assert.equal(subscribers.hearSets, true);
    for (const writer of [A, B]) subscribers.handle(went(`question ${writer} `));
    assert.equal(subscribers.hearSets, false);
  });
});
