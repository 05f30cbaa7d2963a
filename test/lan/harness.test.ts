/** The LAN itself, without a daemon: if these fail, what the scenarios say means nothing. */
import "./namespace.js";
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import test from "node:test";
import type { Host } from "./host.js";
import { Lan } from "./lan.js";
import { unavailable } from "./namespace.js";
import { scenario } from "./scenario.js";
import { until } from "./until.js";
import { WireDirection } from "./wire-quality.js";

scenario("hosts reach each other, and a cut cable stops it though the link is up", async (lan) => {
  const [h1, h2] = [await lan.host(), await lan.host()];
  assert(await h1.reaches(h2));

  await h1.cable.cut();
  assert(!(await h1.reaches(h2)));
  assert(await hasCarrier(h1));

  await h1.cable.mend();
  assert(await h1.reaches(h2));
});

scenario("a pulled plug and a device that is down are seen by the host", async (lan) => {
  const [h1, h2] = [await lan.host(), await lan.host()];
  await h1.cable.unplug();
  assert(!(await hasCarrier(h1)));
  assert(!(await h1.reaches(h2)));
  await h1.cable.plugIn();
  await until("the carrier is back", async () => assert(await h1.reaches(h2)));

  await h1.cable.deviceDown();
  assert(!(await h2.reaches(h1)));
  await h1.cable.deviceUp();
  await until("the device is up", async () => assert(await h2.reaches(h1)));
});

scenario("a datagram to the broadcast address reaches the others", async (lan) => {
  const [h1, h2, h3] = [await lan.host(), await lan.host(), await lan.host()];
  const listen =
    "require('dgram').createSocket('udp4').bind(5005).on('listening', () => console.log('listening')).on('message', (m) => console.log(`got ${m}`))";
  const listeners = [h2, h3].map((host) => host.start(`${host.name}-listener`, ["-e", listen]));
  for (const listener of listeners) await until("it listens", () => assert.match(listener.log, /listening/));

  const send = `const s = require('dgram').createSocket('udp4').bind(() => { s.setBroadcast(true); s.send('hello', 5005, '${lan.network.broadcast}', () => s.close()); })`;
  const sent = await h1.run(process.execPath, "-e", send);
  assert.equal(sent.code, 0, sent.stderr);
  for (const listener of listeners) await until("it arrives", () => assert.match(listener.log, /got hello/));
});

scenario("an address changes", async (lan) => {
  const [h1, h2] = [await lan.host(), await lan.host()];
  await h1.cable.changeAddress("10.77.0.101");
  assert.equal(h1.address, "10.77.0.101");
  assert(await h2.reaches(h1));
});

scenario("a partition keeps the groups apart", async (lan) => {
  const [h1, h2, h3, h4] = [await lan.host(), await lan.host(), await lan.host(), await lan.host()];
  await lan.partition(h1, h2);
  assert(await h1.reaches(h2));
  assert(await h3.reaches(h4));
  assert(!(await h1.reaches(h3)));
  await lan.heal();
  assert(await h1.reaches(h3));
});

scenario("networks are apart but for the host on both", async (lan) => {
  const other = await lan.addNetwork();
  const [h1, h2, h3] = [await lan.host(), await lan.host(), await lan.host({ network: other })];
  await h2.plug(other);
  assert(await h1.reaches(h2));
  assert(await h2.reaches(h3));
  assert(!(await h1.reaches(h3)));
});

scenario("a default route comes and goes", async (lan) => {
  const h1 = await lan.host();
  const routes = async (): Promise<string> => (await h1.run("ip", "route")).stdout;
  assert.doesNotMatch(await routes(), /default/);
  await h1.addDefaultRoute();
  assert.match(await routes(), /default via 10\.77\.0\.254/);
  await h1.removeDefaultRoute();
  assert.doesNotMatch(await routes(), /default/);
});

scenario(
  "a poor wire delays and loses in both directions",
  async (lan) => {
    const [h1, h2] = [await lan.host(), await lan.host()];
    await h1.cable.impair({ delayMs: 100 });
    const delayedMs = fastestMs(await ping(h1, h2));
    assert(delayedMs >= 200);
    assert(fastestMs(await ping(h2, h1)) >= 200);

    await h1.cable.impair({ lossPercent: 100 });
    assert(!(await h1.reaches(h2)));

    await h1.cable.improve();
    assert(fastestMs(await ping(h1, h2)) < delayedMs);
  },
  { needs: ["ethtool"] },
);

scenario(
  "a poor wire carries a stream of bytes unharmed, and the host counts them",
  async (lan) => {
    const [h1, h2] = [await lan.host(), await lan.host()];
    await h1.cable.impair({ delayMs: 5, lossPercent: 1, rateMbit: 100 });
    const serve =
      "require('net').createServer((s) => { const hash = require('crypto').createHash('sha256'); s.on('data', (d) => hash.update(d)).on('end', () => console.log(hash.digest('hex'))); }).listen(9000, () => console.log('listening'))";
    const server = h2.start("server", ["-e", serve]);
    await until("it listens", () => assert.match(server.log, /listening/));
    assert.deepEqual(await h2.openPorts(), [9000]);

    const before = await h1.cable.traffic();
    const send = `const b = require('crypto').randomBytes(2_000_000); console.log(require('crypto').createHash('sha256').update(b).digest('hex')); require('net').connect(9000, '${h2.address}').end(b)`;
    const { stdout: digest } = await h1.run(process.execPath, "-e", send);
    await until("it arrived", () => assert.match(server.log, new RegExp(digest)));
    const after = await h1.cable.traffic();
    assert(after.sentBytes - before.sentBytes > 2_000_000);
    assert(after.receivedBytes - before.receivedBytes < 2_000_000);
  },
  { needs: ["ethtool"] },
);

test("a slow wire takes the time that its rate asks for, and drops what it cannot queue", () => {
  const wire = new WireDirection<number>({ rateMbit: 1, delayMs: 10 }, () => 0.5);
  for (let frame = 0; frame < 100; frame++) wire.handleFrame(frame, 1250, 0); // 10 ms each
  assert.equal(wire.nextDueMs, 20);
  assert.deepEqual(wire.due(39), [0, 1]);
  assert.equal(wire.due(1e9).length, 19);
  assert.equal(wire.nextDueMs, undefined);
});

test("a LAN leaves nothing behind", { skip: unavailable ?? false }, async () => {
  const before = await runningPrograms();
  {
    await using lan = await Lan.create();
    const h1 = await lan.host();
    const endless = h1.start("endless", ["-e", "console.log('begun'); setInterval(() => undefined, 1000)"]);
    await until("it runs", () => assert.match(endless.log, /begun/));
    assert.equal((await runningPrograms()).length, before.length + 1);
  }
  assert.deepEqual(await runningPrograms(), before);
  assert.deepEqual(await readdir("/run/netns"), []);
  assert.deepEqual(
    (await readdir("/run")).filter((name) => name.startsWith("lan-")),
    [],
  );
});

async function hasCarrier(host: Host): Promise<boolean> {
  const { stdout } = await host.run("ip", "link", "show", "dev", "eth0");
  return stdout.includes("LOWER_UP");
}

async function ping(from: Host, to: Host): Promise<string> {
  const { stdout } = await from.run("ping", "-c", "5", "-i", "0.2", "-W", "2", to.address);
  return stdout;
}

function fastestMs(pings: string): number {
  return Number(/min\/avg\/max\/mdev = ([\d.]+)/.exec(pings)?.[1]);
}

/** The command lines of all processes of this file's pid namespace. */
async function runningPrograms(): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map(async (pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return lines.filter((line) => line !== "").sort();
}
