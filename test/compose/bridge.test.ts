/** A node in a network of docker's, which broadcasts do not reach, and a host outside: they name each other with --peer. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { must, run } from "../lan/command.js";
import { until } from "../lan/until.js";
import { Container } from "./container.js";
import { buildImage, docker, image, missing } from "./engine.js";

const name = "lankv-test-bridge";

/** This machine's end of the cable to the host outside. */
const link = "lankv-test0";
const machine = "10.78.0.1";
const outside = "10.78.0.2";

/** Cables between this machine and a container are laid by root. */
const missingHere = missing ?? (process.getuid?.() === 0 ? undefined : "only root can lay a cable");

describe("a node behind a bridge", { skip: missingHere ?? false }, () => {
  before(async () => {
    await buildImage();
    await remove();
    await docker("network", "create", name);
  });

  after(remove);

  it("and a host of the LAN are one store when each names the other", async () => {
    const outer = await start("--network", "none", image, "serve", "--peer", machine);
    await layCable(outer);
    const inner = await start(
      ...["--network", name, "--publish", `${machine}:5005:5005/udp`, "--publish", `${machine}:7381:7381`],
      ...[image, "serve", "--port", "7381", "--advertise", machine, "--peer", outside],
    );
    for (const [node, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      await until(`${node.name} sees ${other.name}`, async () =>
        assert.deepEqual(await node.peersUpInside(), [other.name]),
      );
    }
    await inner.cliOutput("set", "from/inner", "i");
    await outer.cliOutput("set", "from/outer", "o");
    for (const node of [inner, outer]) {
      await node.cliOutput("wait", "--peers", "1", "--synced");
      assert.equal(await node.cliOutput("get", "from/inner"), "i");
      assert.equal(await node.cliOutput("get", "from/outer"), "o");
    }
  });
});

async function start(...args: string[]): Promise<Container> {
  return new Container(await docker("run", "--detach", "--label", name, ...args));
}

/** Gives a container without network a cable to this machine. */
async function layCable(to: Container): Promise<void> {
  const pid = await to.inspect("{{.State.Pid}}");
  const inside = ["nsenter", "--target", pid, "--net", "ip"];
  for (const [program = "", ...args] of [
    ["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", pid],
    ["ip", "addr", "add", `${machine}/24`, "dev", link],
    ["ip", "link", "set", link, "up"],
    [...inside, "addr", "add", `${outside}/24`, "brd", "+", "dev", "eth0"],
    [...inside, "link", "set", "eth0", "up"],
  ]) {
    await must(program, ...args);
  }
}

/** Removes what the test makes, also that of a run before that was cut short. The cable goes with its container. */
async function remove(): Promise<void> {
  const ids = await docker("ps", "--all", "--quiet", "--filter", `label=${name}`);
  if (ids !== "") await docker("rm", "--force", "--volumes", ...ids.split("\n"));
  await run("docker", ["network", "rm", name]);
}
