import assert from "node:assert/strict";
import { statusFrom } from "../lan/daemon.js";
import { until } from "../lan/until.js";
import type { RespClient } from "../lan/resp-client.js";
import type { Daemon } from "./daemon.js";

/** Waits until nodes see each other and hold the same. */
export async function agree(...daemons: Daemon[]): Promise<void> {
  const clients = await Promise.all(daemons.map((daemon) => daemon.connect()));
  await until("all hold the same", async () => {
    const statuses = await Promise.all(clients.map(statusOf));
    for (const { name, peers, root } of statuses) {
      assert.equal(peers, daemons.length - 1, `${name} sees its peers`);
      assert.equal(root, statuses[0]?.root, `${name} holds what ${statuses[0]?.name ?? ""} holds`);
    }
  });
  for (const client of clients) client.close();
}

/** Waits until all that these nodes hold is durable on their own disks, also what they have just pulled. */
export async function sync(...daemons: readonly Daemon[]): Promise<void> {
  await Promise.all(
    daemons.map(async (daemon) => {
      const client = await daemon.connect();
      assert.equal(String(await client.call("LANKV.SYNC")), "OK");
      client.close();
    }),
  );
}

async function statusOf(client: RespClient): Promise<ReturnType<typeof statusFrom>> {
  return statusFrom(String(await client.call("LANKV.STATUS")));
}
