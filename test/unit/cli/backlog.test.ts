import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Backlog, KEYS_WAITING_MAX } from "../../../src/cli/backlog.js";

describe("the backlog of a watch", () => {
  it("hands over what waits in its order, at most so many at once", async () => {
    const backlog = new Backlog();
    for (const key of ["a", "b", "c"]) backlog.add(key, "set");
    assert.deepEqual(await backlog.take(2), [
      ["a", "set"],
      ["b", "set"],
    ]);
    assert.deepEqual(await backlog.take(2), [["c", "set"]]);
  });

  it("keeps the latest event of a key, in the place of its first", async () => {
    const backlog = new Backlog();
    backlog.add("a", "set");
    backlog.add("b", "set");
    backlog.add("a", "del");
    assert.deepEqual(await backlog.take(9), [
      ["a", "del"],
      ["b", "set"],
    ]);
    backlog.add("a", "set");
    assert.deepEqual(await backlog.take(9), [["a", "set"]]);
  });

  it("does not let a new limit hide a new value", async () => {
    const backlog = new Backlog();
    for (const event of ["set", "expire"]) backlog.add("a", event);
    for (const event of ["expire", "persist"]) backlog.add("b", event);
    for (const event of ["expire", "append"]) backlog.add("c", event);
    assert.deepEqual(await backlog.take(9), [
      ["a", "set"],
      ["b", "persist"],
      ["c", "append"],
    ]);
  });

  it("waits for the first, and for nothing once it is closed", async () => {
    const backlog = new Backlog();
    const first = backlog.take(9);
    backlog.add("a", "set");
    assert.deepEqual(await first, [["a", "set"]]);
    const none = backlog.take(9);
    backlog.close();
    assert.deepEqual(await none, []);
    backlog.add("a", "set");
    assert.deepEqual(await backlog.take(9), []);
  });

  it("counts what waits when it is closed", async () => {
    const backlog = new Backlog();
    for (const key of ["a", "b", "c"]) backlog.add(key, "set");
    await backlog.take(1);
    backlog.close();
    backlog.close();
    backlog.add("d", "set");
    assert.equal(backlog.takeMissed(), 2);
    backlog.miss(5);
    assert.equal(backlog.takeMissed(), 5);
  });

  it("counts what it has no room for; who waits already may go on changing", async () => {
    const backlog = new Backlog();
    for (let key = 0; key < KEYS_WAITING_MAX + 3; key += 1) backlog.add(String(key), "set");
    backlog.add("0", "del");
    assert.equal(backlog.takeMissed(), 3);
    assert.equal(backlog.takeMissed(), 0);
    const taken = await backlog.take(Infinity);
    assert.equal(taken.length, KEYS_WAITING_MAX);
    assert.deepEqual(taken[0], ["0", "del"]);
  });
});
