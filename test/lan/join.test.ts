/** Nodes find each other, and each reads what another wrote. */
import "./namespace.js";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { allRead, equalRoots, holdExactly, seeEachOther, seesExactly } from "./agreement.js";
import { numbered, setAll } from "./burst.js";
import { peersFrom, statusFrom } from "./daemon.js";
import { scenario } from "./scenario.js";

scenario("three hosts join and see each other", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  for (const daemon of [h1, h2, h3])
    await daemon.cliOutput("wait", "--peers", "2", "--synced", "--timeout", "30s");

  const peers = peersFrom(await h1.cliOutput("peers", "--json"));
  assert.deepEqual(peers.map(({ name, state }) => `${name} ${state}`).sort(), ["h2 up", "h3 up"]);
  for (const { name, address } of peers) {
    assert(address.startsWith(name === "h2" ? h2.host.address : h3.host.address), `${name} at ${address}`);
  }
  const status = statusFrom(await h2.cliOutput("status", "--json"));
  assert.deepEqual(
    { name: status.name, peers: status.peers, keys: status.keys },
    { name: "h2", peers: 2, keys: 0 },
  );

  await seeEachOther([h1, h2, h3]);
  await equalRoots([h1, h2, h3]);
});

scenario("set, get and delete everywhere", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);

  await h1.cliOutput("set", "one", "111");
  await allRead([h1, h2, h3], "one", "111");
  assert.equal(await h2.cliOutput("get", "one"), "111");

  await h2.cliOutput("set", "one", "112");
  await allRead([h1, h2, h3], "one", "112");

  await h3.cliOutput("del", "one");
  await allRead([h1, h2, h3], "one", undefined);
  assert.equal((await h1.cli("get", "one")).code, 3);
  assert.equal((await h2.cli("exists", "one")).code, 3);

  await h3.cliOutput("set", "one", "again");
  await allRead([h1, h2, h3], "one", "again");

  await equalRoots([h1, h2, h3]);
  await holdExactly([h1, h2, h3], [["one", "again"]]);
});

scenario("keys and values of any bytes, an empty value too", async (lan) => {
  const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2]);
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const entries = [
    ["empty", ""],
    ["schlüssel 钥匙", "wert 值"],
    ["a key\r\nof two lines", "a value\r\nof two lines\r\n"],
    [every.toString("latin1"), every],
    ["k".repeat(1024), randomBytes(1024 * 1024)],
  ] as const;
  await setAll(h1, entries);

  await equalRoots([h1, h2]);
  await holdExactly([h1, h2], entries);
});

scenario("a node that stops says goodbye, and is missed by nobody for seconds", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  await h1.set("from", "h1");
  await allRead([h2, h3], "from", "h1");

  await h1.stop();
  await seesExactly(h2, ["h3"]);
  await seesExactly(h3, ["h2"]);
  await h2.set("without", "h1");
  await h1.start();

  await seeEachOther([h1, h2, h3]);
  await equalRoots([h1, h2, h3]);
  await allRead([h1, h2, h3], "without", "h1");
  await allRead([h1, h2, h3], "from", "h1");
});

scenario("two nodes on one host, and a third elsewhere", async (lan) => {
  const host = await lan.host();
  const [left, right] = [await host.daemon({ name: "left" }), await host.daemon({ name: "right" })];
  const away = await lan.daemon();
  await seeEachOther([left, right, away]);

  const [ofLeft, ofRight, ofAway] = [numbered("left", 500), numbered("right", 500), numbered("away", 500)];
  await Promise.all([setAll(left, ofLeft), setAll(right, ofRight), setAll(away, ofAway)]);
  await equalRoots([left, right, away]);
  await holdExactly([left, right, away], [...ofLeft, ...ofRight, ...ofAway]);

  // With the cable cut, the two on one host have each other still.
  await host.cable.cut();
  await seesExactly(left, ["right"]);
  await left.set("written", "while apart");
  await allRead([right], "written", "while apart");
  await host.cable.mend();

  await seeEachOther([left, right, away]);
  await equalRoots([left, right, away]);
  await allRead([away], "written", "while apart");
});

scenario("two nodes on one host without any network", async (lan) => {
  const host = await lan.host();
  await host.cable.deviceDown();
  const [left, right] = [await host.daemon({ name: "left" }), await host.daemon({ name: "right" })];
  await seeEachOther([left, right]);
  await left.set("a", "1");
  await right.set("b", "2");

  await equalRoots([left, right], { state: "offline" });
  await holdExactly(
    [left, right],
    [
      ["a", "1"],
      ["b", "2"],
    ],
  );
});
