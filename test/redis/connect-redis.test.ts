/** Sessions of express-session, kept by connect-redis. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { after, before, describe, it } from "node:test";
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { SERVERS, type Server } from "./server.js";

for (const [name, start] of SERVERS) {
  describe(`connect-redis with ${name}`, () => {
    let server: Server;
    let client: ReturnType<typeof connect>;
    let store: RedisStore;

    function connect() {
      return createClient({ socket: { port: server.port } });
    }

    before(async () => {
      server = await start();
      client = connect();
      await client.connect();
      store = new RedisStore({ client, prefix: "session:", ttl: 300 });
    });

    after(async () => {
      client.destroy();
      await server[Symbol.asyncDispose]();
    });

    it("sets, gets, lists and destroys sessions", async () => {
      const cookie = new session.Cookie();
      await store.set("one", { cookie });
      await store.set("two", { cookie });
      assert.ok((await client.ttl("session:one")) > 290);
      const held: unknown = await store.get("one");
      assert.ok(typeof held === "object" && held !== null && "cookie" in held);
      assert.equal(await store.get("none"), null);
      const ids: unknown = await store.ids();
      assert.deepEqual(Array.isArray(ids) && ids.map(String).sort(), ["one", "two"]);
      assert.equal(await store.length(), 2);
      const all: unknown = await store.all();
      assert.equal(Array.isArray(all) && all.length, 2);
      await store.destroy("one");
      assert.equal(await store.get("one"), null);
      await store.clear();
      assert.equal(await store.length(), 0);
    });

    it("lets a session live as long as its cookie, and longer when it is touched", async () => {
      const cookie = new session.Cookie();
      cookie.maxAge = 60_000;
      await store.set("brief", { cookie });
      const ttl = await client.ttl("session:brief");
      assert.ok(ttl > 50 && ttl <= 60, `${ttl} s`);
      cookie.maxAge = 600_000;
      await store.touch("brief", { cookie });
      assert.ok((await client.ttl("session:brief")) > 590);
      await store.destroy("brief");
    });

    it("keeps a session between requests", async () => {
      const sessions = session({ store, secret: "a secret", resave: false, saveUninitialized: true });
      const handle: RequestListener = (request, response) => {
        // express-session takes what Node's own server has, and is typed for express.
        Reflect.apply(sessions, undefined, [
          request,
          response,
          () => {
            const { session: held } = Object(request) as { session: { views?: number } };
            held.views = (held.views ?? 0) + 1;
            response.end(String(held.views));
          },
        ]);
      };
      const web = createServer(handle).listen(0, "127.0.0.1");
      await once(web, "listening");
      const address = web.address();
      assert.ok(typeof address === "object" && address !== null);
      const url = `http://127.0.0.1:${address.port}/`;
      const first = await fetch(url);
      assert.equal(await first.text(), "1");
      const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
      for (const expected of ["2", "3"]) {
        assert.equal(await (await fetch(url, { headers: { cookie } })).text(), expected);
      }
      assert.equal(await (await fetch(url)).text(), "1");
      assert.equal(await store.length(), 2);
      web.close();
      web.closeAllConnections();
    });
  });
}
