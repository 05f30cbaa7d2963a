/** `lankv doctor`, with each fault made real. */
import "./namespace.js";
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { seeEachOther, seesExactly } from "./agreement.js";
import { must } from "./command.js";
import { examine, finds, runDoctor, troubles } from "./doctor.js";
import type { Host } from "./host.js";
import { member } from "./json.js";
import { scenario } from "./scenario.js";
import { until } from "./until.js";

/** Without a daemon, the doctor says so. */
const noDaemon = "daemon warn";

async function firewall(host: Host, ...rule: string[]): Promise<void> {
  await must("ip", "netns", "exec", host.name, "iptables", "-A", ...rule);
}

const needsFirewall = { needs: ["iptables"] };

scenario("all is well, with a daemon and without one, and nobody notices the doctor", async (lan) => {
  const [a, b] = [await lan.daemon(), await lan.daemon()];
  const h3 = await lan.host();
  await seeEachOther([a, b]);

  const with1 = await examine(a.host, { daemon: a });
  assert.deepEqual(troubles(with1), []);
  finds(with1, "peers", "ok", /1 other node of the cluster "default": h2 \(10\.77\.0\.2\)/);
  finds(with1, "peer", "ok", /h2 .*hear each other/);
  finds(with1, "udp", "ok", /eth0 \(10\.77\.0\.1\): .*10\.77\.0\.255/);
  finds(with1, "clock", "ok", /agree/);

  const without = await examine(h3);
  assert.deepEqual(troubles(without), [noDaemon]);
  finds(without, "peers", "ok", /2 other nodes/);

  for (const [daemon, other] of [
    [a, "h2"],
    [b, "h1"],
  ] as const) {
    await seesExactly(daemon, [other]);
    const names = (await daemon.peers()).map(({ name }) => name);
    assert.deepEqual(names, [other], `no ghost on ${daemon.name}`);
    const status: unknown = JSON.parse(String(await daemon.call("LANKV.STATUS")));
    assert.deepEqual(member(status, "ignored"), {});
  }
});

scenario("what it prints for people", async (lan) => {
  const [a, h2] = [await lan.daemon(), await lan.host()];
  const well = await runDoctor(h2);
  assert.equal(well.code, 0);
  assert.match(well.stdout, /^ok {4}node {10}Node\.js/m);
  assert.match(well.stdout, /^ {6}mend {10}Start one with 'lankv serve'/m);
  assert.match(well.stdout, /\nhealthy\n$/);
  const quiet = await runDoctor(a.host, { daemon: a, flags: ["--quiet", "--timeout", "1s"] });
  assert.equal(quiet.code, 7);
  assert.match(
    quiet.stdout,
    /^fail {2}peers {9}No other node of the cluster "default" was heard within 1 s/m,
  );
});

scenario(
  "the firewall of this machine lets no beacons in",
  async (lan) => {
    const [h1, b] = [await lan.host(), await lan.daemon()];
    await firewall(h1, "INPUT", "-p", "udp", "--dport", "5005", "-j", "DROP");
    const examination = await examine(h1);
    finds(examination, "udp", "fail", /eth0 .*does not come back .*its own firewall/);
    // Its answers to calls do come in.
    finds(examination, "peer", "fail", /h2 .*its broadcasts are not heard/);

    await must("ip", "netns", "exec", h1.name, "iptables", "-F");
    assert.deepEqual(troubles(await examine(h1)), [noDaemon]);
    assert.equal((await b.peers()).length, 0);
  },
  needsFirewall,
);

