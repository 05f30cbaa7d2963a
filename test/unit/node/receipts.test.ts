/** Publications and receipts between nodes in this process, on the loopback interface. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { NodeKeyspace } from "../../../src/node/node-keyspace.js";
import { Node } from "../../../src/node/node.js";
import { resolveOptions } from "../../../src/node/options.js";
import { ready } from "../../../src/node/ready.js";
import { freeUdpPort, uncaught, until } from "../net/loopback.js";

const opened: Node[] = [];
let beaconPort = 0;
const never = new AbortController().signal;

beforeEach(async () => {
  beaconPort = await freeUdpPort();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((node) => node.close()));
});

async function openNode(): Promise<Node> {
  const node = await Node.open(resolveOptions({ memory: true, interfaces: ["lo"], beaconPort }));
  opened.push(node);
  return node;
}

async function openPair(): Promise<readonly [Node, Node]> {
  const pair = [await openNode(), await openNode()] as const;
  await Promise.all(pair.map((node) => ready(node, { peers: 1, synced: true, timeoutMs: 30_000 })));
  return pair;
}

describe("a publication", () => {
  it("reaches the other nodes once, behind what was written before it, and not its own", async () => {
    const [one, two] = await openPair();
    const heard: string[] = [];
    one.on("published", () => heard.push("own"));
    new NodeKeyspace(two, () => Promise.resolve()).listen({
      changed: () => undefined,
      expired: () => undefined,
      published: (channel, payload) => {
        heard.push(`${channel} ${payload} ${two.read("k")?.value ?? "nothing"}`);
      },
    });
    one.publish("before", "1");
    one.write("k", "v");
    one.publish("", "");
    one.publish("after", "\u0000\u00ff");
    await until("all came", () => heard.length >= 3);
    assert.deepEqual(heard, ["before 1 v", "  v", "after \u0000\u00ff v"]);
  });

  it("may be a megabyte, and many may be made in one turn", async () => {
    const [one, two] = await openPair();
    const bytes: number[] = [];
    two.on("published", (_, payload) => bytes.push(payload.length));
    for (let i = 0; i < 5; i += 1) one.publish("c".repeat(1024), "x".repeat(2 ** 20 - i));
    for (let i = 0; i < 5_000; i += 1) one.publish("c", "small");
    await until("all came", () => bytes.length === 5_005);
    assert.deepEqual(bytes.slice(0, 6), [0, 1, 2, 3, 4].map((less) => 2 ** 20 - less).concat("small".length));
  });

  it("is refused beyond its bounds, and when the node is closed", async () => {
    const node = await openNode();
    assert.throws(() => node.publish("c".repeat(1025), ""), /^RangeError: channel .* 1024 bytes, not 1025$/);
    assert.throws(() => node.publish("", "p".repeat(2 ** 20 + 1)), /^RangeError: payload .* 1048576 bytes/);
    await node.close();
    assert.throws(() => node.publish("c", "p"), { code: "LANKV_CLOSED" });
  });

  it("is told to the next listener though one throws", async () => {
    const [one, two] = await openPair();
    const heard: string[] = [];
    const errors = await uncaught(async () => {
      two.on("published", (_, payload) => {
        heard.push(payload);
        if (payload === "1") throw new Error("the listener failed");
      });
      one.publish("c", "1");
      one.publish("c", "2");
      await until("both are told", () => heard.length === 2);
    });
    assert.equal(errors.length, 1);
  });
});

describe("a receipt", () => {
  it("comes for what was just written, and for nothing less", async () => {
    const [one, two] = await openPair();
    for (let i = 0; i < 2_000; i += 1) one.write(`k${i}`, "v");
    assert.equal(await one.confirmed(1, 0, never), 1);
    assert.equal(two.map.values, 2_000);
    one.write("large", "x".repeat(2 ** 20));
    assert.equal(await one.confirmed(1, 0, never), 1);
    assert.equal(two.read("large")?.value.length, 2 ** 20);
  });

  it("comes from a node that joins later, once it holds everything", async () => {
    const one = await openNode();
    for (let i = 0; i < 500; i += 1) one.write(`k${i}`, "v");
    await one.turn();
    assert.equal(await one.confirmed(0, 0, never), 0);
    const waiting = one.confirmed(2, 0, never);
    const others = [await openNode(), await openNode()];
    assert.equal(await waiting, 2);
    for (const other of others) assert.equal(other.map.values, 500);
  });

  it("is not waited for when nothing was written", async () => {
    const [one] = await openPair();
    assert.equal(await one.confirmed(1, 0, never), 1);
  });

  it("is not waited for once a peer is linked, when nothing was written", async () => {
    const one = await openNode();
    const waiting = one.confirmed(1, 0, never);
    await openNode();
    assert.equal(await waiting, 1);
  });

  it("counts again when its peer, which was unlinked for a moment, is back", async () => {
    const [one] = await openPair();
    one.write("k", "v");
    assert.equal(await one.confirmed(1, 0, never), 1);
    const [peer] = one.replica.presence.linked;
    assert.ok(peer !== undefined);
    // As when its connection is made afresh.
    peer.messageAtMs = 0;
    const waiting = one.confirmed(1, 0, never);
    assert.equal(one.replica.presence.linked.length, 0);
    assert.equal(await waiting, 1);
  });

  it("is waited for by thousands at once, and each gets it", async () => {
    const [one] = await openPair();
    const counts: Promise<number>[] = [];
    for (let i = 0; i < 5_000; i += 1) {
      one.write(`k${i}`, "v");
      counts.push(one.confirmed(1, 0, new AbortController().signal));
    }
    for (const count of await Promise.all(counts)) assert.equal(count, 1);
  });

  it("is waited for until the time is up, the signal is aborted or the node closes", async () => {
    const [one] = await openPair();
    one.write("k", "v");
    const abort = new AbortController();
    const [aborted, closed] = [one.confirmed(9, 0, abort.signal), one.confirmed(9, 2 ** 40, never)];
    // How long the receipt takes is no matter: what follows counts it.
    assert.equal(await one.confirmed(1, 0, never), 1);
    const rung: string[] = [];
    // Timers of the same length ring in the order in which they were set.
    setTimeout(() => rung.push("the time is up"), 10);
    assert.equal(await one.confirmed(2, 10, never), 1);
    assert.deepEqual(rung, ["the time is up"]);
    abort.abort();
    assert.equal(await aborted, 1);
    assert.equal(await one.confirmed(9, 0, AbortSignal.abort()), 1);
    const closing = one.close();
    assert.equal(await closed, 1);
    await closing;
    await assert.rejects(one.confirmed(0, 0, never), { code: "LANKV_CLOSED" });
  });

  it("lets a node close as soon as its last write is held", async () => {
    const [one, two] = await openPair();
    one.write("k", "v");
    await one.close();
    assert.equal(two.read("k")?.value, "v");
  });
});
