import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OpenOptions } from "../../../src/node/lankv.js";
import { open } from "../../../src/node/open.js";
import { BEACON_PORT, resolveOptions } from "../../../src/node/options.js";
import { defaultDataDir } from "../../../src/node/data-dir.js";

/** What JavaScript callers may pass. */
function wrong(options: unknown): OpenOptions {
  return options as OpenOptions;
}

describe("the options", () => {
  it("have defaults", () => {
    const resolved = resolveOptions({});
    assert.ok(resolved.name.length > 0);
    assert.deepEqual(
      { ...resolved, name: "" },
      {
        name: "",
        cluster: "default",
        isClusterNamed: false,
        dataDir: defaultDataDir(),
        fsync: "everysec",
        interfaces: undefined,
        beaconPort: BEACON_PORT,
        peers: [],
        discovery: true,
        port: 0,
        advertise: "",
        valueBytesMax: 1_048_576,
      },
    );
  });

  it("are taken as given", () => {
    const given = {
      name: "kitchen",
      cluster: "home",
      interfaces: ["lo"],
      beaconPort: 5006,
      peers: ["10.0.0.1", "attic:5007", "a-b.c_d.lan"],
      discovery: false,
      port: 65_535,
      advertise: "kitchen.lan",
      valueBytesMax: 0,
    };
    const onDisk = { ...given, dataDir: "/d", fsync: "always" } as const;
    assert.deepEqual(resolveOptions(onDisk), { ...onDisk, isClusterNamed: true });
    const inMemory = { ...given, isClusterNamed: true, dataDir: undefined, fsync: "everysec" };
    assert.deepEqual(resolveOptions({ ...given, memory: true }), inMemory);
  });

  it("of the wrong type are named", () => {
    const cases: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
      [{ name: 7 }, /^name must be a string, not number$/],
      [{ cluster: {} }, /^cluster must be a string, not object$/],
      [{ dataDir: true }, /^dataDir must be a string, not boolean$/],
      [{ memory: "yes" }, /^memory must be true or false, not yes$/],
      [{ discovery: 0 }, /^discovery must be true or false, not 0$/],
      [{ interfaces: "lo" }, /^interfaces must be an array of strings$/],
      [{ interfaces: [1] }, /^interfaces must be an array of strings$/],
      [{ peers: "10.0.0.1" }, /^peers must be an array of strings$/],
      [{ port: "80" }, /^port must be a number, not string$/],
      [{ beaconPort: "5005" }, /^beaconPort must be a number, not string$/],
      [{ advertise: 1 }, /^advertise must be a string, not number$/],
      [{ valueBytesMax: "1" }, /^valueBytesMax must be a number, not string$/],
    ];
    for (const [options, message] of cases) {
      assert.throws(() => resolveOptions(wrong(options)), { name: "TypeError", message });
    }
  });

  it("outside their bounds are named with them", () => {
    const cases: readonly (readonly [OpenOptions, RegExp])[] = [
      [{ name: "" }, /^name must have 1 to 64 bytes, not 0$/],
      [{ name: "ü".repeat(33) }, /^name must have 1 to 64 bytes, not 66$/],
      [{ cluster: "c".repeat(65) }, /^cluster must have 1 to 64 bytes, not 65$/],
      [{ dataDir: "" }, /^dataDir must have 1 to 4096 bytes, not 0$/],
      [{ port: 0 }, /^port must be a whole number from 1 to 65535, not 0$/],
      [{ port: 65_536 }, /^port must be a whole number from 1 to 65535, not 65536$/],
      [{ port: Number.NaN }, /^port must be a whole number from 1 to 65535, not NaN$/],
      [{ beaconPort: 1.5 }, /^beaconPort must be a whole number from 1 to 65535, not 1.5$/],
      [{ valueBytesMax: -1 }, /^valueBytesMax must be a whole number from 0 to 1048576, not -1$/],
      [{ valueBytesMax: 2 ** 20 + 1 }, /^valueBytesMax must be a whole number from 0 to 1048576/],
      [{ interfaces: [] }, /^interfaces must name at least one/],
      [
        { peers: ["10.0.0.1:0"] },
        /^peers must be HOST or HOST:PORT .* a port from 1 to 65535\), not 10.0.0.1:0$/,
      ],
      [{ peers: ["10.0.0.1:x"] }, /^peers must be HOST or HOST:PORT .*, not 10.0.0.1:x$/],
      [{ peers: ["10.0.0.1:"] }, /^peers must be HOST or HOST:PORT .*, not 10.0.0.1:$/],
      [{ peers: ["10.0.0.1:65536"] }, /^peers must be HOST or HOST:PORT/],
      [{ peers: ["fe80::1"] }, /^peers must be HOST or HOST:PORT \(IPv4, .*, not fe80::1$/],
      [{ peers: [""] }, /^peers must be HOST or HOST:PORT/],
      [{ peers: ["h:1:2"] }, /^peers must be HOST or HOST:PORT/],
      [{ advertise: "a b" }, /^advertise must be a host or an IPv4 address, not a b$/],
      [{ advertise: "h:80" }, /^advertise must be a host or an IPv4 address, not h:80$/],
    ];
    for (const [options, message] of cases) {
      assert.throws(() => resolveOptions(options), { name: "RangeError", message });
    }
  });

  it("name an interface that exists", () => {
    assert.throws(() => resolveOptions({ interfaces: ["lo", "no-such-interface"] }), {
      name: "LankvError",
      code: "LANKV_INTERFACE",
      message: /no-such-interface.*This machine has: .*lo/,
    });
  });

  it("that do not exist are named, with those that do", async () => {
    await assert.rejects(open(wrong({ memory: true, beaconport: 5006 })), {
      name: "TypeError",
      message: /^there is no option beaconport, only name, cluster, .*beaconPort/,
    });
    await assert.rejects(open(wrong(null)), {
      name: "TypeError",
      message: /^options must be an object, not null$/,
    });
    await assert.rejects(open(wrong("lo")), {
      name: "TypeError",
      message: /^options must be an object, not string$/,
    });
  });
});

describe("the default data directory", () => {
  it("is the platform's place for state", { skip: process.platform !== "linux" && "other platform" }, () => {
    const path = defaultDataDir({ XDG_STATE_HOME: "/state" });
    assert.equal(path, process.getuid?.() === 0 ? "/var/lib/lankv" : "/state/lankv");
  });
});
