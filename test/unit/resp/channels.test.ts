import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { encode, Push } from "../../../src/resp/reply.js";
import {
  Hub,
  Subscriptions,
  SUBSCRIPTION_BYTES_MAX,
  SUBSCRIPTIONS_MAX,
} from "../../../src/resp/subscriptions.js";
import { RespHost, type Peer } from "./resp-host.js";

let host: RespHost;
let listener: Peer;
let speaker: Peer;

beforeEach(async () => {
  host = await RespHost.start();
  [listener, speaker] = [await host.client(), await host.client()];
});

afterEach(() => host.close());

function frame(...items: readonly (string | number | null)[]): string {
  return encode(new Push(items), 2);
}

async function listens(line: string, count: number): Promise<string> {
  listener.send(line);
  return listener.until(`:${count}\r\n`);
}

describe("channels", () => {
  it("give a message to whoever listens, by name and by pattern, and to the other nodes", async () => {
    assert.equal(
      await listens("subscribe news other", 2),
      frame("subscribe", "news", 1) + frame("subscribe", "other", 2),
    );
    await listens("psubscribe n*", 3);
    assert.equal(await speaker.ask("publish news hello"), ":2\r\n");
    assert.equal(
      await listener.until("hello\r\n"),
      frame("message", "news", "hello") + frame("pmessage", "n*", "news", "hello"),
    );
    assert.equal(await speaker.ask("publish nobody hello"), ":1\r\n");
    assert.deepEqual(host.keyspace.published, [
      ["news", "hello"],
      ["nobody", "hello"],
    ]);
  });

  it("give messages of other nodes, and do not send them on", async () => {
    await listens("subscribe news", 1);
    host.keyspace.listener?.published("news", "\x00\xff");
    assert.equal(await listener.until("\xff\r\n"), frame("message", "news", "\x00\xff"));
    assert.deepEqual(host.keyspace.published, []);
  });

  it("are counted once each, and left one by one or all at once", async () => {
    await listens("subscribe a a b c", 3);
    assert.equal(
      await listens("unsubscribe a x", 2),
      frame("unsubscribe", "a", 2) + frame("unsubscribe", "x", 2),
    );
    assert.equal(
      await listens("unsubscribe", 0),
      frame("unsubscribe", "b", 1) + frame("unsubscribe", "c", 0),
    );
    assert.equal(await listens("unsubscribe", 0), frame("unsubscribe", null, 0));
    assert.equal(await listens("punsubscribe", 0), frame("punsubscribe", null, 0));
    assert.equal(await speaker.ask("publish a 1"), ":0\r\n");
  });

  it("are shown by PUBSUB", async () => {
    await listens("subscribe news weather", 2);
    await listens("psubscribe n* w*", 4);
    assert.equal(await speaker.ask("pubsub channels w*"), "*1\r\n$7\r\nweather\r\n");
    assert.equal(await speaker.ask("pubsub channels"), "*2\r\n$4\r\nnews\r\n$7\r\nweather\r\n");
    assert.equal(await speaker.ask("pubsub numsub news x"), "*4\r\n$4\r\nnews\r\n:1\r\n$1\r\nx\r\n:0\r\n");
    assert.equal(await speaker.ask("pubsub numpat"), ":2\r\n");
  });

  it("are left when the connection ends, or is reset", async () => {
    await listens("subscribe news", 1);
    listener.send("reset");
    await listener.until("+RESET\r\n");
    assert.equal(await speaker.ask("publish news 1"), ":0\r\n");
    await listens("psubscribe *", 1);
    listener.send("quit");
    await listener.all();
    assert.equal(await speaker.ask("publish news 1", "pubsub numpat"), ":0\r\n:0\r\n");
  });

  it("leave who listens in RESP2 few commands", async () => {
    await listens("subscribe news", 1);
    listener.send("get k", "ping", "ping hi", "client id");
    const only = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";
    assert.equal(
      await listener.until(`-ERR Can't execute 'client|id': ${only}\r\n`),
      `-ERR Can't execute 'get': ${only}\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n*2\r\n$4\r\npong\r\n$2\r\nhi\r\n` +
        `-ERR Can't execute 'client|id': ${only}\r\n`,
    );
    await listens("unsubscribe news", 0);
    assert.equal(await listener.ask("ping"), "+PONG\r\n");
  });

  it("push in RESP3, between the replies to any command", async () => {
    await listener.ask("hello 3");
    assert.equal(await listener.ask("subscribe news"), ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
    assert.equal(
      await listener.ask("publish news me", "get k"),
      ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nme\r\n:1\r\n_\r\n",
    );
    await speaker.ask("publish news you");
    assert.equal(await listener.until("you\r\n"), ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\nyou\r\n");
  });

  it("are heard also by who wants no replies", async () => {
    await listener.ask("hello 3");
    listener.send("client reply off", "ping", "subscribe news", "ping");
    await listener.until(":1\r\n");
    await speaker.ask("publish news hi");
    assert.match(await listener.until("hi\r\n"), /^>3\r\n\$7\r\nmessage/);
  });

  it("keep the order of messages", async () => {
    await listens("subscribe news", 1);
    const count = 2_000;
    await speaker.ask(...Array.from({ length: count }, (_, index) => `publish news ${index}`));
    const text = await listener.until(`\r\n${count - 1}\r\n`);
    assert.equal(
      text,
      Array.from({ length: count }, (_, index) => frame("message", "news", String(index))).join(""),
    );
  });
});

describe("subscriptions", () => {
  const nobody = { protocol: 2, push: () => undefined } as const;

  it("have a bound on their number and on their names", () => {
    const many = new Subscriptions(new Hub(), nobody);
    for (let index = 0; index < SUBSCRIPTIONS_MAX; index += 1) many.subscribe(String(index));
    assert.throws(() => many.subscribePattern("one more"), RangeError);
    many.unsubscribe("0");
    many.subscribePattern("one more");
    const long = new Subscriptions(new Hub(), nobody);
    long.subscribe("x".repeat(SUBSCRIPTION_BYTES_MAX - 1));
    assert.throws(() => long.subscribe("yy"), RangeError);
    long.subscribe("y");
    long.clear();
    assert.equal(long.bytes, 0);
  });

  it("say whether somebody may hear of keys", () => {
    const hub = new Hub();
    const subscriptions = new Subscriptions(hub, nobody);
    for (const [name, mayHear] of [
      ["*", true],
      ["__key*", true],
      ["__keyspace@0__:robots/*", true],
      ["_[_]keyevent*", true],
      ["\\__keyevent*", true],
      ["news*", false],
      ["__kex*", false],
    ] as const) {
      subscriptions.subscribePattern(name);
      assert.equal(hub.hasKeyListeners, mayHear, name);
      subscriptions.unsubscribePattern(name);
      assert(!hub.hasKeyListeners);
    }
    subscriptions.subscribe("__keyevent@0__:set");
    assert(hub.hasKeyListeners);
    subscriptions.clear();
    assert(!hub.hasKeyListeners);
  });
});
