import assert from "node:assert/strict";
import dns from "node:dns/promises";
import { syncBuiltinESMExports } from "node:module";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { HOSTS_MAX, Resolver } from "../../../src/net/resolver.js";

interface Question {
  readonly name: string;
  answer(address: string): void;
  fail(): void;
}

describe("the resolver", () => {
  let asked: Question[] = [];
  let nowMs = 0;
  let resolver = new Resolver(() => nowMs);

  beforeEach(() => {
    asked = [];
    nowMs = 0;
    resolver = new Resolver(() => nowMs);
    mock.method(dns, "lookup", (name: string) => {
      return new Promise((resolve, reject) => {
        asked.push({
          name,
          answer: (address) => resolve({ address, family: address.includes(":") ? 6 : 4 }),
          fail: () => reject(new Error("ENOTFOUND")),
        });
      });
    });
    syncBuiltinESMExports();
  });

  afterEach(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
  });

  it("takes an address for what it is", async () => {
    assert.equal(resolver.known("10.0.0.1"), "10.0.0.1");
    assert.equal(await resolver.resolve("10.0.0.1"), "10.0.0.1");
    assert.equal(asked.length, 0);
  });

  it("asks once for all who want to know, and again when the answer is old", async () => {
    assert.equal(resolver.known("a.lan"), undefined);
    const waiting = [resolver.resolve("a.lan"), resolver.resolve("a.lan")];
    assert.equal(asked.length, 1);
    asked[0]?.answer("10.0.0.1");
    assert.deepEqual(await Promise.all(waiting), ["10.0.0.1", "10.0.0.1"]);
    assert.equal(resolver.known("a.lan"), "10.0.0.1");
    assert.equal(asked.length, 1);
    nowMs = 10_000;
    assert.equal(resolver.known("a.lan"), "10.0.0.1");
    asked[1]?.answer("10.0.0.2");
    await nextTurn();
    assert.equal(resolver.known("a.lan"), "10.0.0.2");
  });

  it("finds nothing where there is nothing, and asks again later", async () => {
    const waiting = resolver.resolve("a.lan");
    asked[0]?.fail();
    assert.equal(await waiting, undefined);
    assert.equal(await resolver.resolve("a.lan"), undefined);
    assert.equal(asked.length, 1);
    nowMs = 3_000;
    const again = resolver.resolve("a.lan");
    asked[1]?.answer("10.0.0.1");
    assert.equal(await again, "10.0.0.1");
  });

  it("finds IPv4 addresses only", async () => {
    const waiting = resolver.resolve("[fe80::1]");
    asked[0]?.answer("fe80::1");
    assert.equal(await waiting, undefined);
  });

  it("asks for two at a time, and the others in turn", async () => {
    const waiting = ["a", "b", "c", "d"].map((name) => resolver.resolve(name));
    assert.deepEqual(
      asked.map(({ name }) => name),
      ["a", "b"],
    );
    asked[1]?.fail();
    await nextTurn();
    assert.deepEqual(
      asked.map(({ name }) => name),
      ["a", "b", "c"],
    );
    asked[0]?.answer("10.0.0.1");
    asked[2]?.answer("10.0.0.3");
    await nextTurn();
    asked[3]?.answer("10.0.0.4");
    assert.deepEqual(await Promise.all(waiting), ["10.0.0.1", undefined, "10.0.0.3", "10.0.0.4"]);
  });

  it("forgets the oldest of too many", async () => {
    for (let i = 0; i <= HOSTS_MAX; i += 1) resolver.known(`host${i}`);
    // Each answer lets the next be asked.
    for (const question of asked) {
      question.answer("10.0.0.1");
      await nextTurn();
    }
    const before = asked.length;
    assert.equal(resolver.known(`host${HOSTS_MAX}`), "10.0.0.1");
    assert.equal(asked.length, before);
    assert.equal(resolver.known("host0"), undefined);
    assert.equal(asked.length, before + 1);
  });
});
