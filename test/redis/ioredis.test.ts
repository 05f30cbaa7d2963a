/** ioredis, as applications use it. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { Redis, type RedisOptions } from "ioredis";
import { until } from "../lan/until.js";
import { ALL_BYTES, Messages } from "./messages.js";
import { SERVERS, type Server } from "./server.js";

const PASSWORD = "open sesame";

type Options = Omit<RedisOptions, "replyMapping">;

const clients: Redis[] = [];

function connect(options: Options): Redis {
  const client = new Redis(options);
  // The commands that fail tell it.
  client.on("error", () => undefined);
  clients.push(client);
  return client;
}

/** What a client that may not come in is told, by the command that fails or before it. */
async function complaints(options: Options): Promise<string> {
  const client = connect({ ...options, retryStrategy: () => null, enableReadyCheck: false });
  const told: unknown[] = [];
  client.on("error", (error) => told.push(error));
  await assert.rejects(client.get("k"), (error) => told.push(error) > 0);
  return told.map(String).join("\n");
}

afterEach(() => {
  for (const client of clients.splice(0)) client.disconnect();
});

for (const [name, start] of SERVERS) {
  for (const protocol of [2, 3] as const) {
    for (const transport of ["TCP", "a unix socket"]) {
      describe(`ioredis with ${name}: RESP${protocol} over ${transport}`, () => {
        let server: Server;
        let options: Options;
        let redis: Redis;

        before(async () => {
          server = await start();
          const where = transport === "TCP" ? { port: server.port } : { path: server.socket };
          options = { ...where, protocol, retryStrategy: () => 50, maxRetriesPerRequest: null };
        });

        beforeEach(async () => {
          redis = connect(options);
          await redis.flushall();
        });

        after(() => server[Symbol.asyncDispose]());

        it("reads what it wrote, text and any bytes", async () => {
          assert.equal(await redis.set("one", "111"), "OK");
          assert.equal(await redis.get("one"), "111");
          assert.equal(await redis.get("two"), null);
          assert.equal(await redis.set("köttbullar", "☃"), "OK");
          assert.deepEqual((await redis.keys("k*")).sort(), ["köttbullar"]);
          await redis.set(ALL_BYTES, ALL_BYTES);
          assert.deepEqual(await redis.getBuffer(ALL_BYTES), ALL_BYTES);
          assert.deepEqual(await redis.mget("one", "two"), ["111", null]);
          assert.equal(await redis.incrby("one", 9), 120);
          assert.equal(await redis.del("one", "two"), 1);
        });

        it("writes under conditions", async () => {
          assert.equal(await redis.set("lock", "me", "PX", 60_000, "NX"), "OK");
          assert.equal(await redis.set("lock", "you", "PX", 60_000, "NX"), null);
          assert.equal(await redis.set("lock", "me too", "XX", "GET"), "me");
          assert.equal(await redis.getdel("lock"), "me too");
          assert.equal(await redis.exists("lock"), 0);
        });

        it("has many commands under way at once, and an error among them", async () => {
          const pipeline = redis.pipeline();
          for (let i = 0; i < 1_000; i += 1) pipeline.set(`n:${i}`, i).get(`n:${i}`);
          const replies = await pipeline.exec();
          assert.equal(replies?.length, 2_000);
          assert.deepEqual(replies[1_999], [null, "999"]);
          const mixed = await redis.pipeline().set("k", "text").incr("k").get("k").exec();
          assert.match(String(mixed?.[1]?.[0]), /ERR value is not an integer or out of range/);
          assert.deepEqual(mixed?.[2], [null, "text"]);
          const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => redis.echo(String(i))));
          assert.deepEqual(
            answers,
            Array.from({ length: 500 }, (_, i) => String(i)),
          );
        });

        it("runs transactions, and gives one up when a watched key has changed", async () => {
          assert.deepEqual(await redis.multi().set("a", 1).incr("a").get("a").exec(), [
            [null, "OK"],
            [null, 2],
            [null, "2"],
          ]);
          await redis.watch("a");
          await connect(options).set("a", "changed");
          assert.equal(await redis.multi().set("a", "lost").exec(), null);
          assert.equal(await redis.get("a"), "changed");
          await redis.watch("a");
          assert.deepEqual(await redis.multi().set("a", "kept").exec(), [[null, "OK"]]);
          await assert.rejects(redis.multi().call("nonsense").set("a", "lost").exec(), /EXECABORT/);
          assert.equal(await redis.get("a"), "kept");
        });

        it("lets keys expire", async () => {
          await redis.set("brief", "1", "PX", 60);
          await redis.set("long", "1", "EX", 100);
          assert.ok((await redis.ttl("long")) > 90);
          assert.equal(await redis.persist("long"), 1);
          assert.equal(await redis.ttl("long"), -1);
          assert.equal(await redis.pexpire("long", 50), 1);
          await until("both have expired", async () => {
            assert.equal(await redis.exists("brief", "long"), 0);
          });
          assert.equal(await redis.pttl("long"), -2);
        });

        it("walks the keys", async () => {
          const pipeline = redis.pipeline();
          for (let i = 0; i < 3_000; i += 1) pipeline.set(`walk:${i}`, "");
          await pipeline.set("other", "").exec();
          const met = new Set<string>();
          for await (const keys of redis.scanStream({ match: "walk:*", count: 100 })) {
            assert.ok(Array.isArray(keys));
            for (const key of keys) met.add(String(key));
          }
          assert.equal(met.size, 3_000);
          assert.equal(await redis.dbsize(), 3_001);
        });

        it("publishes, subscribes, and hears of changed keys", async () => {
          const subscriber = connect(options);
          const messages = new Messages();
          subscriber.on("message", messages.take);
          subscriber.on("pmessage", messages.take);
          assert.equal(await subscriber.subscribe("news", "__keyevent@0__:set"), 2);
          assert.equal(await subscriber.psubscribe("wild.*"), 3);
          assert.equal(await redis.publish("news", "hello"), 1);
          assert.equal(await redis.publish("wild.geese", "honk"), 1);
          assert.equal(await redis.publish("nobody", "hears"), 0);
          await redis.set("watched", "1");
          await messages.are("news hello", "wild.* wild.geese honk", "__keyevent@0__:set watched");
          assert.equal(await subscriber.unsubscribe("news"), 2);
          assert.equal(await redis.publish("news", "unheard"), 0);
        });

        it("hears of keys that expired", async () => {
          const subscriber = connect(options);
          const messages = new Messages();
          subscriber.on("message", messages.take);
          await subscriber.subscribe("__keyspace@0__:brief");
          await redis.set("brief", "1", "PX", 50);
          await messages.have("__keyspace@0__:brief set", "__keyspace@0__:brief expired");
        });

        it("goes on after the server was restarted, subscriptions included", async () => {
          const subscriber = connect(options);
          const messages = new Messages();
          subscriber.on("message", messages.take);
          await subscriber.subscribe("news");
          await server.stop();
          const early = redis.set("asked", "while it was away");
          await server.start();
          assert.equal(await early, "OK");
          assert.equal(await redis.get("asked"), "while it was away");
          await until("the subscription is there again", async () => {
            assert.equal(await redis.publish("news", "back"), 1);
          });
          await messages.are("news back");
        });

        it("gives its name and its library", async () => {
          const named = connect({ ...options, connectionName: "tester" });
          assert.equal(await named.client("GETNAME"), "tester");
          assert.match(String(await named.client("LIST")), /name=tester/);
          assert.ok(Number(await named.client("ID")) > 0);
          assert.match(await named.info("server"), /redis_version:\d/);
          assert.ok(Number(await named.call("COMMAND", "COUNT")) > 50);
        });
      });
    }
  }

  describe(`ioredis with ${name} and a password`, () => {
    let server: Server;

    before(async () => {
      server = await start({ password: PASSWORD });
    });

    after(() => server[Symbol.asyncDispose]());

    for (const protocol of [2, 3] as const) {
      it(`is let in with it and not without, RESP${protocol}`, async () => {
        const { port } = server;
        const allowed = connect({ port, protocol, password: PASSWORD });
        const named = connect({ port, protocol, username: "default", password: PASSWORD });
        assert.equal(await allowed.set("k", "v"), "OK");
        assert.equal(await named.get("k"), "v");
        assert.match(await complaints({ port, protocol }), /NOAUTH/);
        assert.match(await complaints({ port, protocol, password: "wrong" }), /WRONGPASS/);
      });
    }
  });
}
