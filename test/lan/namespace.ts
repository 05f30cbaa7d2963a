/**
 * A test file that imports this module runs inside namespaces of its own: user (unless root), network,
 * mount and pid. The network namespace starts with no interface at all, so nothing that a test sends can
 * reach a real network; the mount namespace has an empty /run, where `ip netns` keeps its names and the tests
 * their files; and when the pid namespace's first process ends, by whatever means, the kernel ends
 * every process inside and with them all that they made. So nothing needs to be found and removed.
 *
 * It is done by running the same file again under `unshare`, with the same standard streams, so that it
 * makes no difference whether a person or `node --test` runs the file.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const insideVariable = "LAN_TEST_NAMESPACE";
const path = `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
process.env["PATH"] = path;

/** The variable alone would be too little to go by: this process is also the first of its pid namespace. */
const isInside = process.env[insideVariable] !== undefined && process.pid === 1;

/** Why this machine cannot make namespaces; undefined where it can. */
export const unavailable = isInside ? settle() : enter();

/** Whatever makes or removes namespaces asks this first: outside, it would be at work on the machine's own. */
export function assertInside(): void {
  assert(isInside, "only in the tests' own namespaces");
}

/** The first of these programs, or files when they begin with a slash, that this machine lacks. */
export function missing(needs: readonly string[]): string | undefined {
  const folders = path.split(delimiter);
  return needs.find((need) =>
    need.startsWith("/") ? !existsSync(need) : !folders.some((folder) => existsSync(join(folder, need))),
  );
}

function enter(): string | undefined {
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const namespaces = [...user, "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];

  const probe = spawnSync(
    "unshare",
    [...namespaces, "sh", "-c", "mount -t tmpfs tmpfs /run && ip netns add probe"],
    { encoding: "utf8", timeout: 30_000 },
  );
  if (probe.status !== 0) {
    const cause = probe.error?.message ?? probe.stderr.trim();
    if (process.env["CI"] !== undefined)
      throw new Error(`no network namespaces, and CI skips no test: ${cause}`);
    return `this machine cannot make network namespaces: ${cause}`;
  }

  // The settings of whoever runs the tests are not those of the daemons.
  for (const name of Object.keys(process.env).filter((name) => name.startsWith("LANKV_"))) {
    Reflect.deleteProperty(process.env, name);
  }
  // Should this process be killed while it waits, setpriv's request has the kernel kill unshare, too.
  const inside = spawnSync(
    "setpriv",
    [
      "--pdeathsig",
      "KILL",
      "unshare",
      ...namespaces,
      process.execPath,
      ...process.execArgv,
      ...process.argv.slice(1),
    ],
    { env: { ...process.env, [insideVariable]: "inside" }, stdio: "inherit" },
  );
  process.exit(inside.status ?? 1);
}

function settle(): undefined {
  const mount = spawnSync("mount", ["-t", "tmpfs", "tmpfs", "/run"], { encoding: "utf8" });
  if (mount.status !== 0) throw new Error(`mounting /run failed: ${mount.stderr}`);
}
