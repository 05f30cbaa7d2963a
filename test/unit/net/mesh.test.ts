import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { afterEach, describe, it } from "node:test";
import { Publisher } from "zeromq";
import type { Message } from "../../../src/core/message.js";
import { Mesh } from "../../../src/net/mesh.js";
import { until } from "./loopback.js";

interface Member {
  readonly mesh: Mesh;
  readonly messages: Message[];
  readonly subscriptions: string[];
  malformed: number;
}

function list(from: string, id: number): Message {
  return { type: "list", from, id, sums: new Uint32Array(512) };
}

function set(from: string, seq: number): Message {
  return { type: "set", from, seq, records: [] };
}

const A = "00000000000000aa";
const B = "00000000000000bb";
const C = "00000000000000cc";

describe("the mesh on the loopback interface", () => {
  const opened: { close(): unknown }[] = [];

  afterEach(async () => {
    for (const part of opened.splice(0)) await part.close();
  });

  async function join(writer: string, port = 0): Promise<Member> {
    const messages: Message[] = [];
    const subscriptions: string[] = [];
    const count = { malformed: 0 };
    const mesh = await Mesh.open(
      { writer, port, hosts: ["127.0.0.1"], monoMs: () => performance.now() },
      {
        onMessage: (message) => messages.push(message),
        onSubscription: (who, present) => subscriptions.push(`${who} ${present ? "came" : "went"}`),
        onMalformed: () => (count.malformed += 1),
      },
    );
    opened.push(mesh);
    return {
      mesh,
      messages,
      subscriptions,
      get malformed() {
        return count.malformed;
      },
    };
  }

  function endpointOf({ mesh }: Member): string {
    return `tcp://127.0.0.1:${mesh.port}`;
  }

  it("tells who subscribed, and loses nothing that is sent from then on", async () => {
    const [a, b] = [await join(A), await join(B)];
    b.mesh.connect(endpointOf(a));
    await until("the subscription is seen", () => a.subscriptions.length > 0);
    assert.deepEqual(a.subscriptions, [`${B} came`]);
    const sent = Array.from({ length: 300 }, (_, i) => set(A, i + 1));
    for (const message of sent) a.mesh.publish(message, undefined);
    await until("all came", () => b.messages.length >= sent.length);
    assert.deepEqual(b.messages, sent);
  });

  it("brings a message for one node to that one only", async () => {
    const [a, b, c] = [await join(A), await join(B), await join(C)];
    for (const { mesh } of [b, c]) mesh.connect(endpointOf(a));
    await until("both subscribed", () => a.subscriptions.length === 2);
    a.mesh.publish(list(A, 1), B);
    a.mesh.publish(list(A, 2), C);
    a.mesh.publish(set(A, 1), undefined);
    await until("all came", () => b.messages.length >= 2 && c.messages.length >= 2);
    assert.deepEqual(b.messages, [list(A, 1), set(A, 1)]);
    assert.deepEqual(c.messages, [list(A, 2), set(A, 1)]);
  });

  it("tells who has gone", async () => {
    const [a, b] = [await join(A), await join(B)];
    b.mesh.connect(endpointOf(a));
    await until("it came", () => a.subscriptions.length === 1);
    b.mesh.disconnect(endpointOf(a));
    await until("it went", () => a.subscriptions.length === 2);
    assert.deepEqual(a.subscriptions, [`${B} came`, `${B} went`]);
  });

  it("counts frames that are malformed and goes on", async () => {
    const b = await join(B);
    const stranger = new Publisher({ linger: 0 });
    opened.push(stranger);
    await stranger.bind("tcp://127.0.0.1:*");
    b.mesh.connect(stranger.lastEndpoint ?? "");
    const [a] = [await join(A)];
    b.mesh.connect(endpointOf(a));
    await until("the good one subscribed", () => a.subscriptions.length > 0);
    // A plain PUB does not tell when it has a subscriber: it says its nonsense until it is heard.
    const babble = setInterval(() => void stranger.send("set nonsense"), 20);
    try {
      await until("the nonsense is counted", () => b.malformed > 0);
    } finally {
      clearInterval(babble);
    }
    a.mesh.publish(set(A, 1), undefined);
    await until("the message came", () => b.messages.length > 0);
    assert.deepEqual(b.messages, [set(A, 1)]);
  });

  it("takes no harm from endpoints that are none", async () => {
    const a = await join(A);
    for (const endpoint of ["tcp://[zzz]:1", "nonsense", "tcp://127.0.0.1:99999"]) {
      a.mesh.connect(endpoint);
      a.mesh.disconnect(endpoint);
    }
    a.mesh.disconnect("tcp://127.0.0.1:1");
  });

  it("does not open on a port that is taken, and names it", async () => {
    const server = createServer();
    opened.push({ close: () => server.close() });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    await assert.rejects(join(A, address.port), {
      name: "LankvError",
      code: "LANKV_PORT",
      message: new RegExp(String(address.port)),
    });
  });

  it("sends what waits before it closes, and closes twice", async () => {
    const [a, b] = [await join(A), await join(B)];
    b.mesh.connect(endpointOf(a));
    await until("the subscription is seen", () => a.subscriptions.length > 0);
    for (let seq = 1; seq <= 200; seq += 1) a.mesh.publish(set(A, seq), undefined);
    await a.mesh.close();
    await a.mesh.close();
    a.mesh.publish(set(A, 201), undefined);
    await until("all came", () => b.messages.length >= 200);
    assert.equal(b.messages.length, 200);
  });
});
