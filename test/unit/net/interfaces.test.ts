import assert from "node:assert/strict";
import { syncBuiltinESMExports } from "node:module";
import os, { type NetworkInterfaceInfo } from "node:os";
import { after, before, describe, it, mock } from "node:test";
import { interfaceNames, readNetworks } from "../../../src/net/interfaces.js";

let pretended: Readonly<Record<string, NetworkInterfaceInfo[]>> = {};

/** Makes the machine look as if it had these addresses: `{ eth0: ["10.1.2.3/24"] }`. */
function pretend(interfaces: Readonly<Record<string, readonly string[]>>): void {
  const infos = Object.entries(interfaces).map(([name, addresses]) => [name, addresses.map(toInfo)] as const);
  pretended = Object.fromEntries(infos);
}

function toInfo(cidr: string): NetworkInterfaceInfo {
  const [address = "", bits = ""] = cidr.split("/");
  const mac = "00:00:00:00:00:00";
  if (address.includes(":")) {
    return { family: "IPv6", address, netmask: "ffff::", mac, internal: false, cidr, scopeid: 0 };
  }
  const mask = 2 ** 32 - 2 ** (32 - Number(bits));
  const netmask = [24, 16, 8, 0].map((shift) => (mask >>> shift) & 0xff).join(".");
  return { family: "IPv4", address, netmask, mac, internal: address.startsWith("127."), cidr };
}

function broadcastOf(cidr: string): string | undefined {
  pretend({ eth0: [cidr] });
  return readNetworks()[0]?.broadcast;
}

describe("the networks of the machine", () => {
  before(() => {
    mock.method(os, "networkInterfaces", () => pretended);
    syncBuiltinESMExports();
  });

  after(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
  });

  it("have the directed broadcast address of their netmask", () => {
    assert.equal(broadcastOf("10.1.2.3/8"), "10.255.255.255");
    assert.equal(broadcastOf("172.16.5.4/16"), "172.16.255.255");
    assert.equal(broadcastOf("192.168.1.7/24"), "192.168.1.255");
    assert.equal(broadcastOf("192.168.1.7/23"), "192.168.1.255");
    assert.equal(broadcastOf("192.168.1.129/25"), "192.168.1.255");
    assert.equal(broadcastOf("200.1.2.4/30"), "200.1.2.7");
  });

  it("have none on a point-to-point link", () => {
    assert.equal(broadcastOf("10.0.0.1/31"), undefined);
    assert.equal(broadcastOf("10.0.0.1/32"), undefined);
  });

  it("take all of 127 for the loopback interface, whatever its mask", () => {
    assert.equal(broadcastOf("127.0.0.1/8"), "127.255.255.255");
    assert.equal(broadcastOf("127.0.0.1/32"), "127.255.255.255");
    assert.equal(readNetworks()[0]?.contains("127.9.9.9"), true);
  });

  it("contain their own addresses and no others", () => {
    pretend({ eth0: ["192.168.128.7/17"] });
    const [network] = readNetworks();
    assert.ok(network !== undefined);
    assert.ok(network.contains("192.168.128.1") && network.contains("192.168.255.255"));
    assert.ok(!network.contains("192.168.127.255") && !network.contains("193.168.128.1"));
    assert.ok(!network.contains("fe80::1") && !network.contains("") && !network.contains("host"));
  });

  it("are all IPv4 addresses of all interfaces", () => {
    pretend({
      lo: ["127.0.0.1/8"],
      eth0: ["10.0.0.1/24", "fe80::1/64", "10.9.0.1/16"],
      wlan0: ["fe80::2/64"],
    });
    assert.deepEqual(
      readNetworks().map((network) => network.address),
      ["127.0.0.1", "10.0.0.1", "10.9.0.1"],
    );
    assert.deepEqual(interfaceNames(), ["lo", "eth0"]);
  });

  it("are read afresh each time", () => {
    pretend({});
    assert.deepEqual(readNetworks(), []);
    pretend({ eth0: ["10.0.0.1/24"] });
    assert.equal(readNetworks().length, 1);
  });
});

describe("the real loopback interface", () => {
  it("is there", () => {
    const network = readNetworks().find((each) => each.interface === "lo");
    assert.equal(network?.address, "127.0.0.1");
    assert.equal(network.broadcast, "127.255.255.255");
    assert.equal(network.isLoopback, true);
    assert.ok(interfaceNames().includes("lo"));
  });
});
