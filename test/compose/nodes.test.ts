/** Containers as hosts: what an operator does to them, and what must be true of the nodes afterwards. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { allRead, equalRoots, holds, seeEachOther, seesExactly, type Entry } from "../lan/agreement.js";
import { until } from "../lan/until.js";
import type { Container } from "./container.js";
import { buildImage, docker, missing } from "./engine.js";
import { Project } from "./project.js";
import { Writer } from "./writer.js";

/** So many nodes, all up. */
const COUNT = 5;

/** Containers start one after the other, and a busy machine gives each little time. */
const patience = { deadlineMs: 90_000 };

describe("a compose project of five nodes", { skip: missing ?? false }, () => {
  const project = new Project("lankv-test");

  before(async () => {
    await buildImage();
    await project.remove();
    await five();
  });

  after(() => project.remove());

  /** Five nodes that see each other and hold the same. */
  async function five(): Promise<[Container, Container, Container, Container, Container]> {
    await project.scale(COUNT);
    const nodes = await agreed();
    const [a, b, c, d, e] = nodes;
    assert(a !== undefined && b !== undefined && c !== undefined && d !== undefined && e !== undefined);
    return [a, b, c, d, e];
  }

  /** Waits until all nodes that there are see each other and hold the same. */
  async function agreed(): Promise<readonly Container[]> {
    const { nodes } = project;
    try {
      await seeEachOther(nodes, patience);
      await equalRoots(nodes, patience);
    } catch (cause) {
      throw new Error(`the nodes do not agree\n${await project.logs()}`, { cause });
    }
    return nodes;
  }

  it("find each other, each is healthy, and a key that is set in one is read in all, from outside too", async () => {
    const nodes = await five();
    await nodes[0].cliOutput("set", "greeting", "hello");
    for (const node of nodes) {
      await until(`greeting in ${node.name}`, async () =>
        assert.equal(await node.cliOutput("get", "greeting"), "hello"),
      );
      await until(
        `${node.name} is healthy`,
        async () => assert.equal(await node.inspect("{{.State.Health.Status}}"), "healthy"),
        patience,
      );
    }
    await allRead(nodes, "greeting", "hello");
  });

  it("of which two lose their network go on apart, and are equal when it is back", async () => {
    const [a, b, c, d, e] = await five();
    const apart = [d, e];
    for (const node of apart) {
      node.hangUp();
      await docker("network", "disconnect", project.network, node.id);
    }
    for (const node of [a, b, c]) {
      const others = [a, b, c].filter((other) => other !== node).map(({ name }) => name);
      await seesExactly(node, others, patience);
    }
    for (const node of apart) {
      await until(`${node.name} sees nobody`, async () => assert.deepEqual(await node.peersUpInside(), []));
    }
    for (const node of [a, b, c]) {
      await node.set(`from/${node.name}`, "together");
      await node.set("contested", node.name);
    }
    for (const node of apart) {
      await node.cliOutput("set", `from/${node.name}`, "apart");
      await node.cliOutput("set", "contested", node.name);
    }

    for (const node of apart) await docker("network", "connect", project.network, node.id);
    const nodes = await agreed();
    for (const node of [a, b, c]) await allRead(nodes, `from/${node.name}`, "together");
    for (const node of apart) await allRead(nodes, `from/${node.name}`, "apart");
    // The last writer wins, and the containers of one engine share a clock.
    await allRead(nodes, "contested", e.name);
  });

  it("of which one is killed and made anew without its volume has a new one that holds everything", async () => {
    const [a, , , , e] = await five();
    const entries = await write(a, "renewed", 500);
    const { nodeId } = await e.status();
    e.hangUp();
    await docker("kill", e.id);
    await a.set("renewed/meanwhile", "yes");
    await docker("rm", "--volumes", e.id);
    const nodes = await five();
    const renewed = nodes[4];
    assert.notEqual(renewed.id, e.id);
    assert.notEqual((await renewed.status()).nodeId, nodeId);
    await holds(renewed, [...entries, ["renewed/meanwhile", "yes"]]);
  });

  it("that are all killed at once and made anew with their volumes are the same nodes and hold everything", async () => {
    const killed = await five();
    const entries = await write(killed[0], "kept", 500);
    await equalRoots(killed, patience);
    const ids = new Map<string, string>();
    for (const node of killed) {
      ids.set(await volumeOf(node), (await node.status()).nodeId);
      await until(`${node.name} has saved everything`, async () => assert.equal(await node.unsaved(), 0));
      node.hangUp();
    }
    await docker("kill", ...killed.map(({ id }) => id));

    await project.scale(COUNT, "--force-recreate");
    const nodes = await agreed();
    for (const node of nodes) {
      assert(!killed.some(({ id }) => id === node.id), "each container is a new one");
      assert.equal((await node.status()).nodeId, ids.get(await volumeOf(node)), "its volume says who it is");
      await holds(node, entries);
    }
  });

  it("are restarted one after the other under constant writes, and nothing acknowledged is lost", async () => {
    const nodes = await five();
    const writer = new Writer(nodes);
    for (const node of nodes) {
      const since = writer.count;
      await docker("restart", node.id);
      node.hangUp();
      await until(
        `${node.name} is back`,
        async () => {
          assert.equal((await node.status()).state, "live");
          assert.equal((await node.peersUp()).length, COUNT - 1);
          assert(writer.count > since, "writes were acknowledged meanwhile");
        },
        patience,
      );
      assert.equal(await node.inspect("{{.RestartCount}} {{.State.ExitCode}}"), "0 0");
    }
    const acknowledged = await writer.stop();
    await agreed();
    for (const node of nodes) await holds(node, acknowledged);
  });

  it("become eight, then three, and whoever stays or comes holds everything", async () => {
    const [a] = await five();
    const entries = await write(a, "scaled", 500);
    await project.scale(8);
    const eight = await agreed();
    assert.equal(eight.length, 8);
    for (const node of eight) await holds(node, entries);
    await eight[7]?.set("scaled/by the last", "yes");
    await project.scale(3);
    const three = await agreed();
    assert.equal(three.length, 3);
    for (const node of three) await holds(node, [...entries, ["scaled/by the last", "yes"]]);
  });

  it("of which one is paused miss it, and it returns with everything", async () => {
    const [a, b, c, d, e] = await five();
    e.hangUp();
    await docker("pause", e.id);
    const others = [a, b, c, d];
    for (const node of others) {
      const seen = others.filter((other) => other !== node).map(({ name }) => name);
      await seesExactly(node, seen, patience);
    }
    const entries = await write(a, "paused", 500);
    await docker("unpause", e.id);
    const nodes = await agreed();
    for (const node of nodes) await holds(node, entries);
  });
});

/** Writes so many keys that begin alike. */
async function write(node: Container, prefix: string, count: number): Promise<Entry[]> {
  const entries = Array.from(
    { length: count },
    (_, n) => [`${prefix}/${String(n)}`, `value ${String(n)}`] as const,
  );
  const client = await node.connect();
  const replies = await client.pipeline(entries.map(([key, value]) => ["SET", key, value]));
  client.close();
  assert(
    replies.every((reply) => String(reply) === "OK"),
    "every write is acknowledged",
  );
  return entries;
}

/** The volume that the node keeps its data in. */
async function volumeOf(node: Container): Promise<string> {
  return node.inspect('{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}}{{end}}{{end}}');
}
