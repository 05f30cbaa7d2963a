/** Keyv with its Redis adapter. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import KeyvRedis from "@keyv/redis";
import { Keyv } from "keyv";
import { until } from "../lan/until.js";
import { SERVERS, type Server } from "./server.js";

const PASSWORD = "open sesame";

for (const [name, start] of SERVERS) {
  describe(`@keyv/redis with ${name}`, () => {
    let server: Server;
    let keyv: Keyv;
    let other: Keyv;

    const connect = (namespace: string): Keyv => {
      const where = { socket: { port: server.port }, password: PASSWORD };
      return new Keyv(new KeyvRedis(where, { throwOnErrors: true }), { namespace });
    };

    before(async () => {
      server = await start({ password: PASSWORD });
      keyv = connect("cache");
      other = connect("other");
    });

    after(async () => {
      await keyv.disconnect();
      await other.disconnect();
      await server[Symbol.asyncDispose]();
    });

    it("keeps values of any kind", async () => {
      const value = { text: "☃", list: [1, 2], nothing: null };
      assert.equal(await keyv.set("one", value), true);
      assert.deepEqual(await keyv.get("one"), value);
      assert.equal(await keyv.get("two"), undefined);
      assert.equal(await keyv.has("one"), true);
      assert.equal(await keyv.delete("one"), true);
      assert.equal(await keyv.delete("one"), false);
    });

    it("keeps many at once", async () => {
      await keyv.setMany([
        { key: "a", value: 1 },
        { key: "b", value: 2, ttl: 60_000 },
      ]);
      assert.deepEqual(await keyv.getMany(["a", "b", "c"]), [1, 2, undefined]);
      assert.deepEqual(await keyv.hasMany(["a", "c"]), [true, false]);
      assert.equal(await keyv.delete(["a", "b"]), true);
    });

    it("lets values expire", async () => {
      await keyv.set("brief", 1, 80);
      assert.equal(await keyv.get("brief"), 1);
      await until("it has expired", async () => {
        assert.equal(await keyv.get("brief"), undefined);
      });
    });

    it("walks and clears its namespace and no other", async () => {
      await other.set("kept", 1);
      const names = Array.from({ length: 50 }, (_, i) => `k${i}`);
      await Promise.all(names.map((key) => keyv.set(key, key)));
      assert.ok(keyv.iterator !== undefined);
      const met: string[] = [];
      for await (const [key] of keyv.iterator({})) met.push(String(key));
      assert.deepEqual(met.sort(), [...names].sort());
      await keyv.clear();
      assert.equal(await keyv.get("k1"), undefined);
      assert.equal(await other.get("kept"), 1);
    });
  });
}
