/** The doors of a daemon in this process. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { serve } from "../../../src/node/daemon.js";
import { connectionsMax } from "../../../src/node/file-limit.js";
import { freeUdpPort } from "../net/loopback.js";

describe("a daemon's bound on clients", () => {
  it("is no greater than what the process can hold", { skip: process.platform !== "linux" }, async () => {
    const max = await connectionsMax();
    const options = { memory: true, interfaces: ["lo"], beaconPort: await freeUdpPort(), redisPort: 0 };
    const socket = join(tmpdir(), "lankv-never-made");
    await assert.rejects(serve({ ...options, socket, limits: { clientsMax: max + 1 } }), {
      name: "RangeError",
      message: /^maxClients must be at most \d+, not \d+: .* 'ulimit -n'/,
    });
  });
});

describe("a daemon's socket", { skip: process.platform === "win32" && "it has no mode there" }, () => {
  it("is nobody else's from its first moment, whatever the umask, which stays as it was", async (test) => {
    const directory = mkdtempSync(join(tmpdir(), "lankv-daemon-"));
    const before = process.umask(0);
    test.after(() => {
      process.umask(before);
      rmSync(directory, { recursive: true });
    });
    const socket = join(directory, "s");
    let mode = 0;
    const listen = Reflect.get(Server.prototype, "listen");
    assert(typeof listen === "function");
    test.mock.method(Server.prototype, "listen", function (this: Server, ...args: unknown[]): unknown {
      const listening: unknown = Reflect.apply(listen, this, args);
      if (args[0] === socket) mode = statSync(socket).mode & 0o777;
      return listening;
    });
    const beaconPort = await freeUdpPort();
    const daemon = await serve({ memory: true, interfaces: ["lo"], beaconPort, socket, redisPort: 0 });
    try {
      assert.equal(mode, 0o600);
      assert.equal(process.umask(), 0);
    } finally {
      await daemon.close();
    }
  });
});
