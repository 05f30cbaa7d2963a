import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import dns from "node:dns/promises";
import { once } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { BeaconSocket, type BeaconSocketOptions } from "../../../src/net/beacon-socket.js";
import { freeUdpPort, until } from "./loopback.js";

describe("the beacon socket on the loopback interface", () => {
  const opened: { close(): unknown }[] = [];
  let port = 0;

  beforeEach(async () => {
    port = await freeUdpPort();
  });

  afterEach(async () => {
    for (const socket of opened.splice(0)) await socket.close();
    mock.restoreAll();
    syncBuiltinESMExports();
  });

  async function listen(
    options: Partial<BeaconSocketOptions> = {},
  ): Promise<{ readonly socket: BeaconSocket; readonly heard: string[] }> {
    const heard: string[] = [];
    const socket = await BeaconSocket.open(
      {
        ...{ port, interfaces: ["lo"], peers: [], discovery: true, call: Buffer.from("call") },
        ...{ monoMs: () => performance.now(), ...options },
      },
      (datagram, from) => heard.push(`${datagram.toString()} from ${from}`),
    );
    opened.push(socket);
    return { socket, heard };
  }

  it("reaches every node of this host, itself too", async () => {
    const nodes = [await listen(), await listen(), await listen()];
    nodes[0]?.socket.send(Buffer.from("hi"), []);
    await until("all have heard it", () => nodes.every(({ heard }) => heard.length > 0));
    for (const { heard } of nodes) assert.deepEqual(heard, ["hi from 127.0.0.1"]);
  });

  it("does not send twice to a host that the broadcast reaches", async () => {
    const { socket, heard } = await listen();
    socket.send(Buffer.from("one"), ["127.0.0.1", "127.0.0.2"]);
    socket.send(Buffer.from("two"), []);
    await until("both came", () => heard.some((text) => text.startsWith("two")));
    assert.equal(heard.filter((text) => text.startsWith("one")).length, 1);
  });

  it("sends to the hosts that the core names when it may not broadcast", async () => {
    const { socket } = await listen({ discovery: false });
    const target = createSocket({ type: "udp4", reuseAddr: true });
    opened.push({ close: () => target.close() });
    target.bind(port, "127.0.0.9");
    await once(target, "listening");
    const heard: string[] = [];
    target.on("message", (datagram) => heard.push(datagram.toString()));
    socket.send(Buffer.from("named"), ["127.0.0.9"]);
    await until("it came", () => heard.length > 0);
    assert.deepEqual(heard, ["named"]);
  });

  it("sends to peers by address and by name, at their own port, and calls them", async () => {
    const peerPort = await freeUdpPort();
    const peer = await listen({ port: peerPort });
    const sender = await listen({
      discovery: false,
      peers: [`127.0.0.1:${peerPort}`, `localhost:${peerPort}`],
    });
    await until("the name is looked up", () => {
      sender.socket.send(Buffer.from("hello"), []);
      return peer.heard.length >= 5;
    });
    assert.deepEqual([...new Set(peer.heard)].sort(), ["call from 127.0.0.1", "hello from 127.0.0.1"]);
    assert.deepEqual(sender.heard, []);
  });

  it("looks a name up once, and sends to it when its address is known", async () => {
    const { socket } = await listen({ discovery: false });
    const peer = await listen();
    const answers: ((answer: { address: string; family: number }) => void)[] = [];
    mock.method(dns, "lookup", () => new Promise((resolve) => answers.push(resolve)));
    syncBuiltinESMExports();
    for (let i = 0; i < 3; i += 1) socket.send(Buffer.from("early"), ["peer.lan"]);
    assert.equal(answers.length, 1);
    answers[0]?.({ address: "127.0.0.1", family: 4 });
    await Promise.resolve();
    await until("it came", () => {
      socket.send(Buffer.from("named"), ["peer.lan"]);
      return peer.heard.length > 0;
    });
    assert.equal(answers.length, 1);
    assert.ok(!peer.heard.includes("early from 127.0.0.1"));
  });

  it("reads the machine's networks once for all datagrams of a second", async () => {
    const { networkInterfaces } = os;
    const read = mock.method(os, "networkInterfaces", () => networkInterfaces());
    syncBuiltinESMExports();
    let nowMs = 0;
    const { heard } = await listen({ monoMs: () => nowMs });
    const sender = createSocket("udp4");
    opened.push({ close: () => sender.close() });
    const hear = async (text: string): Promise<void> => {
      sender.send(text, port, "127.0.0.1");
      await until("it came", () => heard.includes(`${text} from 127.0.0.1`));
    };
    await hear("one");
    await hear("two");
    assert.equal(read.mock.callCount(), 1);
    nowMs = 1_000;
    await hear("three");
    assert.equal(read.mock.callCount(), 2);
  });

  it("uses the networks of the interfaces that were chosen", async () => {
    const info = { family: "IPv4", netmask: "255.0.0.0", mac: "", internal: true, cidr: null } as const;
    mock.method(os, "networkInterfaces", () => ({
      lo: [{ ...info, address: "127.0.0.1" }],
      eth0: [{ ...info, address: "10.0.0.1" }],
    }));
    syncBuiltinESMExports();
    const chosen = await listen();
    const all = await listen({ interfaces: undefined, discovery: false });
    const addresses = ({ socket }: typeof all) => socket.networks().map(({ address }) => address);
    assert.deepEqual(addresses(chosen), ["127.0.0.1"]);
    assert.deepEqual(addresses(all), ["127.0.0.1", "10.0.0.1"]);
  });

  it("keeps the networks that it knows while they cannot be read, and says so once", async () => {
    const { socket, heard } = await listen();
    const errors: string[] = [];
    socket.onUnreadable = ({ message }) => errors.push(message);
    const { networkInterfaces } = os;
    let isFailing = false;
    mock.method(os, "networkInterfaces", () => {
      if (isFailing) throw new Error("uv_interface_addresses returned error 24");
      return networkInterfaces();
    });
    syncBuiltinESMExports();
    for (const round of [1, 2]) {
      isFailing = false;
      const known = socket.networks().map(({ address }) => address);
      isFailing = true;
      socket.send(Buffer.from(`${round}`), []);
      assert.deepEqual(
        socket.networks().map(({ address }) => address),
        known,
      );
      await until("it came", () => heard.includes(`${round} from 127.0.0.1`));
      assert.equal(errors.length, round);
    }
    assert.match(errors[0] ?? "", /error 24$/);
  });

  it("survives a peer whose name nobody knows and an address that cannot be reached", async () => {
    const { socket, heard } = await listen({ peers: ["nobody.invalid"] });
    socket.send(Buffer.from("one"), ["256.1.1.1"]);
    socket.send(Buffer.from("two"), []);
    await until("both came", () => heard.length >= 2);
  });

  it("does not open when another program holds the port alone", async () => {
    const other = createSocket("udp4");
    opened.push({ close: () => other.close() });
    other.bind(port);
    await once(other, "listening");
    await assert.rejects(listen(), {
      name: "LankvError",
      code: "LANKV_PORT",
      message: new RegExp(String(port)),
    });
  });

  it("sends what waits before it closes", async () => {
    const [one, two] = [await listen(), await listen()];
    // From within a promise's callback everything up to the close would otherwise run before the system is asked.
    await Promise.resolve();
    one.socket.send(Buffer.from("goodbye"), []);
    await one.socket.close();
    await until("it came", () => two.heard.length > 0);
    assert.deepEqual(two.heard, ["goodbye from 127.0.0.1"]);
  });

  it("sends nothing once it is closed, and closes twice", async () => {
    const { socket } = await listen();
    const other = await listen();
    await socket.close();
    await socket.close();
    socket.send(Buffer.from("late"), []);
    other.socket.send(Buffer.from("own"), []);
    await until("the own came", () => other.heard.length > 0);
    assert.deepEqual(other.heard, ["own from 127.0.0.1"]);
  });
});
