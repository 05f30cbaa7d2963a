/** The image: what is in it, and how a container of it behaves. None here has any network but its own loopback. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { run } from "../lan/command.js";
import { until } from "../lan/until.js";
import { baseImage, buildImage, docker, image, missing } from "./engine.js";

/** Its own part of the image may be so large: ZeroMQ is most of it. */
const OWN_BYTES_MAX = 30_000_000;

/** How long docker waits before it kills what does not stop: ample, so that only what never would is killed. */
const STOP_SECONDS = "60";

describe("the image", { skip: missing ?? false }, () => {
  const label = "lankv-test-image";

  before(async () => {
    await buildImage();
    await remove();
  });

  after(remove);

  /** Removes the containers of these tests, also those of a run before that was cut short. */
  async function remove(): Promise<void> {
    const ids = await docker("ps", "--all", "--quiet", "--filter", `label=${label}`);
    if (ids !== "") await docker("rm", "--force", "--volumes", ...ids.split("\n"));
  }

  /** Starts a container in the background. @returns its id */
  async function start(...args: string[]): Promise<string> {
    return docker("run", "--detach", "--network", "none", "--health-interval=1s", "--label", label, ...args);
  }

  /** Runs a container to its end. */
  async function outcome(...args: string[]): ReturnType<typeof run> {
    return run("docker", ["run", "--rm", "--network", "none", "--label", label, ...args]);
  }

  async function healthy(id: string): Promise<void> {
    await until("healthy", async () =>
      assert.equal(await docker("inspect", "--format", "{{.State.Health.Status}}", id), "healthy"),
    );
  }

  it("adds little to its base", async () => {
    const [base, own] = await Promise.all(
      [baseImage, image].map(async (name) =>
        Number(await docker("image", "inspect", "--format", "{{.Size}}", name)),
      ),
    );
    assert(base !== undefined && own !== undefined);
    assert(own > base && own - base < OWN_BYTES_MAX, `${String(own - base)} bytes`);
  });

  it("runs any command of lankv, and as a user without privileges", async () => {
    assert.match((await outcome(image, "version")).stdout, /^\d+\.\d+\.\d+/);
    assert.equal((await outcome("--entrypoint", "id", image, "-un")).stdout, "node\n");
  });

  it("is healthy once it answers, ends cleanly when it is stopped, and is the same node afterwards", async () => {
    const id = await start(image);
    await healthy(id);
    const nodeId = await docker("exec", id, "cat", "/var/lib/lankv/node-id");
    await docker("exec", id, "lankv", "set", "k", "v");
    await docker("stop", "--time", STOP_SECONDS, id);
    // 137 would be the code of one that had to be killed.
    assert.equal(await docker("inspect", "--format", "{{.State.ExitCode}}", id), "0");
    await docker("start", id);
    await healthy(id);
    assert.equal(await docker("exec", id, "cat", "/var/lib/lankv/node-id"), nodeId);
    assert.equal(await docker("exec", id, "lankv", "get", "k"), "v");
  });

  it("is unhealthy when its node hangs", async () => {
    const id = await start("--health-timeout=2s", "--health-retries=1", image);
    await healthy(id);
    await docker("kill", "--signal", "STOP", id);
    await until("unhealthy", async () =>
      assert.equal(await docker("inspect", "--format", "{{.State.Health.Status}}", id), "unhealthy"),
    );
  });

  it("lets nobody else in without a password, unless it is told to", async () => {
    const { code, stderr } = await outcome("--env", "LANKV_BIND=0.0.0.0", image);
    assert.equal(code, 2);
    assert.match(stderr, /bind must be a loopback address .* --password-file FILE.* --no-protected-mode/);
    const id = await start("--env", "LANKV_BIND=0.0.0.0", "--env", "LANKV_NO_PROTECTED_MODE=1", image);
    await healthy(id);
    await docker("exec", id, "lankv", "--url", "redis://127.0.0.1", "ping");
  });
});
