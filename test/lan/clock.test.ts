/** A host whose clock is an hour ahead, such as one without a battery behind its clock. */
import "./namespace.js";
import assert from "node:assert/strict";
import { allRead, equalRoots, holdExactly, seeEachOther } from "./agreement.js";
import { scenario } from "./scenario.js";
import { until } from "./until.js";
import { setTimeout as pause } from "node:timers/promises";

const needs = ["faketime"];
const hourMs = 3_600_000;

scenario(
  "a clock an hour ahead is seen, and neither wins for ever nor expires what is alive",
  async (lan) => {
    const ahead = await lan.daemon({ clock: "+1h" });
    // Nobody is there yet whom it could follow: these stamps are an hour in the future.
    await ahead.set("early", "from h1");
    await ahead.set("unwanted", "from h1");
    const [h2, h3] = await Promise.all([lan.daemon(), lan.daemon()]);
    await seeEachOther([ahead, h2, h3]);
    await allRead([h2, h3], "unwanted", "from h1");

    // Who has seen a write wins over it, whatever the clocks say.
    await h2.set("early", "from h2, later");
    await h3.delete("unwanted");
    await allRead([ahead, h2, h3], "early", "from h2, later");
    await allRead([ahead, h2, h3], "unwanted", undefined);

    await until("its peers know how far its clock is off", async () => {
      const offsetMs = (await h2.peers()).find(({ name }) => name === "h1")?.clockOffsetMs ?? 0;
      assert(offsetMs > hourMs / 2, `an offset of ${String(offsetMs)} ms`);
    });

    // It follows the others: what expires in ten minutes lives on.
    await h2.call("SET", "short", "alive", "PX", "600000");
    await allRead([ahead, h2, h3], "short", "alive");

    await equalRoots([ahead, h2, h3]);
    await holdExactly(
      [ahead, h2, h3],
      [
        ["early", "from h2, later"],
        ["short", "alive"],
      ],
    );
  },
  { needs },
);

scenario(
  "writes that did not see each other are ordered as they came, though one clock is an hour ahead",
  async (lan) => {
    const [ahead, h2, h3] = await Promise.all([lan.daemon({ clock: "+1h" }), lan.daemon(), lan.daemon()]);
    await seeEachOther([ahead, h2, h3]);
    await equalRoots([ahead, h2, h3]);
    await until("it knows that it is off", async () => {
      for (const { name, clockOffsetMs = 0 } of await ahead.peers()) {
        assert(clockOffsetMs < -hourMs / 2, `${name} at ${String(clockOffsetMs)} ms`);
      }
    });

    await ahead.host.cable.cut();
    await ahead.set("key", "first");
    await pause(2000); // More than the clocks can be off once h1 follows the others.
    await h2.set("key", "second");
    await ahead.host.cable.mend();

    await seeEachOther([ahead, h2, h3]);
    await equalRoots([ahead, h2, h3]);
    await holdExactly([ahead, h2, h3], [["key", "second"]]);
  },
  { needs },
);

scenario(
  "a life given on a host whose clock is an hour ahead is as long everywhere, and ends everywhere",
  async (lan) => {
    const [ahead, h2, h3] = await Promise.all([lan.daemon({ clock: "+1h" }), lan.daemon(), lan.daemon()]);
    await seeEachOther([ahead, h2, h3]);
    await until("it follows the others", async () => {
      await ahead.call("SET", "long", "alive", "EX", "600");
      for (const daemon of [ahead, h2, h3]) {
        const seconds = Number(await daemon.call("TTL", "long"));
        assert(seconds > 300 && seconds <= 610, `on ${daemon.name} ${String(seconds)} s are left`);
      }
    });
    await ahead.call("SET", "short", "alive", "PX", "1500");
    await allRead([h2, h3], "short", "alive");
    for (const daemon of [ahead, h2, h3]) {
      await until(`it is gone on ${daemon.name}`, async () => {
        assert.equal(await daemon.get("short"), undefined);
        assert.equal(await daemon.keyCount(), 1);
      });
    }
    await equalRoots([ahead, h2, h3]);
  },
  { needs },
);