scenario(
  "the firewall of this machine lets no beacons out",
  async (lan) => {
    const h1 = await lan.host();
    await lan.daemon();
    await firewall(h1, "OUTPUT", "-p", "udp", "--dport", "5005", "-j", "DROP");
    finds(await examine(h1), "udp", "fail", /eth0 .*refused by this machine's firewall as it goes out/);
  },
  needsFirewall,
);

scenario(
  "the firewall of the other machine lets no beacons in",
  async (lan) => {
    const [a, h2] = [await lan.daemon(), await lan.host()];
    await firewall(h2, "INPUT", "-p", "udp", "--dport", "5005", "-j", "DROP");
    const b = await h2.daemon();
    await seesExactly(a, ["h2"]);
    const examination = await examine(a.host, { daemon: a });
    assert.deepEqual(troubles(examination), ["peer fail"]);
    finds(examination, "peer", "fail", /h2 .*is heard, but does not hear this machine/);
    const without = await examine(await lan.host());
    finds(without, "peer", "fail", /h2 .*does not hear this machine/);
    finds(without, "peer", "ok", /h1 .*hear each other/);
    finds(await examine(h2, { daemon: b }), "udp", "fail", /its own firewall drops it/);
  },
  needsFirewall,
);

scenario("nothing gets through between the machines", async (lan) => {
  const [a, b] = [await lan.daemon(), await lan.daemon()];
  await seeEachOther([a, b]);
  await b.host.cable.cut();
  await until("h2 is gone", async () => assert.deepEqual(await a.peersUp(), []));

  const examination = await examine(a.host, { daemon: a });
  assert.deepEqual(troubles(examination), ["peer warn", "peers fail"]);
  finds(examination, "peers", "fail", /No other node/);
  finds(examination, "peer", "warn", /h2 .*went without a goodbye, and does not answer/);
  finds(examination, "udp", "ok", /eth0/);

  const without = await examine(a.host, { flags: ["--peer", b.host.address] });
  finds(without, "peer", "fail", /--peer 10\.77\.0\.2: no node answers there/);
  await b.host.cable.mend();
  await seeEachOther([a, b]);
  assert.equal((await examine(a.host, { daemon: a })).code, 0);
});

scenario(
  "TCP is blocked and UDP is not, there or here",
  async (lan) => {
    const [a, b] = [await lan.daemon(), await lan.daemon()];
    await seeEachOther([a, b]);
    const h3 = await lan.host();
    await firewall(b.host, "INPUT", "-p", "tcp", "--syn", "-j", "DROP");
    const there = await examine(h3);
    assert.deepEqual(troubles(there), [noDaemon, "peer fail"]);
    finds(there, "peer", "fail", /h2 .*TCP port \d+ of 10\.77\.0\.2 does not answer/);
    finds(there, "peer", "ok", /h1 /);

    // Here: whoever comes later cannot connect to h1.
    await must("ip", "netns", "exec", b.host.name, "iptables", "-F");
    await firewall(a.host, "INPUT", "-p", "tcp", "--syn", "-j", "DROP");
    await h3.daemon();
    await until("it shows", async () => {
      finds(
        await examine(a.host, { daemon: a }),
        "peer",
        "fail",
        /h3 .*cannot connect to this machine's TCP port/,
      );
    });
  },
  needsFirewall,
);

scenario("the others are of another cluster", async (lan) => {
  const [a, b] = [await lan.daemon({ flags: ["--cluster", "workshop"] }), await lan.daemon()];
  const alone = await examine(a.host, { daemon: a });
  assert.deepEqual(troubles(alone), ["cluster fail", "peers fail"]);
  finds(
    alone,
    "cluster",
    "fail",
    /1 node of another cluster: h2 \(10\.77\.0\.2, cluster "default"\).*"workshop"/,
  );

  const h3 = await lan.host();
  finds(await examine(h3), "cluster", "ok", /h1 .*This one is "default"/);
  const asked = await examine(b.host, { daemon: b, flags: ["--cluster", "workshop"] });
  finds(asked, "daemon", "warn", /in the cluster "default", and not in "workshop"/);
});

scenario("the others speak another version of the protocol, or are no lankv at all", async (lan) => {
  const [a, h2] = [await lan.daemon(), await lan.host()];
  const shout = (text: string) =>
    `const s = require("node:dgram").createSocket("udp4");
     s.bind(() => { s.setBroadcast(true); setInterval(() => s.send(${JSON.stringify(text)}, 5005, "10.77.0.255"), 100); });`;
  h2.start("future", ["-e", shout("LKV2 and what only its readers know")]);
  h2.start("radio", ["-e", shout("tune in")]);
  const examination = await examine(a.host, { daemon: a });
  assert.deepEqual(troubles(examination), ["foreign warn", "peers fail", "protocol fail"]);
  finds(examination, "protocol", "fail", /10\.77\.0\.2 \(version "2"\)/);
  finds(examination, "foreign", "warn", /\d+ from 10\.77\.0\.2/);
  await lan.daemon();
  finds(await examine(a.host, { daemon: a }), "protocol", "warn", /version "2"/);
});

scenario("there is no network", async (lan) => {
  const h1 = await lan.host();
  await h1.cable.deviceDown();
  const off = await examine(h1);
  finds(off, "network", "fail", /on no network.*eth0 is switched off/);
  await h1.cable.deviceUp();
  await must("ip", "-n", h1.name, "addr", "flush", "dev", "eth0");
  finds(await examine(h1), "network", "fail", /on no network.*eth0 has no IPv4 address/);
  await h1.cable.unplug();
  finds(await examine(h1), "network", "fail", /on no network.*eth0 has no carrier/);
  const named = await examine(h1, { flags: ["--interface", "eth0"] });
  finds(named, "network", "fail", /no network interface eth0 with an IPv4 address.*no carrier/);
});

scenario("no interface has broadcast", async (lan) => {
  const [h1, b] = [await lan.host(), await lan.daemon()];
  // As on a point-to-point link: no address is left for broadcast.
  await must("ip", "-n", h1.name, "addr", "flush", "dev", "eth0");
  await must("ip", "-n", h1.name, "addr", "add", "10.77.0.1/32", "dev", "eth0");
  await must("ip", "-n", h1.name, "route", "add", "10.77.0.0/24", "dev", "eth0");
  finds(await examine(h1), "network", "fail", /No interface has broadcast.*eth0 10\.77\.0\.1/);

  const named = await examine(h1, { flags: ["--peer", b.host.address] });
  assert.deepEqual(troubles(named), [noDaemon]);
  finds(named, "peer", "ok", /h2 /);
});

scenario(
  "a tunnel has no broadcast",
  async (lan) => {
    const h1 = await lan.host();
    await h1.cable.deviceDown();
    const hold = `import fcntl, struct, time
tun = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH", b"tun0", 0x1001))
time.sleep(3600)`;
    h1.start("tunnel", [
      "-e",
      `require("node:child_process").spawn("python3", ["-c", ${JSON.stringify(hold)}], { stdio: "inherit" })`,
    ]);
    await until("the tunnel is there", () =>
      must("ip", "-n", h1.name, "addr", "add", "10.9.0.1/24", "dev", "tun0"),
    );
    await must("ip", "-n", h1.name, "link", "set", "dev", "tun0", "up");
    finds(await examine(h1), "network", "fail", /No interface has broadcast.*tun0 10\.9\.0\.1/);
  },
  { needs: ["python3", "/dev/net/tun"] },
);

scenario("only a bridge to containers has an address", async (lan) => {
  const h1 = await lan.host();
  await must("ip", "-n", h1.name, "addr", "flush", "dev", "eth0");
  await must("ip", "-n", h1.name, "link", "add", "docker0", "type", "bridge");
  await must("ip", "-n", h1.name, "link", "set", "dev", "eth0", "master", "docker0");
  await must("ip", "-n", h1.name, "addr", "add", "172.17.0.1/16", "dev", "docker0");
  await must("ip", "-n", h1.name, "link", "set", "dev", "docker0", "up");
  await until("the bridge runs", async () => {
    finds(await examine(h1), "network", "warn", /docker0 172\.17\.0\.1 .*only bridges to containers/);
  });
  await must("ip", "-n", h1.name, "link", "del", "docker0");
  await must("ip", "-n", h1.name, "addr", "add", "172.17.0.2/16", "dev", "eth0");
  const inside = await examine(h1, { env: ["container=docker"] });
  finds(inside, "container", "warn", /eth0 172\.17\.0\.2.*only the containers there/);
});

scenario("ports are taken", async (lan) => {
  const [h1] = [await lan.host(), await lan.daemon()];
  const taken = `require("node:dgram").createSocket("udp4").bind(5005);
    require("node:net").createServer().listen(7379, "127.0.0.1");
    require("node:net").createServer().listen(5006);`;
  h1.start("taker", ["-e", taken]);
  await until("they are taken", async () => {
    const examination = await examine(h1, { flags: ["--port", "5006"] });
    finds(examination, "beacon-port", "fail", /UDP port 5005, .*another program holds it alone/);
    finds(examination, "redis-port", "fail", /127\.0\.0\.1:7379, .*another program listens there/);
    finds(examination, "message-port", "fail", /5006, .*another program listens there/);
    finds(examination, "udp", "fail", /cannot be bound/);
  });
  const elsewhere = await examine(h1, { flags: ["--beacon-port", "5007", "--redis-port", "0"] });
  finds(elsewhere, "beacon-port", "ok", /5007/);
});

scenario("the data directory is on a disk that is full, nearly full or read-only", async (lan) => {
  const h1 = await lan.host();
  const disk = h1.path("disk");
  await must("mkdir", disk);
  await must("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk);
  const flags = ["--data-dir", disk, "--timeout", "100ms"];
  finds(await examine(h1, { flags }), "data", "warn", /only \d+ MiB free/);
  await writeFile(`${disk}/filler`, Buffer.alloc(1_048_576)).catch(() => undefined);
  finds(await examine(h1, { flags }), "data", "fail", /the disk is full/);
  await must("mount", "-o", "remount,ro", disk);
  finds(await examine(h1, { flags }), "data", "fail", /read-only/);
  await must("umount", disk);
});

scenario(
  "a clock is off",
  async (lan) => {
    await lan.daemon();
    const h2 = await lan.host();
    const faketime = "/usr/$LIB/faketime/libfaketime.so.1";
    const clock = (by: string) => [
      `LD_PRELOAD=${faketime}`,
      `FAKETIME=${by}`,
      "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ];
    const ofTwo = await examine(h2, { env: clock("-10s") });
    assert.deepEqual(troubles(ofTwo), ["clock warn", noDaemon]);
    finds(ofTwo, "clock", "warn", /This machine's clock is \d+s behind that of h1/);

    await lan.daemon();
    finds(
      await examine(h2, { env: clock("+80m") }),
      "clock",
      "fail",
      /^This machine: its clock is 1h ahead of most/,
    );
    await lan.daemon({ clock: "-30h" });
    finds(await examine(h2), "clock", "fail", /^h4: its clock is 1d behind most/);
    finds(await examine(h2, { env: clock("@1970-01-02 00:00:00") }), "clock", "fail", /1970.*was never set/);
  },
  { needs: ["faketime"] },
);

scenario("a daemon that is called by name of its host only", async (lan) => {
  const a = await lan.daemon({ flags: ["--no-discovery"] });
  const b = await lan.daemon({ flags: ["--no-discovery", "--peer", a.host.address] });
  await seeEachOther([a, b]);
  const examination = await examine(b.host, { daemon: b });
  assert.deepEqual(troubles(examination), []);
  finds(examination, "peer", "ok", /h1 /);
  const nobody = await examine(b.host, { daemon: b, flags: ["--peer", "nobody.invalid"] });
  finds(nobody, "peer", "fail", /nobody\.invalid: the name stands for no IPv4 address/);
});
