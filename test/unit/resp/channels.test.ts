import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { encode, Push } from "../../../src/resp/reply.js";
import {
  CHANNEL_BYTES_MAX,
  CHANNELS_MAX,
  Hub,
  HUB_PATTERN_BYTES_MAX,
  HUB_PATTERNS_MAX,
  PATTERN_BYTES_OF_CLIENT_MAX,
  PATTERNS_MAX,
  Subscriptions,
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

  it("are listened to all or not at all", async () => {
    const names = Array.from({ length: CHANNELS_MAX + 1 }, (_, index) => String(index));
    listener.socket.write(
      `*${names.length + 1}\r\n$9\r\nsubscribe\r\n${names.map((name) => `$${name.length}\r\n${name}\r\n`).join("")}`,
    );
    assert.match(await listener.until("bytes\r\n"), /^-ERR a client has at most 16384 channels/);
    assert.equal(await speaker.ask("publish 1 x"), ":0\r\n");
    listener.send(`psubscribe ${names.slice(0, PATTERNS_MAX + 1).join(" ")}`);
    assert.match(await listener.until("bytes\r\n"), /^-ERR a client has at most 256 patterns/);
    assert.equal(await speaker.ask("pubsub numpat"), ":0\r\n");
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

  for (const protocol of [2, 3] as const) {
    it(`give a transaction's own messages after its reply in RESP${protocol}`, async () => {
      await listener.ask(`hello ${protocol}`);
      listener.send("multi", "subscribe news", "publish news me", "exec");
      const text = await listener.until("me\r\n");
      const own = [new Push(["subscribe", "news", 1]), 1, new Push(["message", "news", "me"])];
      const [subscribed, published, message] = own.map((each) => encode(each, protocol));
      assert(text.endsWith(`*2\r\n${subscribed}${published}${message}`), text);
    });
  }

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

  function names(count: number, length = 6): string[] {
    return Array.from({ length: count }, (_, index) => String(index).padStart(length, "n"));
  }

  it("have a bound on their number and on their names, which holds for all that are added at once", () => {
    const one = new Subscriptions(new Hub(), nobody);
    one.checkChannels(names(CHANNELS_MAX));
    assert.throws(() => one.checkChannels(names(CHANNELS_MAX + 1)), RangeError);
    one.checkChannels(["x".repeat(CHANNEL_BYTES_MAX)]);
    assert.throws(() => one.checkChannels(["x".repeat(CHANNEL_BYTES_MAX), "y"]), RangeError);
    one.checkPatterns(names(PATTERNS_MAX));
    assert.throws(() => one.checkPatterns(names(PATTERNS_MAX + 1)), RangeError);
    assert.throws(() => one.checkPatterns(names(PATTERN_BYTES_OF_CLIENT_MAX / 1_024 + 1, 1_024)), RangeError);
    for (const name of names(CHANNELS_MAX)) one.subscribe(name);
    one.checkChannels(["nnnnn0"]);
    assert.throws(() => one.checkChannels(["nnnnn0", "more"]), RangeError);
  });

  it("by pattern have a bound for all clients together", () => {
    const hub = new Hub();
    const clients = names(HUB_PATTERNS_MAX / PATTERNS_MAX, 1).map((prefix) => {
      const client = new Subscriptions(hub, nobody);
      for (const name of names(PATTERNS_MAX)) client.subscribePattern(prefix + name);
      return client;
    });
    const last = new Subscriptions(hub, nobody);
    last.checkPatterns(["0nnnnn0"]);
    assert.throws(() => last.checkPatterns(["more"]), RangeError);
    for (const client of clients) client.clear();
    last.checkPatterns(["more"]);
    for (const name of names(HUB_PATTERN_BYTES_MAX / 1_024, 1_024)) clients[0]?.subscribePattern(name);
    assert.throws(() => last.checkPatterns(["x"]), RangeError);
  });

  it("count more than their names", () => {
    const one = new Subscriptions(new Hub(), nobody);
    for (const name of names(100)) one.subscribe(name);
    one.subscribePattern("a*");
    assert(one.bytes >= 101 * 600);
    one.clear();
    assert.equal(one.bytes, 0);
  });

  it("by pattern are tried for keyspace channels or for others, where they can match", () => {
    const hub = new Hub();
    const one = new Subscriptions(hub, nobody);
    for (const pattern of ["*", "__key*", "_[_]key*", "news*", "__kex*"]) one.subscribePattern(pattern);
    assert.equal(hub.publish("__keyspace@0__:k", "set"), 3);
    assert.equal(hub.publish("__kex", "x"), 2);
    assert.equal(hub.publish("news", "x"), 2);
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
