/** Cables are cut and mended, addresses change: whatever was written meanwhile, all become equal. */
import "./namespace.js";
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { allRead, equalRoots, holdExactly, seeEachOther, seesExactly } from "./agreement.js";
import { Burst, numbered, setAll } from "./burst.js";
import { scenario } from "./scenario.js";
import { until } from "./until.js";

scenario("a cable is cut with the link up, and both sides write", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  await h1.set("same", "before");
  await h1.set("doomed", "before");
  await h1.set("untouched", "before");
  await equalRoots([h1, h2, h3]);

  await h1.host.cable.cut();
  await seesExactly(h1, []);
  await seesExactly(h2, ["h3"]);
  const [left, right] = [numbered("left", 1000), numbered("right", 1000)];
  await setAll(h1, left);
  await setAll(h2, right);
  await h1.set("same", "from h1");
  await h1.delete("doomed");
  await moment();
  await h2.set("same", "from h2, later");
  await allRead([h3], "same", "from h2, later");
  await allRead([h1], "same", "from h1");
  await h1.host.cable.mend();

  await seeEachOther([h1, h2, h3]);
  await equalRoots([h1, h2, h3]);
  await holdExactly([h1, h2, h3], [...left, ...right, ["same", "from h2, later"], ["untouched", "before"]]);
  await allRead([h1, h2, h3], "doomed", undefined);

  // Only "same" was written on both sides, and at least one node saw that and lists it.
  await until("the conflict is listed", async () => {
    const listed = await Promise.all([h1, h2, h3].map((daemon) => daemon.conflicts()));
    assert.deepEqual([...new Set(listed.flat())], ["same"]);
  });
  assert(
    (await Promise.all([h1, h2, h3].map((daemon) => daemon.cliOutput("conflicts", "--json"))))
      .join()
      .includes('"same"'),
  );
});

scenario("one side deletes what the other overwrites", async (lan) => {
  const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2]);
  await h1.set("deleted last", "before");
  await h1.set("written last", "before");
  await equalRoots([h1, h2]);

  await h1.host.cable.cut();
  await Promise.all([seesExactly(h1, []), seesExactly(h2, [])]);
  await h1.set("deleted last", "from h1");
  await h2.delete("written last");
  await moment();
  await h2.delete("deleted last");
  await h1.set("written last", "from h1");
  await h1.host.cable.mend();

  await equalRoots([h1, h2]);
  await holdExactly([h1, h2], [["written last", "from h1"]]);
});

scenario("a partition of two pairs", async (lan) => {
  const [h1, h2, h3, h4] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3, h4]);
  await lan.partition(h1.host, h2.host);
  await Promise.all([seeEachOther([h1, h2]), seeEachOther([h3, h4])]);
  const [left, right] = [numbered("left", 5000), numbered("right", 5000)];
  await Promise.all([setAll(h1, left), setAll(h3, right)]);
  await Promise.all([equalRoots([h1, h2]), equalRoots([h3, h4])]);
  await lan.heal();

  await seeEachOther([h1, h2, h3, h4]);
  await equalRoots([h1, h2, h3, h4]);
  await holdExactly([h1, h2, h3, h4], [...left, ...right]);
});

scenario("a loose contact during a burst", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  const entries = numbered("burst", 50_000);
  const burst = new Burst(h1, entries);
  for (const acknowledged of [5000, 15_000, 25_000, 35_000, 45_000]) {
    await until("the burst goes on", () => assert(burst.acknowledged >= acknowledged));
    await h2.host.cable.cut();
    await h1.set("while cut", String(acknowledged));
    await h2.host.cable.mend();
  }
  assert.equal(await burst.ended, undefined);

  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await holdExactly([h1, h2, h3], [...entries, ["while cut", "45000"]]);
});

scenario("a link goes down and up", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);

  await h1.host.cable.deviceDown();
  await seesExactly(h1, []);
  await seesExactly(h2, ["h3"]);
  await h1.set("written", "by h1, offline");
  await h2.set("also written", "by h2");
  await h1.host.cable.deviceUp();
  await seeEachOther([h1, h2, h3]);
  await allRead([h1, h2, h3], "written", "by h1, offline");
  await allRead([h1, h2, h3], "also written", "by h2");

  await h1.host.cable.unplug();
  await seesExactly(h1, []);
  await h1.set("unplugged", "h1");
  await h1.host.cable.plugIn();
  await seeEachOther([h1, h2, h3]);
  await allRead([h1, h2, h3], "unplugged", "h1");
  await equalRoots([h1, h2, h3]);
});

scenario("a node starts before its network does", async (lan) => {
  const h1 = await lan.daemon();
  const host = await lan.host();
  await host.cable.deviceDown();
  const h2 = await host.daemon();
  await h1.set("on h1", "1");
  await h2.set("on h2", "2");
  assert.deepEqual(await h2.peersUp(), []);

  await host.cable.deviceUp();
  await seeEachOther([h1, h2]);
  await equalRoots([h1, h2]);
  await holdExactly(
    [h1, h2],
    [
      ["on h1", "1"],
      ["on h2", "2"],
    ],
  );
});

scenario("an address changes while all write", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  const [before, during, after] = [
    numbered("before", 1000),
    numbered("during", 50_000),
    numbered("after", 1000),
  ];
  await setAll(h1, before);

  const bursts = [new Burst(h1, during.slice(0, 25_000)), new Burst(h2, during.slice(25_000))];
  await h1.host.cable.changeAddress("10.77.0.101");
  for (const burst of bursts) assert.equal(await burst.ended, undefined);
  await until("the others know the new address", async () => {
    for (const other of [h2, h3]) {
      const found = (await other.peers()).find(({ name, state }) => name === "h1" && state === "up");
      assert(
        found?.address.startsWith("10.77.0.101"),
        `${other.name} has h1 at ${found?.address ?? "no address"}`,
      );
    }
  });
  await seeEachOther([h1, h2, h3]);
  await setAll(h1, after);

  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await holdExactly([h1, h2, h3], [...before, ...during, ...after]);
});

/** Between writes whose order counts: clocks count milliseconds. */
async function moment(): Promise<void> {
  await pause(20);
}
