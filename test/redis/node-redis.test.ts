/** node-redis, as applications use it. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { createClient, RESP_TYPES, WatchError } from "redis";
import { until } from "../lan/until.js";
import { ALL_BYTES, Messages } from "./messages.js";
import { SERVERS, type Server } from "./server.js";

const PASSWORD = "open sesame";

interface Where {
  readonly RESP: 2 | 3;
  readonly socket: { readonly port: number } | { readonly path: string };
  readonly username?: string;
  readonly password?: string;
}

const clients: { destroy: () => void; isOpen: boolean }[] = [];

function create({ socket, ...options }: Where) {
  const client = createClient({ ...options, socket: { ...socket, reconnectStrategy: () => 50 } });
  // The commands that fail tell it.
  client.on("error", () => undefined);
  clients.push(client);
  return client;
}

afterEach(() => {
  for (const client of clients.splice(0)) if (client.isOpen) client.destroy();
});

for (const [name, start] of SERVERS) {
  for (const RESP of [2, 3] as const) {
    for (const transport of ["TCP", "a unix socket"]) {
      describe(`node-redis with ${name}: RESP${RESP} over ${transport}`, () => {
        let server: Server;
        let where: Where;
        let redis: ReturnType<typeof create>;

        before(async () => {
          server = await start();
          where = { RESP, socket: transport === "TCP" ? { port: server.port } : { path: server.socket } };
        });

        beforeEach(async () => {
          redis = create(where);
          await redis.connect();
          await redis.flushAll();
        });

        after(() => server[Symbol.asyncDispose]());

        it("reads what it wrote, text and any bytes", async () => {
          assert.equal(await redis.set("one", "111"), "OK");
          assert.equal(await redis.get("one"), "111");
          assert.equal(await redis.get("two"), null);
          assert.equal(await redis.set("köttbullar", "☃"), "OK");
          assert.deepEqual(await redis.keys("k*"), ["köttbullar"]);
          const bytes = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
          await bytes.set(ALL_BYTES, ALL_BYTES);
          assert.deepEqual(await bytes.get(ALL_BYTES), ALL_BYTES);
          assert.deepEqual(await redis.mGet(["one", "two"]), ["111", null]);
          assert.equal(await redis.incrBy("one", 9), 120);
          assert.equal(await redis.del(["one", "two"]), 1);
        });

        it("writes under conditions", async () => {
          const minute = { type: "PX", value: 60_000 } as const;
          assert.equal(await redis.set("lock", "me", { condition: "NX", expiration: minute }), "OK");
          assert.equal(await redis.set("lock", "you", { condition: "NX", expiration: minute }), null);
          assert.equal(await redis.set("lock", "me too", { condition: "XX", GET: true }), "me");
          assert.equal(await redis.getDel("lock"), "me too");
          assert.equal(await redis.exists("lock"), 0);
        });

        it("has many commands under way at once, and an error among them", async () => {
          const wrote = Array.from({ length: 1_000 }, (_, i) => redis.set(`n:${i}`, String(i)));
          const read = Array.from({ length: 1_000 }, (_, i) => redis.get(`n:${i}`));
          assert.ok((await Promise.all(wrote)).every((reply) => reply === "OK"));
          assert.deepEqual(
            await Promise.all(read),
            Array.from({ length: 1_000 }, (_, i) => String(i)),
          );
          const [, failed, after] = await Promise.allSettled([
            redis.set("k", "text"),
            redis.incr("k"),
            redis.get("k"),
          ]);
          assert.match(String(failed.status === "rejected" && failed.reason), /value is not an integer/);
          assert.equal(after.status === "fulfilled" && after.value, "text");
        });

        it("runs transactions, and gives one up when a watched key has changed", async () => {
          const transaction = redis.multi().set("a", "1").incr("a").get("a");
          assert.deepEqual(await transaction.exec(), ["OK", 2, "2"]);
          await redis.watch("a");
          const other = create(where);
          await other.connect();
          await other.set("a", "changed");
          await assert.rejects(redis.multi().set("a", "lost").exec(), WatchError);
          assert.equal(await redis.get("a"), "changed");
          await redis.watch("a");
          assert.deepEqual(await redis.multi().set("a", "kept").exec(), ["OK"]);
          const wrong = redis.multi().addCommand(["NONSENSE"]).set("a", "lost");
          await assert.rejects(wrong.exec());
          assert.equal(await redis.get("a"), "kept");
        });

        it("lets keys expire", async () => {
          await redis.set("brief", "1", { expiration: { type: "PX", value: 60 } });
          await redis.set("long", "1", { expiration: { type: "EX", value: 100 } });
          assert.ok((await redis.ttl("long")) > 90);
          assert.equal(await redis.persist("long"), 1);
          assert.equal(await redis.ttl("long"), -1);
          assert.equal(await redis.pExpire("long", 50), 1);
          await until("both have expired", async () => {
            assert.equal(await redis.exists(["brief", "long"]), 0);
          });
          assert.equal(await redis.pTTL("long"), -2);
        });

        it("walks the keys", async () => {
          const names = Array.from({ length: 3_000 }, (_, i) => `walk:${i}`);
          await Promise.all(names.map((key) => redis.set(key, "")));
          await redis.set("other", "");
          const met = new Set<string>();
          for await (const keys of redis.scanIterator({ MATCH: "walk:*", COUNT: 100 })) {
            for (const key of keys) met.add(key);
          }
          assert.equal(met.size, 3_000);
          assert.equal(await redis.dbSize(), 3_001);
        });

        it("publishes, subscribes, and hears of changed keys", async () => {
          const subscriber = create(where);
          await subscriber.connect();
          const messages = new Messages();
          const take = (message: string, channel: string): void => {
            messages.take(channel, message);
          };
          await subscriber.subscribe(["news", "__keyevent@0__:set"], take);
          await subscriber.pSubscribe("wild.*", take);
          assert.equal(await redis.publish("news", "hello"), 1);
          assert.equal(await redis.publish("wild.geese", "honk"), 1);
          assert.equal(await redis.publish("nobody", "hears"), 0);
          await redis.set("watched", "1");
          await messages.are("news hello", "wild.geese honk", "__keyevent@0__:set watched");
          await subscriber.unsubscribe("news");
          assert.equal(await redis.publish("news", "unheard"), 0);
          // With RESP3 a connection that is subscribed goes on serving commands.
          if (RESP === 3) assert.equal(await subscriber.get("watched"), "1");
        });

        it("goes on after the server was restarted, subscriptions included", async () => {
          const subscriber = create(where);
          await subscriber.connect();
          const messages = new Messages();
          await subscriber.subscribe("news", (message) => {
            messages.take(message);
          });
          await server.stop();
          await server.start();
          await until("it is connected again", async () => {
            assert.equal(await redis.set("k", "v"), "OK");
          });
          await until("the subscription is there again", async () => {
            assert.equal(await redis.publish("news", "back"), 1);
          });
          await messages.are("back");
        });

        it("gives its name and its library, and takes structured replies apart", async () => {
          assert.equal(await redis.clientSetName("tester"), "OK");
          assert.equal(await redis.clientGetName(), "tester");
          const { id, name: shown } = await redis.clientInfo();
          assert.ok(id > 0);
          assert.equal(shown, "tester");
          assert.ok((await redis.clientList()).some((each) => each.id === id));
          assert.match(await redis.info("server"), /redis_version:\d/);
          assert.ok((await redis.commandCount()) > 50);
          const [get] = await redis.commandInfo(["get"]);
          assert.equal(get?.name, "get");
          assert.deepEqual(Object.keys(await redis.configGet("maxmemory")), ["maxmemory"]);
          assert.deepEqual({ ...(await redis.pubSubNumSub(["nobody"])) }, { nobody: 0 });
        });
      });
    }
  }

  describe(`node-redis with ${name} and a password`, () => {
    let server: Server;

    before(async () => {
      server = await start({ password: PASSWORD });
    });

    after(() => server[Symbol.asyncDispose]());

    for (const RESP of [2, 3] as const) {
      it(`is let in with it and not without, RESP${RESP}`, async () => {
        const where: Where = { RESP, socket: { port: server.port } };
        const allowed = create({ ...where, password: PASSWORD });
        await allowed.connect();
        assert.equal(await allowed.set("k", "v"), "OK");
        const named = create({ ...where, username: "default", password: PASSWORD });
        await named.connect();
        assert.equal(await named.get("k"), "v");
        const liar = createClient({
          ...where,
          socket: { ...where.socket, reconnectStrategy: false },
          password: "wrong",
        });
        liar.on("error", () => undefined);
        await assert.rejects(liar.connect(), /WRONGPASS/);
        const stranger = createClient({ ...where, socket: { ...where.socket, reconnectStrategy: false } });
        stranger.on("error", () => undefined);
        await assert.rejects(async () => {
          await stranger.connect();
          await stranger.get("k");
        }, /NOAUTH/);
        for (const each of [liar, stranger]) if (each.isOpen) each.destroy();
      });
    }
  });
}
