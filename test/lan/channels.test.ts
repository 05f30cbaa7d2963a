/** What Redis clients on one host are told of what happens on another: messages, changes of keys, receipts. */
import "./namespace.js";
import assert from "node:assert/strict";
import { allRead, equalRoots, seeEachOther } from "./agreement.js";
import { scenario } from "./scenario.js";
import { Subscriber } from "./subscriber.js";
import { until } from "./until.js";

scenario(
  "a message reaches whoever listens on any host, in order, and nobody beyond a cut cable",
  async (lan) => {
    const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
    await seeEachOther([h1, h2, h3]);
    const [at1, at2, at3] = await Promise.all([h1, h2, h3].map((daemon) => Subscriber.of(daemon, "news.*")));
    assert(at1 !== undefined && at2 !== undefined && at3 !== undefined);

    // The count is that of the host's own listeners: nobody counts those of the others.
    for (let n = 0; n < 500; n += 1) assert.equal(await h1.call("PUBLISH", "news.of.h1", String(n)), 1);
    const all = Array.from({ length: 500 }, (_, n) => String(n));
    await until("everybody heard all of them", () => {
      for (const subscriber of [at1, at2, at3]) assert.deepEqual(subscriber.messages("news.of.h1"), all);
    });

    await h3.host.cable.cut();
    await h1.call("PUBLISH", "news.of.the.cut", "h3 cannot hear this");
    await until("h2 heard it", () => assert.equal(at2.messages("news.of.the.cut").length, 1));
    await until("h3 is missed", async () => assert.deepEqual(await h1.peersUp(), ["h2"]));
    await h3.host.cable.mend();
    await seeEachOther([h1, h2, h3]);
    await until("h3 hears again", async () => {
      await h1.call("PUBLISH", "news.of.the.mend", "again");
      assert(at3.messages("news.of.the.mend").length > 0);
    });
    assert.equal(at2.messages("news.of.the.cut").length, 1);
  },
);

scenario("who is told of a message finds the write that was made before it", async (lan) => {
  const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2]);
  const listener = await Subscriber.of(h2, "ready");
  for (let n = 0; n < 50; n += 1) {
    await h1.call("SET", "job", String(n));
    await h1.call("PUBLISH", "ready", String(n));
    await until("the message is here", () => assert.equal(listener.messages("ready").length, n + 1));
    assert.equal(await h2.get("job"), String(n));
  }
});

scenario(
  "keyspace events tell of changes made on other hosts, and of expiry by each host's own clock",
  async (lan) => {
    const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
    await seeEachOther([h1, h2, h3]);
    const subscribers = await Promise.all(
      [h1, h2, h3].map((daemon) => Subscriber.of(daemon, "__keyspace@0__:*", "__keyevent@0__:*")),
    );

    await h1.call("SET", "robot", "up");
    await allRead([h2, h3], "robot", "up");
    await h2.call("DEL", "robot");
    await allRead([h1, h3], "robot", undefined);
    await h3.call("SET", "lease", "mine", "PX", "1000");
    for (const subscriber of subscribers) {
      await until("all is told", () => {
        assert.deepEqual(subscriber.messages("__keyspace@0__:robot"), ["set", "del"]);
        assert.deepEqual(subscriber.messages("__keyspace@0__:lease"), ["set", "expire", "expired"]);
        assert.deepEqual(subscriber.messages("__keyevent@0__:expired"), ["lease"]);
      });
    }
    await allRead([h1, h2, h3], "lease", undefined);
    for (const daemon of [h1, h2, h3]) assert.equal(await daemon.keyCount(), 0);
    await equalRoots([h1, h2, h3]);
  },
);

scenario("WAIT counts the hosts that hold what was written", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  await equalRoots([h1, h2, h3]);
  await h1.call("SET", "a", "1");
  assert.equal(await h1.call("WAIT", "2", "20000"), 2);
  assert.equal(await h2.get("a"), "1");
  assert.equal(await h3.get("a"), "1");

  await h3.host.cable.cut();
  await h1.call("SET", "b", "2");
  assert.equal(await h1.call("WAIT", "1", "20000"), 1);
  assert.equal(await h1.call("WAIT", "2", "500"), 1);
  await h3.host.cable.mend();
  assert.equal(await h1.call("WAIT", "2", "30000"), 2);
  assert.equal(await h3.get("b"), "2");
});

scenario("WATCH sees a write of another host", async (lan) => {
  const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2]);
  await h1.set("seat", "free");
  await allRead([h1, h2], "seat", "free");

  const client = await h1.connect();
  await client.call("WATCH", "seat");
  await h2.set("seat", "taken by h2");
  await allRead([h1], "seat", "taken by h2");
  await client.call("MULTI");
  await client.call("SET", "seat", "taken by h1");
  assert.equal(await client.call("EXEC"), null);
  assert.equal(await h1.get("seat"), "taken by h2");
  client.close();
});
