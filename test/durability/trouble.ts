/** What a node does while it cannot write to its disk, and when it can again. */
import assert from "node:assert/strict";
import { until } from "../lan/until.js";
import type { RespClient } from "../lan/resp-client.js";
import type { Daemon } from "./daemon.js";

/** Writes until one is refused. */
export async function refuses(client: RespClient): Promise<void> {
  await until("writes are refused", async () => {
    const [reply] = await client.pipeline([["SET", "trouble:probe", "x"]]);
    assert(reply instanceof Error, "a write was accepted");
    assert.match(reply.message, /^MISCONF /);
  });
}

/** Writes until one is accepted. */
export async function accepts(client: RespClient): Promise<void> {
  await until("writes are accepted again", async () => {
    const [reply] = await client.pipeline([["SET", "trouble:probe", "y"]]);
    assert(!(reply instanceof Error), reply instanceof Error ? reply.message : "");
  });
}

/**
 * While it refuses writes: they change nothing, the command says why, reads go on, and so does what comes from a peer.
 * @param reason the system's, as users read it
 */
export async function worksOtherwise(node: Daemon, peer: Daemon, reason: RegExp): Promise<void> {
  const [client, peerClient] = await Promise.all([node.connect(), peer.connect()]);
  const [refusal] = await client.pipeline([["SET", "trouble:refused", "x"]]);
  assert(refusal instanceof Error && refusal.message.startsWith("MISCONF "), String(refusal));
  assert.match(refusal.message, reason);
  assert.equal(await client.call("GET", "trouble:refused"), null, "what was refused has changed nothing");

  const { code, stderr } = await node.cli("set", "trouble:refused", "x");
  assert.equal(code, 1);
  assert.match(stderr, reason);
  assert.equal((await node.cli("get", "trouble:probe")).code, 0);
  assert.equal((await node.cli("status")).code, 0);

  const word = `word ${String(performance.now())}`;
  await peerClient.call("SET", "trouble:from-peer", word);
  await until("what a peer writes arrives", async () => {
    assert.equal(String(await client.call("GET", "trouble:from-peer")), word);
  });
  client.close();
  peerClient.close();
}
