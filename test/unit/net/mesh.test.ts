import assert from "node:assert/strict";
import dns from "node:dns/promises";
import { once } from "node:events";
import { syncBuiltinESMExports } from "node:module";
import { connect, createServer, type Server } from "node:net";
import { afterEach, describe, it, mock } from "node:test";
import { Publisher, Subscriber, XPublisher, XSubscriber } from "zeromq";
import type { Message } from "../../../src/core/message.js";
import { Mesh } from "../../../src/net/mesh.js";
import { readMessage } from "../../received.js";
import { uncaught, until } from "./loopback.js";

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
    mock.restoreAll();
    syncBuiltinESMExports();
  });

  async function listen(host: string, port = 0): Promise<Server & { port: number }> {
    const server = createServer();
    opened.push({ close: () => server.close() });
    server.listen(port, host);
    await once(server, "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    return Object.assign(server, { port: address.port });
  }

  /** Somebody who sends what no node sends. */
  function newStranger(target: Member): XSubscriber {
    const stranger = new XSubscriber({ linger: 0, sendHighWaterMark: 0 });
    opened.push(stranger);
    stranger.connect(endpointOf(target));
    return stranger;
  }

  async function join(writer: string, port = 0): Promise<Member> {
    const messages: Message[] = [];
    const subscriptions: string[] = [];
    const count = { malformed: 0 };
    const mesh = await Mesh.open(
      { writer, port, hosts: ["127.0.0.1"], monoMs: () => performance.now() },
      {
        onMessage: (message) => messages.push(readMessage(message)),
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
    const { port } = await listen("127.0.0.1");
    await assert.rejects(join(A, port), {
      name: "LankvError",
      code: "LANKV_PORT",
      message: new RegExp(String(port)),
    });
  });

  it("sends what waits when it is asked to before it closes, and closes twice", async () => {
    const [a, b] = [await join(A), await join(B)];
    b.mesh.connect(endpointOf(a));
    await until("the subscription is seen", () => a.subscriptions.length > 0);
    for (let seq = 1; seq <= 200; seq += 1) a.mesh.publish(set(A, seq), undefined);
    await a.mesh.drained(60_000);
    await a.mesh.close();
    await a.mesh.close();
    a.mesh.publish(set(A, 201), undefined);
    await until("all came", () => b.messages.length >= 200);
    assert.equal(b.messages.length, 200);
  });

  it("keeps no more than so many messages for later turns, and drops the rest", async () => {
    const [a, b] = [await join(A), await join(B)];
    b.mesh.connect(endpointOf(a));
    await until("B is connected", () => a.subscriptions.length > 0);
    for (let seq = 1; seq <= 5_000; seq += 1) a.mesh.publish(set(A, seq), undefined);
    // PUB may drop some of these in its turn, and the one that ends the test.
    await until("all that was kept has come", () => {
      a.mesh.publish(list(A, 1), B);
      return b.messages.some((message) => message.type === "list");
    });
    const came = b.messages.flatMap((message) => (message.type === "set" ? message.seq : []));
    assert.deepEqual(
      came,
      [...came].sort((one, other) => one - other),
    );
    assert.ok(came.length < 1_100, `${String(came.length)} came`);
  });

  it("takes another free port when that of one address is taken on the next", async () => {
    const taken: number[] = [];
    const socket = Object.getPrototypeOf(XPublisher.prototype) as XPublisher;
    async function bindAndTake(this: XPublisher, endpoint: string): Promise<void> {
      await socket.bind.call(this, endpoint);
      if (!endpoint.endsWith(":*") || taken.length === 3) return;
      const port = Number(this.lastEndpoint?.split(":").at(-1));
      taken.push(port);
      await listen("127.0.0.2", port);
    }
    const hosts = ["127.0.0.1", "127.0.0.2"];
    const listener = { onMessage: () => 0, onSubscription: () => 0, onMalformed: () => 0 };
    Object.defineProperty(XPublisher.prototype, "bind", { value: bindAndTake, configurable: true });
    const mesh = await Mesh.open(
      { writer: A, port: 0, hosts, monoMs: () => performance.now() },
      listener,
    ).finally(() => Reflect.deleteProperty(XPublisher.prototype, "bind"));
    opened.push(mesh);
    assert.equal(taken.length, 3);
    assert.ok(!taken.includes(mesh.port));
    for (const host of hosts) {
      const socket = connect(mesh.port, host);
      await once(socket, "connect");
      socket.destroy();
    }
  });

  it("gives libzmq no names: it looks them up beside everything else", async () => {
    const answers: ((answer: { address: string; family: number }) => void)[] = [];
    mock.method(dns, "lookup", () => new Promise((resolve) => answers.push(resolve)));
    syncBuiltinESMExports();
    const [a, b, c] = [await join(A), await join(B), await join(C)];
    const named = `tcp://a.lan:${a.mesh.port}`;
    b.mesh.connect(named);
    c.mesh.connect(named);
    c.mesh.disconnect(named);
    await until("both are being looked up", () => answers.length === 2);
    b.mesh.connect(endpointOf(c));
    await until("the one with an address is connected", () => c.subscriptions.length === 1);
    assert.deepEqual(a.subscriptions, []);
    for (const answer of answers) answer({ address: "127.0.0.1", family: 4 });
    await until("the named one is connected", () => a.subscriptions.length > 0);
    b.mesh.disconnect(named);
    await until("it went", () => a.subscriptions.length > 1);
    assert.deepEqual(a.subscriptions, [`${B} came`, `${B} went`]);
  });

  it("goes on when a listener throws, whose error is uncaught", async () => {
    const b = await join(B);
    const heard: string[] = [];
    const told = (what: string): void => {
      heard.push(what);
      if (heard.length <= 2) throw new Error(what);
    };
    const a = await Mesh.open(
      { writer: A, port: 0, hosts: ["127.0.0.1"], monoMs: () => performance.now() },
      {
        onMessage: () => told("message"),
        onSubscription: (_, present) => told(present ? "came" : "went"),
        onMalformed: () => undefined,
      },
    );
    opened.push(a);
    const endpoint = `tcp://127.0.0.1:${a.port}`;
    const errors = await uncaught(async () => {
      b.mesh.connect(endpoint);
      a.connect(endpointOf(b));
      await until("the first are heard", () => heard.includes("came") && b.subscriptions.length > 0);
      b.mesh.publish(set(B, 1), undefined);
      await until("a message is heard", () => heard.length === 2);
      b.mesh.publish(set(B, 2), undefined);
      b.mesh.disconnect(endpoint);
      await until("all are heard", () => heard.length === 4);
    });
    assert.deepEqual(
      errors.map((error) => (error instanceof Error ? error.message : error)),
      ["came", "message"],
    );
  });

  it("drops who sends more than a subscription", async () => {
    const a = await join(A);
    const socket = connect(a.mesh.port, "127.0.0.1");
    opened.push({ close: () => socket.destroy() });
    socket.on("error", () => undefined);
    // The greeting and the handshake of ZMTP 3.0, then the length of a frame of a gigabyte and some of it.
    const greeting = Buffer.alloc(64);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
    greeting.write("NULL", 12);
    const ready = Buffer.from("\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB", "latin1");
    const frame = Buffer.alloc(1_000_000);
    frame[0] = 2;
    frame.writeBigUInt64BE(2n ** 30n, 1);
    socket.resume().write(Buffer.concat([greeting, ready, frame]));
    await until("it is dropped", () => socket.closed, 5_000);
  });

  it("takes only what subscribes and unsubscribes for that", async () => {
    const [a, b] = [await join(A), await join(B)];
    b.mesh.connect(endpointOf(a));
    await until("it came", () => a.subscriptions.length === 1);
    const stranger = newStranger(a);
    await stranger.send(`\x07question ${B} `);
    await stranger.send(`\x01question ${C} `);
    await until("the other came", () => a.subscriptions.length > 1);
    assert.deepEqual(a.subscriptions, [`${B} came`, `${C} came`]);
  });

  for (const topic of ["", "s", "set "]) {
    it(`sends what was written to whoever subscribes to "${topic}" only`, async () => {
      const a = await join(A);
      const stranger = new Subscriber({ linger: 0 });
      opened.push(stranger);
      stranger.subscribe(topic);
      stranger.connect(endpointOf(a));
      const babble = setInterval(() => a.mesh.publish(set(A, 1), undefined), 20);
      try {
        const [frame] = await stranger.receive();
        assert.match(frame?.toString("latin1") ?? "", /^set /);
      } finally {
        clearInterval(babble);
      }
    });
  }

  it("sends what was written to a node though a stranger unsubscribes from that", async () => {
    const [a, b] = [await join(A), await join(B)];
    b.mesh.connect(endpointOf(a));
    await until("it came", () => a.subscriptions.length === 1);
    const stranger = newStranger(a);
    for (let i = 0; i < 3; i += 1) await stranger.send("\x00set ");
    await stranger.send(`\x01question ${C} `);
    await until("all of that was read", () => a.subscriptions.length === 2);
    await stranger.send(`\x00question ${C} `);
    await until("the stranger went", () => a.subscriptions.length === 3);
    a.mesh.publish(set(A, 1), undefined);
    await until("it is heard", () => b.messages.length > 0);
  });

  it("counts the subscriptions of so many only", async () => {
    const a = await join(A);
    const strangers = [newStranger(a), newStranger(a)];
    for (const stranger of strangers) await stranger.send(`\x01question ${B} `);
    await until("both came", () => a.subscriptions.length === 2);
    for (let i = 0; i < 4_096; i += 1) {
      await strangers[0]?.send(`\x01question ${(i + 4_096).toString(16).padStart(16, "0")} `);
    }
    await until("all came", () => a.subscriptions.length === 4_098);
    await strangers[1]?.send(`\x00question ${B} `);
    await until("the last is told", () => a.subscriptions.length === 4_099);
    assert.equal(a.subscriptions.at(-1), `${B} went`);
  });
});
