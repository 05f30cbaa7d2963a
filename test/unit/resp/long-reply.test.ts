import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toLongReply } from "../../../src/resp/long-reply.js";
import { encode, encodeBounded, REPLY_BYTES_MAX } from "../../../src/resp/reply.js";
import { ClientStage } from "./client-stage.js";

describe("a reply of many keys", () => {
  it("is the same on the wire as one that is encoded at once", async () => {
    for (const count of [0, 1, 8, 9, 16, 17, 100]) {
      const keys = Array.from({ length: count }, (_, at) => `\xff\r\n${at}`);
      const reply = await toLongReply(keys, 8);
      for (const protocol of [2, 3] as const)
        assert.equal(encodeBounded(reply, protocol), encode(keys, protocol), `${count}`);
    }
  });

  it("is refused when it is too long", async () => {
    const key = "x".repeat(2 ** 20);
    const reply = await toLongReply(
      Array.from({ length: 300 }, () => key),
      8,
    );
    assert.equal(encodeBounded(reply, 2), `-ERR reply is larger than ${REPLY_BYTES_MAX} bytes\r\n`);
  });

  it("is what KEYS and LANKV.LS give", async () => {
    const stage = new ClientStage();
    const keys = Array.from({ length: 20_000 }, (_, at) => String(100_000 + at));
    for (const key of keys) stage.keyspace.set(key, "v");
    const inOrder = encode(keys, 2).replace(/\r\n$/, "");
    assert.equal(await stage.reply("lankv.ls"), inOrder);
    assert.equal(await stage.reply("keys", "*"), inOrder);
  });
});
