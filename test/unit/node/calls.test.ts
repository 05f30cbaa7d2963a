/** Calls: who asks by UDP who is there is told, to itself alone, and is no peer. */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import type { Lankv } from "../../../src/node/lankv.js";
import { open } from "../../../src/node/open.js";
import { murmur3 } from "../../../src/core/hash.js";
import { decodeBeacon, encodeBeacon, isCall } from "../../../src/wire/beacon.js";
import { freeUdpPort, until } from "../net/loopback.js";

describe("a call", () => {
  const cluster = murmur3("default", 0);
  let beaconPort = 0;
  let kv: Lankv;
  let caller: Socket;
  let answers: Buffer[] = [];

  before(async () => {
    beaconPort = await freeUdpPort();
    kv = await open({ name: "one", memory: true, interfaces: ["lo"], beaconPort });
  });

  after(() => kv.close());

  beforeEach(async () => {
    answers = [];
    caller = createSocket("udp4");
    caller.on("message", (datagram) => answers.push(datagram));
    caller.bind(0);
    await once(caller, "listening");
  });

  afterEach(() => {
    caller.close();
  });

  function send(itsCluster: number, flags: { hello: boolean; goodbye: boolean }): void {
    const beacon = encodeBeacon({
      ...{
        nodeId: "00000000000000aa",
        writer: "00000000000000bb",
        wallMs: 0,
        head: 9,
        root: "0".repeat(16),
        keys: 0,
      },
      ...{
        state: "live",
        name: "caller",
        port: beaconPort,
        advertise: "",
        software: "",
        cluster: itsCluster,
      },
      ...flags,
    });
    caller.send(beacon, beaconPort, "127.0.0.1");
  }

  it("is answered with a plain beacon, and its sender is no peer", async () => {
    await until("the answer came", () => {
      send(cluster, { hello: true, goodbye: true });
      return answers.length > 0;
    });
    const answer = decodeBeacon(answers[0] ?? Buffer.alloc(0), cluster);
    assert(typeof answer !== "string");
    const { nodeId, writer, port } = kv.status();
    assert.deepEqual(
      [answer.nodeId, answer.writer, answer.port, answer.name, answer.hello, answer.goodbye],
      [nodeId, writer, port, "one", false, false],
    );
    assert.deepEqual(kv.peers(), []);
    assert.deepEqual(kv.status().ignored, {});
  });

  it("of another cluster is not answered, nor are many at once answered each", async () => {
    const ignored = (): number => kv.status().ignored["beacon: other cluster"] ?? 0;
    await until("it was ignored", () => {
      send(cluster ^ 1, { hello: true, goodbye: true });
      return ignored() > 0;
    });
    assert.equal(answers.length, 0);

    for (let call = 0; call < 100; call += 1) send(cluster, { hello: true, goodbye: true });
    await until("an answer came", () => answers.length > 0);
    // Datagrams of one sender come in order: when this one is counted, every call was heard.
    const before = ignored();
    await until("the last was heard", () => {
      send(cluster ^ 1, { hello: true, goodbye: true });
      return ignored() > before;
    });
    assert(answers.length < 100, `${String(answers.length)} answers`);
  });

  it("goes with each beacon to those whom a node names, in nobody's name", async () => {
    const { port } = caller.address();
    const flags = { memory: true, interfaces: ["lo"], beaconPort: await freeUdpPort(), discovery: false };
    await using naming = await open({ ...flags, name: "naming", peers: [`127.0.0.1:${String(port)}`] });
    await until("both came", () => answers.length >= 2);
    const heard = answers.map((datagram) => {
      const beacon = decodeBeacon(datagram, cluster);
      assert(typeof beacon !== "string");
      return beacon;
    });
    const { writer } = naming.status();
    assert(heard.some((beacon) => !isCall(beacon) && beacon.writer === writer));
    assert(heard.some((beacon) => isCall(beacon)));
    assert(heard.every((beacon) => !isCall(beacon) || beacon.writer !== writer));
  });
});
