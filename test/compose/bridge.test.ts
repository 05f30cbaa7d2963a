/** A node in a network of docker's, which broadcasts do not reach, and a host outside that it names with --peer. */
import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import { must, run } from "../lan/command.js";
import { listFrom, textMember } from "../lan/json.js";
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
  });

  beforeEach(() => docker("network", "create", name));

  afterEach(remove);

  it("and a host of the LAN are one store when it names that host, which names nobody", async () => {
    const outer = await startOuter();
    const inner = await startInner();
    await areOneStore(inner, outer);
    assert.deepEqual(await troublesOf(inner), []);
    assert.deepEqual(await troublesOf(outer), ["peer warn"]);
    await docker("restart", outer.id);
    await layCable(outer);
    await areOneStore(inner, outer);
    await docker("restart", inner.id);
    await areOneStore(inner, outer);
  });

  // Its beacons began before the port was published, so they go by the engine's proxy, which shows an address of its own.
  it("connects to a host that names it at that host's address, and not at that of what relays its beacons", async () => {
    const outer = await startOuter("--peer", machine);
    await until("a beacon has gone to where nobody listens yet", async () => {
      const { stdout } = await run("nsenter", [...(await netOf(outer)), "cat", "/proc/net/snmp"]);
      assert.match(stdout, /^IcmpMsg: [1-9]/m);
    });
    const inner = await startInner("--publish", `${machine}:5005:5005/udp`);
    await areOneStore(inner, outer);
  });
});

/** A host of the LAN. */
async function startOuter(...flags: string[]): Promise<Container> {
  const outer = await start("--network", "none", image, "serve", ...flags);
  await layCable(outer);
  return outer;
}

/** As docs/containers.md has it. */
async function startInner(...options: string[]): Promise<Container> {
  return start(
    ...["--network", name, "--publish", `${machine}:7381:7381`, ...options],
    ...[image, "serve", "--port", "7381", "--advertise", machine, "--peer", outside],
  );
}

/** What the doctor finds amiss, asked in the container. */
async function troublesOf(node: Container): Promise<string[]> {
  const findings = listFrom(await node.cliOutput("doctor", "--json"));
  return findings
    .map((found) => `${textMember(found, "check")} ${textMember(found, "status")}`)
    .filter((text) => !text.endsWith(" ok"));
}

/** They are linked both ways, and each has what the other writes. */
async function areOneStore(inner: Container, outer: Container): Promise<void> {
  const nodes = [inner, outer];
  for (const node of nodes) {
    await until(`${node.name} is linked`, () => node.cliOutput("wait", "--peers", "1", "--synced"), {
      deadlineMs: 90_000,
    });
  }
  for (const [node, other] of [nodes, nodes.toReversed()]) {
    assert(node !== undefined && other !== undefined);
    const key = `from/${node.name}`;
    const value = String(Math.random());
    await node.cliOutput("set", key, value);
    await until(`${other.name} has it`, async () => assert.equal(await other.cliOutput("get", key), value));
  }
}

async function start(...args: string[]): Promise<Container> {
  return new Container(await docker("run", "--detach", "--label", name, ...args));
}

/** Arguments of nsenter for the container's network. */
async function netOf(container: Container): Promise<string[]> {
  return ["--target", await container.inspect("{{.State.Pid}}"), "--net"];
}

/**
 * Gives a container without network a cable to this machine. That of an earlier one goes with its container, but not at
 * once.
 */
async function layCable(to: Container): Promise<void> {
  await run("ip", ["link", "del", link]);
  const pid = await to.inspect("{{.State.Pid}}");
  const inside = ["nsenter", ...(await netOf(to)), "ip"];
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

/** Removes what the test makes, also that of a run before that was cut short. */
async function remove(): Promise<void> {
  const ids = await docker("ps", "--all", "--quiet", "--filter", `label=${name}`);
  if (ids !== "") await docker("rm", "--force", "--volumes", ...ids.split("\n"));
  await run("docker", ["network", "rm", name]);
  await run("ip", ["link", "del", link]);
}
