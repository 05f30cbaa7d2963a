/** Somebody watches on one host what is written on another. */
import "./namespace.js";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { equalRoots, seeEachOther } from "./agreement.js";
import type { Daemon } from "./daemon.js";
import type { Program } from "./program.js";
import { scenario } from "./scenario.js";
import { until } from "./until.js";

const lankv = fileURLToPath(new URL("../../../bin/lankv.js", import.meta.url));

scenario("a watch on one host sees a set, a del and an expiry made on another", async (lan) => {
  const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2]);
  await h1.set("robots/0", "there");
  await h1.set("other", "there");
  await equalRoots([h1, h2]);
  const watch = watching(h2, "robots/");
  await prints(watch, ["initial\trobots/0\tthere"]);

  await h1.set("robots/1", "idle");
  await prints(watch, ["initial\trobots/0\tthere", "set\trobots/1\tidle"]);
  await h1.set("other", "changed");
  await h1.delete("robots/0");
  await h1.call("SET", "robots/2", "brief", "PX", "1000");
  await prints(watch, [
    "initial\trobots/0\tthere",
    "set\trobots/1\tidle",
    "del\trobots/0",
    "set\trobots/2\tbrief",
    "expired\trobots/2",
  ]);
  await watch.end("SIGINT");
  assert.equal(watch.ending, "ended with exit code 130");
});

scenario("a watch sees what was written while the cable was cut", async (lan) => {
  const [h1, h2] = await Promise.all([lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2]);
  await h1.set("k", "before");
  await equalRoots([h1, h2]);
  const watch = watching(h2, "");
  await prints(watch, ["initial\tk\tbefore"]);

  await h1.host.cable.cut();
  await until("h1 is alone", async () => assert.deepEqual(await h1.peersUp(), []));
  await h1.set("k", "during");
  await h1.host.cable.mend();
  await prints(watch, ["initial\tk\tbefore", "set\tk\tduring"]);
  await watch.end("SIGINT");
});

function watching(daemon: Daemon, prefix: string): Program {
  const args = [lankv, "-s", daemon.socket, "watch", prefix, "--initial"];
  return daemon.host.start(`watch-${daemon.name}`, args);
}

async function prints(watch: Program, lines: readonly string[]): Promise<void> {
  await until("the watch prints", () => assert.deepEqual(watch.log.split("\n").slice(0, -1), lines));
}
