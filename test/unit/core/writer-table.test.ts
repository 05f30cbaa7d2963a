import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WriterTable } from "../../../src/core/writer-table.js";

const [A, B] = ["00000000000000a1", "00000000000000b2"];

describe("the table of writers", () => {
  it("gives a writer one number for as long as a record is by it", () => {
    const table = new WriterTable();
    const [a, b] = [table.add(A), table.add(B)];
    assert.notEqual(a, b);
    assert.equal(table.add(A), a);
    table.remove(a);
    assert.equal(table.writerOf(a), A);
    assert.equal(table.add(A), a);
  });

  it("gives numbers back: a million writers, one after the other, take one entry more", () => {
    const table = new WriterTable();
    let held = table.add(A);
    for (let i = 0; i < 1_000_000; i += 1) {
      const number = table.add(i.toString(16).padStart(16, "0"));
      table.remove(held);
      held = number;
      assert.ok(number <= 1 && table.size === 1);
    }
  });

  it("does not take a number for that of the writer that had it before", () => {
    const table = new WriterTable();
    const number = table.add(A);
    table.remove(number);
    assert.equal(table.add(B), number);
    assert.notEqual(table.add(A), number);
  });
});
