/** Hosts with two networks, and with and without a default route. */
import "./namespace.js";
import assert from "node:assert/strict";
import { equalRoots, holdExactly, seeEachOther, seesExactly } from "./agreement.js";
import { numbered, setAll } from "./burst.js";
import { scenario } from "./scenario.js";

scenario("a host on two networks carries the data from one to the other", async (lan) => {
  const other = await lan.addNetwork();
  const [h1, h2, h3] = [await lan.host(), await lan.host(), await lan.host({ network: other })];
  const second = await h2.plug(other);
  const [left, both, right] = await Promise.all([h1.daemon(), h2.daemon(), h3.daemon()]);

  // h1 and h3 have no way to each other and never meet. Each is equal to h2, so they are equal, too.
  await seesExactly(left, ["h2"]);
  await seesExactly(both, ["h1", "h3"]);
  await seesExactly(right, ["h2"]);
  const [ofLeft, ofBoth, ofRight] = [numbered("left", 2000), numbered("both", 2000), numbered("right", 2000)];
  await Promise.all([setAll(left, ofLeft), setAll(both, ofBoth), setAll(right, ofRight)]);
  await equalRoots([left, both, right], { deadlineMs: 60_000 });
  await holdExactly([left, both, right], [...ofLeft, ...ofBoth, ...ofRight]);

  // A delete goes the same way.
  await right.delete("left/000000", "both/000000");
  await equalRoots([left, both, right], { deadlineMs: 60_000 });
  await holdExactly([left, both, right], [...ofLeft.slice(1), ...ofBoth.slice(1), ...ofRight]);

  // Each network sees h2 by the address that it has there.
  for (const [daemon, address] of [
    [left, h2.address],
    [right, second.address],
  ] as const) {
    const [peer] = await daemon.peers();
    assert(peer?.address.startsWith(address), `${daemon.name} has h2 at ${peer?.address ?? "no address"}`);
  }
});

scenario("two hosts with two networks in common: one cable is enough", async (lan) => {
  const other = await lan.addNetwork();
  const [h1, h2] = [await lan.host(), await lan.host()];
  await h1.plug(other);
  await h2.plug(other);
  const [a, b] = await Promise.all([h1.daemon(), h2.daemon()]);
  await seeEachOther([a, b]);
  const [first, second, third] = [numbered("first", 2000), numbered("second", 2000), numbered("third", 2000)];
  await setAll(a, first);
  await equalRoots([a, b]);

  await h1.cable.cut();
  await setAll(a, second);
  await equalRoots([a, b]);
  await seeEachOther([a, b]);

  await h1.cable.mend();
  await setAll(b, third);
  await equalRoots([a, b]);
  await holdExactly([a, b], [...first, ...second, ...third]);
});

scenario("a second network comes while the node runs", async (lan) => {
  const other = await lan.addNetwork();
  const [left, right] = await Promise.all([lan.daemon(), lan.daemon({ network: other })]);
  await left.set("left", "1");
  await right.set("right", "2");
  await left.host.plug(other);

  await seeEachOther([left, right]);
  await equalRoots([left, right]);
  await holdExactly(
    [left, right],
    [
      ["left", "1"],
      ["right", "2"],
    ],
  );
});

scenario("a default route or none makes no difference", async (lan) => {
  const [h1, h2, h3] = [await lan.host(), await lan.host(), await lan.host()];
  await h1.addDefaultRoute();
  await h2.addDefaultRoute();
  const [a, b, c] = await Promise.all([h1.daemon(), h2.daemon(), h3.daemon()]);
  await seeEachOther([a, b, c]);
  await a.set("a", "1");
  await equalRoots([a, b, c]);

  await h1.removeDefaultRoute();
  await h3.addDefaultRoute();
  await a.set("b", "2");
  await c.set("c", "3");
  await seeEachOther([a, b, c]);
  await equalRoots([a, b, c]);
  await holdExactly(
    [a, b, c],
    [
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
    ],
  );
});

scenario("with --interface, the other networks hear nothing", async (lan) => {
  const other = await lan.addNetwork();
  const [h1, h2, h3] = [await lan.host(), await lan.host(), await lan.host({ network: other })];
  await h2.plug(other);
  const [left, both, right] = await Promise.all([
    h1.daemon(),
    h2.daemon({ flags: ["--interface", "eth0"] }),
    h3.daemon(),
  ]);
  await seeEachOther([left, both]);
  await left.set("left", "1");
  await equalRoots([left, both]);
  assert.deepEqual(await right.peers(), []);
});

scenario("with --peer, a node is found across no broadcast at all", async (lan) => {
  const [h1, h2] = [await lan.host(), await lan.host()];
  const a = await h1.daemon({ flags: ["--no-discovery"] });
  const b = await h2.daemon({ flags: ["--no-discovery", "--peer", h1.address] });
  await seeEachOther([a, b]);
  await a.set("a", "1");
  await b.set("b", "2");
  await equalRoots([a, b]);
  await holdExactly(
    [a, b],
    [
      ["a", "1"],
      ["b", "2"],
    ],
  );
});
