/** What closing does for the peers, and what it does when something fails. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { Mesh } from "../../../src/net/mesh.js";
import { HandOver } from "../../../src/node/hand-over.js";
import type { Lankv, OpenOptions } from "../../../src/node/lankv.js";
import { open } from "../../../src/node/open.js";
import { freeUdpPort, until } from "../net/loopback.js";

const opened: Lankv[] = [];
let beaconPort = 0;

beforeEach(async () => {
  beaconPort = await freeUdpPort();
});

afterEach(async () => {
  mock.restoreAll();
  await Promise.all(opened.splice(0).map((kv) => kv.close()));
});

async function openOne(options: OpenOptions = { memory: true }): Promise<Lankv> {
  const kv = await open({ interfaces: ["lo"], beaconPort, ...options });
  opened.push(kv);
  return kv;
}

async function openPair(): Promise<readonly [Lankv, Lankv]> {
  const pair = [await openOne(), await openOne()] as const;
  await Promise.all(pair.map((kv) => kv.ready({ peers: 1, synced: true, timeoutMs: 30_000 })));
  return pair;
}

/** Closes it while the time stands still for which it would wait for peers: it must have no need to, or get what it waits for. */
async function closeUnhurried(kv: Lankv): Promise<void> {
  const { isAwaited } = Object.getOwnPropertyDescriptors(HandOver.prototype);
  mock.method(HandOver.prototype, "isAwaited", function (this: HandOver) {
    return isAwaited.value?.call(this, 0);
  });
  await kv.close();
  mock.restoreAll();
}

describe("closing", () => {
  const cases = [
    { keys: 1, isPaced: true },
    { keys: 20_000, isPaced: false },
    { keys: 200_000, isPaced: true },
  ];
  for (const { keys, isPaced } of cases) {
    it(`leaves ${keys} keys with the peer that were just written ${isPaced ? "in turn" : "at once"}`, async () => {
      const [writer, reader] = await openPair();
      for (let i = 0; i < keys; i += 1) {
        const written = writer.set(`key${i}`, `value${i}`);
        if (isPaced) await written;
      }
      await writer.close();
      await until("the writer has left", () => reader.status().peers === 0);
      assert.equal(reader.status().keys, keys);
      assert.equal(reader.status().root, writer.status().root);
    });
  }

  it("refuses writes at once, also while the peer takes the earlier ones", async () => {
    const [writer, reader] = await openPair();
    await writer.set("k", "v");
    const closing = writer.close();
    await assert.rejects(writer.set("k", "late"), { code: "LANKV_CLOSED" });
    await closing;
    assert.equal(writer.peek("k"), "v");
    assert.equal(reader.peek("k"), "v");
  });

  it("waits for nothing that does not come when nothing was written, or by others only", async () => {
    const [reader, writer] = await openPair();
    await closeUnhurried(await openOne());
    await writer.set("k", "v");
    await until("it came", () => reader.peek("k") === "v");
    await closeUnhurried(reader);
  });

  it("waits for nothing that does not come when nobody is there, or everybody holds the same", async () => {
    const alone = await openOne({ memory: true, cluster: "alone" });
    await alone.set("k", "v");
    await closeUnhurried(alone);
    const [writer] = await openPair();
    await writer.set("k", "v");
    await until("it is held by both", () => writer.peers()[0]?.root === writer.status().root);
    await closeUnhurried(writer);
  });

  it("closes everything though a part of it fails, and says so", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "lankv-"));
    const failure = new Error("the mesh failed");
    const { value: close } = Object.getOwnPropertyDescriptor(Mesh.prototype, "close") as {
      value: (this: Mesh) => Promise<void>;
    };
    mock.method(Mesh.prototype, "close", async function (this: Mesh) {
      await close.call(this);
      throw failure;
    });
    const kv = await open({ interfaces: ["lo"], beaconPort, dataDir });
    await assert.rejects(kv.close(), failure);
    mock.restoreAll();
    const again = await open({ interfaces: ["lo"], beaconPort, dataDir });
    await again.close();
    rmSync(dataDir, { recursive: true });
  });
});
