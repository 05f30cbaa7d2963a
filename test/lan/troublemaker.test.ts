/** A host that sends garbage to every port throughout, while the others do their work. */
import "./namespace.js";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { allRead, equalRoots, holdExactly, seeEachOther } from "./agreement.js";
import { numbered, setAll } from "./burst.js";
import type { Daemon } from "./daemon.js";
import { member } from "./json.js";
import type { Lan } from "./lan.js";
import type { Program } from "./program.js";
import { scenario } from "./scenario.js";
import { until } from "./until.js";

const troublemaker = fileURLToPath(new URL("troublemaker.js", import.meta.url));

scenario("garbage to the UDP port and the PUB ports, throughout", async (lan) => {
  const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
  await seeEachOther([h1, h2, h3]);
  const trouble = await makeTrouble(lan, [h1, h2, h3]);

  const entries = numbered("burst", 20_000);
  await setAll(h1, entries);
  await h2.set("written", "amid garbage");
  await allRead([h1, h2, h3], "written", "amid garbage");
  await holdsAll([h1, h2, h3], entries.length + 1);

  // Cut and mended, killed and started again: no part of the machinery minds the garbage.
  await h1.host.cable.cut();
  await h1.set("apart", "h1");
  await h2.set("apart", "h2");
  await h1.host.cable.mend();
  await h3.kill9();
  await h3.start();
  await holdsAll([h1, h2, h3], entries.length + 2);
  await h3.delete("apart");
  await allRead([h1, h2], "apart", undefined);

  // Long enough for every kind of garbage, many times over.
  await until("2000 spoiled datagrams", () => assert(datagramsSent(trouble) >= 2000));
  await seeEachOtherAmidOthers([h1, h2, h3]);
  for (const daemon of [h1, h2, h3])
    assert((await ignoredBy(daemon)) > 100, `garbage reached ${daemon.name}`);
  assert.equal(await trouble.end(), "ended with exit code 0");
  await seeEachOther([h1, h2, h3]);
  await equalRoots([h1, h2, h3], { deadlineMs: 60_000 });
  await holdExactly([h1, h2, h3], [...entries, ["written", "amid garbage"]]);
});

/** Starts the troublemaker on a host of its own, and waits until it is at it. */
async function makeTrouble(lan: Lan, victims: readonly Daemon[]): Promise<Program> {
  const targets: string[] = [];
  for (const { host } of victims) {
    for (const port of await host.openPorts()) targets.push(`${host.address}:${String(port)}`);
  }
  assert(targets.length >= victims.length, `each victim has a PUB port: ${targets.join(" ")}`);
  const host = await lan.host({ name: "trouble" });
  const program = host.start("trouble", [troublemaker, lan.network.broadcast, ...targets]);
  await until("it has begun", () => assert(datagramsSent(program) > 0));
  return program;
}

/** By the last line of its log. */
function datagramsSent(trouble: Program): number {
  return Number(/.*"datagrams":(\d+)/s.exec(trouble.log)?.[1] ?? 0);
}

/** How many datagrams and messages the daemon found fault with. */
async function ignoredBy(daemon: Daemon): Promise<number> {
  const status: unknown = JSON.parse(String(await daemon.call("LANKV.STATUS")));
  const counts: unknown[] = Object.values(member(status, "ignored") ?? {});
  return counts.reduce<number>((sum, count) => sum + Number(count), 0);
}

/** While garbage lasts, a node may take it for a peer; it must not lose sight of its real peers for that. */
async function seeEachOtherAmidOthers(daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) {
    const others = daemons.filter((other) => other !== daemon).map(({ name }) => name);
    await until(`${daemon.name} sees ${others.join(", ")}`, async () => {
      const up = await daemon.peersUp();
      for (const other of others) assert(up.includes(other), `${other} among ${up.join(", ")}`);
    });
  }
}

async function holdsAll(daemons: readonly Daemon[], keys: number): Promise<void> {
  for (const daemon of daemons) {
    await until(`all keys on ${daemon.name}`, async () => assert.equal(await daemon.keyCount(), keys), {
      deadlineMs: 60_000,
    });
  }
}
