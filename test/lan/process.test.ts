/** What happens to processes: they are killed, and they stand still. */
import "./namespace.js";
import assert from "node:assert/strict";
import { equalRoots, holdExactly, seeEachOther, seesExactly } from "./agreement.js";
import { Burst, numbered, setAll } from "./burst.js";
import { scenario } from "./scenario.js";
import { until } from "./until.js";

scenario("the writer is killed in a burst, and starts again", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  const entries = numbered("burst", 200_000);
  const burst = new Burst(h1, entries);
  await until("half of it is sent", () => assert(burst.acknowledged >= 100_000));
  await h1.kill9();
  assert(await burst.ended);
  assert(burst.acknowledged < entries.length);

  // What went down with the writer's memory is lost; what one of the others has, both get and keep.
  await seesExactly(h2, ["h3"]);
  await equalRoots([h2, h3], { deadlineMs: 60_000 });
  const survived = await h2.keyCount();
  assert(survived > 0);

  await h1.start();
  await seeEachOther([h1, h2, h3]);
  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  assert.equal(await h1.keyCount(), survived);

  // The writer writes everything again, over what is there: nothing old gets in the way.
  await setAll(h1, entries);
  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await holdExactly([h1, h2, h3], entries);
});

scenario("a reader is killed in a burst, and starts again", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  const entries = numbered("burst", 100_000);
  const burst = new Burst(h1, entries);
  await until("a part of it is sent", () => assert(burst.acknowledged >= 30_000));
  await h2.kill9();
  await h2.start();
  assert.equal(await burst.ended, undefined);

  await seeEachOther([h1, h2, h3]);
  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await holdExactly([h1, h2, h3], entries);
});

scenario("a process stands still for ten seconds while the others write", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  const [before, meanwhile, after] = [
    numbered("before", 1000),
    numbered("meanwhile", 50_000),
    numbered("after", 1000),
  ];
  await setAll(h3, before);
  await equalRoots([h1, h2, h3]);

  const pause = h3.pauseFor(10_000);
  await setAll(h1, meanwhile);
  await seesExactly(h1, ["h2"]);
  await pause;

  await seeEachOther([h1, h2, h3]);
  await setAll(h3, after);
  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await holdExactly([h1, h2, h3], [...before, ...meanwhile, ...after]);
});
