/** Wires that lose, delay and carry little. */
import "./namespace.js";
import { randomBytes } from "node:crypto";
import { type Entry, equalRoots, holdExactly, seeEachOther } from "./agreement.js";
import { Burst, numbered, setAll } from "./burst.js";
import { scenario } from "./scenario.js";

const needs = ["ethtool"];

scenario(
  "a loss of 5 % and a delay of 20 ms on every wire",
  async (lan) => {
    const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
    for (const { host } of [h1, h2, h3]) await host.cable.impair({ lossPercent: 5, delayMs: 20 });
    await seeEachOther([h1, h2, h3]);
    const [first, second] = [numbered("first", 5000), numbered("second", 5000)];
    await Promise.all([setAll(h1, first), setAll(h2, second)]);

    await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
    await holdExactly([h1, h2, h3], [...first, ...second]);

    // A node that starts on such a network joins as well.
    await h3.stop();
    await h3.start();
    await seeEachOther([h1, h2, h3]);
    await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
    await holdExactly([h3], [...first, ...second]);
  },
  { needs },
);

scenario(
  "values of 1 MiB over a wire of 10 Mbit/s",
  async (lan) => {
    const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
    await h2.host.cable.impair({ rateMbit: 10 });
    await seeEachOther([h1, h2, h3]);
    const large = Array.from({ length: 10 }, (_, index): Entry => [
      `large/${String(index)}`,
      randomBytes(1024 * 1024),
    ]);
    const small = numbered("small", 1000);
    const burst = new Burst(h1, large);
    await setAll(h3, small);
    await burst.ended;

    await equalRoots([h1, h2, h3], { deadlineMs: 90_000 });
    await seeEachOther([h1, h2, h3]);
    await holdExactly([h1, h2, h3], [...large, ...small]);
  },
  { needs },
);

scenario(
  "a value of 1 MiB over a wire of 1.5 Mbit/s, which takes longer than a peer may be silent",
  async (lan) => {
    const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
    await h2.host.cable.impair({ rateMbit: 1.5 });
    await seeEachOther([h1, h2]);
    const large: Entry[] = [["large", randomBytes(1024 * 1024)]];
    await setAll(h1, large);

    await equalRoots([h1, h2], { deadlineMs: 90_000 });
    await holdExactly([h1, h2], large);
  },
  { needs },
);
