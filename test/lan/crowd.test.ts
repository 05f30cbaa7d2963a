/** Twenty nodes at once. */
import "./namespace.js";
import { equalRoots, holdExactly, seeEachOther, seesExactly } from "./agreement.js";
import { numbered, setAll } from "./burst.js";
import { scenario } from "./scenario.js";

scenario("twenty nodes start at once, all write, one leaves and returns", async (lan) => {
  const daemons = await Promise.all(Array.from({ length: 20 }, () => lan.daemon()));
  await seeEachOther(daemons, { deadlineMs: 60_000 });
  const bursts = daemons.map((daemon) => ({ daemon, entries: numbered(daemon.name, 200) }));
  await Promise.all(bursts.map(async ({ daemon, entries }) => setAll(daemon, entries)));
  await equalRoots(daemons, { deadlineMs: 60_000 });

  const [leaver, ...others] = daemons;
  await leaver?.stop();
  for (const daemon of others) {
    const rest = others.filter((other) => other !== daemon);
    await seesExactly(
      daemon,
      rest.map(({ name }) => name),
    );
  }
  await leaver?.start();

  await seeEachOther(daemons, { deadlineMs: 60_000 });
  await equalRoots(daemons, { deadlineMs: 60_000 });
  await holdExactly(
    daemons,
    bursts.flatMap(({ entries }) => entries),
  );
});
