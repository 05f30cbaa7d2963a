/** Many keys at once: nothing is lost, and a newcomer gets them all. */
import "./namespace.js";
import { allRead, equalRoots, holdExactly, seeEachOther } from "./agreement.js";
import { numbered, setAll } from "./burst.js";
import { scenario } from "./scenario.js";

scenario("a burst of 200 000 sets, and nothing is lost", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  const entries = numbered("burst", 200_000);
  await setAll(h1, entries);

  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await holdExactly([h1, h2, h3], entries);
});

scenario("bursts on all nodes at once", async (lan) => {
  const daemons = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther(daemons);
  const bursts = daemons.map((daemon) => ({ daemon, entries: numbered(daemon.name, 20_000) }));
  await Promise.all(bursts.map(async ({ daemon, entries }) => setAll(daemon, entries)));

  await equalRoots(daemons, { deadlineMs: 60_000 });
  await holdExactly(
    daemons,
    bursts.flatMap(({ entries }) => entries),
  );
});

scenario("a newcomer gets 100 000 keys", async (lan) => {
  const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2]);
  const entries = numbered("old", 100_000);
  await setAll(h1, entries);
  await equalRoots([h1, h2], { deadlineMs: 60_000 });

  const h3 = await lan.daemon();
  await h2.set("meanwhile", "written while the newcomer pulls");
  await h3.cliOutput("wait", "--peers", "2", "--synced", "--timeout", "60s");

  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await allRead([h3], "meanwhile", "written while the newcomer pulls");
  await h1.delete("meanwhile");
  await equalRoots([h1, h2, h3]);
  await holdExactly([h1, h2, h3], entries);
});

scenario("a newcomer pulls while the others write", async (lan) => {
  const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2]);
  const old = numbered("old", 50_000);
  await setAll(h1, old);

  const fresh = numbered("new", 50_000);
  const [h3] = await Promise.all([lan.daemon(), setAll(h2, fresh)]);

  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await holdExactly([h1, h2, h3], [...old, ...fresh]);
});
