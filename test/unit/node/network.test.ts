/** What the machine's networks do to a node. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import { connect, createServer } from "node:net";
import os, { type NetworkInterfaceInfo } from "node:os";
import { afterEach, describe, it, mock } from "node:test";
import { murmur3 } from "../../../src/core/hash.js";
import type { Lankv } from "../../../src/node/lankv.js";
import { open } from "../../../src/node/open.js";
import { encodeBeacon } from "../../../src/wire/beacon.js";
import { freeUdpPort, until } from "../net/loopback.js";

const openModule = new URL("../../../src/node/open.js", import.meta.url).href;

describe("a node", () => {
  const opened: { close(): unknown }[] = [];

  afterEach(async () => {
    for (const part of opened.splice(0)) await part.close();
    mock.restoreAll();
    syncBuiltinESMExports();
  });

  async function openNode(): Promise<Lankv> {
    const kv = await open({ memory: true, interfaces: ["lo"], beaconPort: await freeUdpPort() });
    opened.push(kv);
    return kv;
  }

  it("is ready where there is no network", () => {
    const script = `
      const { open } = await import(${JSON.stringify(openModule)});
      const kv = await open({ memory: true });
      await kv.ready({ synced: true, timeoutMs: 60_000 });
      console.log(kv.status().state, kv.status().synced);
      await kv.close();
    `;
    // A network namespace of its own has none but the loopback interface, which is down.
    const args = ["-Urn", process.execPath, "--input-type=module", "--eval", script];
    assert.equal(execFileSync("unshare", args, { encoding: "utf8" }).trim(), "offline true");
  });

  it("tells that a peer is up once, though it was quiet meanwhile", async () => {
    const kv = await openNode();
    const events: string[] = [];
    kv.on("peer:up", ({ name }) => events.push(`${name} up`));
    kv.on("peer:gone", ({ name }) => events.push(`${name} gone`));
    const { beaconPort } = kv.status();
    const socket = createSocket("udp4");
    opened.push({ close: () => socket.close() });
    const say = (goodbye: boolean): void => {
      const id = { nodeId: "00000000000000aa", writer: "00000000000000bb" };
      const vitals = {
        ...id,
        wallMs: Date.now(),
        head: 0,
        root: "0".repeat(16),
        keys: 0,
        state: "live",
      } as const;
      const self = { cluster: murmur3("default", 0), name: "peer", port: 1, advertise: "", software: "" };
      socket.send(encodeBeacon({ ...vitals, ...self, hello: false, goodbye }), beaconPort, "127.0.0.1");
    };
    say(false);
    await until("it is quiet", () => kv.peers()[0]?.state === "quiet");
    say(false);
    await until("it is back", () => kv.peers()[0]?.state === "up");
    say(true);
    await until("it is gone", () => kv.peers().length === 0);
    assert.deepEqual(events, ["peer up", "peer gone"]);
  });

  it("binds to an address that it could not be bound to at first", async () => {
    const kv = await openNode();
    const { port } = kv.status();
    const server = createServer();
    server.listen(port, "127.0.0.2");
    await once(server, "listening");
    const errors: Error[] = [];
    kv.on("error", (error) => errors.push(error));
    const lo = ["127.0.0.1", "127.0.0.2"].map((address): NetworkInterfaceInfo => {
      const mac = "00:00:00:00:00:00";
      return { family: "IPv4", address, netmask: "255.0.0.0", mac, internal: true, cidr: `${address}/8` };
    });
    mock.method(os, "networkInterfaces", () => ({ lo }));
    syncBuiltinESMExports();
    await until("it fails", () => errors.length > 0);
    await new Promise((resolve) => server.close(resolve));
    let isBound = false;
    await until("it is bound", () => {
      const socket = connect(port, "127.0.0.2");
      socket.on("error", () => undefined);
      socket.once("connect", () => {
        isBound = true;
        socket.destroy();
      });
      return isBound;
    });
  });
});
