import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import type { KvRecord } from "../../../src/core/record.js";
import { Notifications } from "../../../src/resp/notifications.js";
import { Hub } from "../../../src/resp/subscriptions.js";
import { MemoryKeyspace } from "./memory-keyspace.js";

let keyspace: MemoryKeyspace;
let hub: Hub;
let notifications: Notifications;
let heard: string[];

beforeEach(() => {
  keyspace = new MemoryKeyspace();
  hub = new Hub();
  notifications = new Notifications(hub, keyspace, "AKE");
  heard = [];
  const publish = hub.publish.bind(hub);
  hub.publish = (channel, payload) => {
    heard.push(`${channel} ${payload}`);
    return publish(channel, payload);
  };
  hub.addPattern("__key*", { protocol: 2, push: () => undefined });
});

function record(value: string, expiresAtMs?: number): KvRecord {
  const stamp = heard.length + 1;
  return { key: "k", value, kind: "value", stamp, writer: "00000000000000aa", expiresAtMs, replaces: [] };
}

function tombstone(): KvRecord {
  return { ...record(""), kind: "tombstone" };
}

/** The events that other nodes' writes make, without their channels of the key. */
function eventsOf(after: KvRecord, before?: KvRecord): string[] {
  heard = [];
  notifications.changed([after], [before]);
  return heard.filter((each) => each.startsWith("__keyevent")).map((each) => each.split(/[: ]/)[1] ?? "");
}

describe("keyspace events", () => {
  it("go onto the channel of the key, and that of the event", () => {
    notifications.notify("$", "set", "a b");
    assert.deepEqual(heard, ["__keyspace@0__:a b set", "__keyevent@0__:set a b"]);
  });

  it("are those that the flags choose", () => {
    notifications.set("Kg");
    notifications.notify("$", "set", "k");
    notifications.notify("g", "del", "k");
    assert.deepEqual(heard, ["__keyspace@0__:k del"]);
    notifications.set("");
    notifications.notify("g", "del", "k");
    assert.equal(heard.length, 1);
  });

  it("write flags as Redis does, and refuse others", () => {
    for (const [given, shown] of [
      ["AKE", "AKE"],
      ["KEA", "AKE"],
      ["g$lshzxetdKE", "AKE"],
      ["KEg$n", "g$nKE"],
      ["Em", "Em"],
      ["", ""],
    ] as const) {
      notifications.set(given);
      assert.equal(notifications.flags, shown);
    }
    assert.throws(() => notifications.set("KEq"), /^RangeError: Invalid event class character/);
    assert.equal(notifications.flags, "");
  });

  it("tell what other nodes' writes did, as far as it can be seen", () => {
    const laterMs = keyspace.wallMs + 1_000;
    assert.deepEqual(eventsOf(record("1")), ["set"]);
    assert.deepEqual(eventsOf(record("1", laterMs)), ["set", "expire"]);
    assert.deepEqual(eventsOf(record("2"), record("1")), ["set"]);
    assert.deepEqual(eventsOf(record("1"), record("1")), ["set"], "a heartbeat");
    assert.deepEqual(eventsOf(record("1", laterMs), record("1", laterMs)), ["set", "expire"]);
    assert.deepEqual(eventsOf(record("1", laterMs), record("1")), ["expire"]);
    assert.deepEqual(eventsOf(record("1", laterMs + 1), record("1", laterMs)), ["expire"]);
    assert.deepEqual(eventsOf(record("1"), record("1", laterMs)), ["persist"]);
    assert.deepEqual(eventsOf(tombstone(), record("1")), ["del"]);
    assert.deepEqual(eventsOf(tombstone()), []);
    const remains = { ...tombstone(), expiresAtMs: laterMs };
    assert.deepEqual(eventsOf(remains, record("1")), ["expired"], "it ran out elsewhere, or before it came");
    assert.deepEqual(eventsOf(remains), []);
    assert.deepEqual(eventsOf(tombstone(), tombstone()), []);
    assert.deepEqual(eventsOf(record("1"), tombstone()), ["set"]);
    assert.deepEqual(
      eventsOf(record("1"), record("1", keyspace.wallMs)),
      ["set"],
      "what has expired is missing",
    );
    assert.deepEqual(eventsOf(record("1", keyspace.wallMs), record("2")), [], "it is told of as expired");
  });

  it("tell of new keys when asked to", () => {
    notifications.set("AnE");
    assert.deepEqual(eventsOf(record("1")), ["new", "set"]);
    assert.deepEqual(eventsOf(record("2"), record("1")), ["set"]);
  });

  it("tell of keys whose time has run out", () => {
    notifications.expired(["a", "b"]);
    assert.deepEqual(
      heard.filter((each) => each.startsWith("__keyevent")),
      ["__keyevent@0__:expired a", "__keyevent@0__:expired b"],
    );
  });

  it("are not even made while nobody may hear them", () => {
    hub.removePattern("__key*", { protocol: 2, push: () => undefined });
    const deaf = new Notifications(new Hub(), keyspace, "AKE");
    keyspace.nowMs = () => assert.fail("the clock is read for nobody");
    deaf.changed([record("1")], [undefined]);
    deaf.expired(["k"]);
    assert.deepEqual(heard, []);
  });
});
