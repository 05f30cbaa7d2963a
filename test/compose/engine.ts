/** The container engine of this machine, and the image that is tested. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { run, type Outcome } from "../lan/command.js";

/** The compiled tests lie three folders below the project. */
const root = path.resolve(import.meta.dirname, "../../..");
export const composeFile = path.join(root, "scripts/docker/compose.yaml");

/** Tests leave an image of the user's own alone. */
export const image = "lankv:test";

/** What the image is built on. */
export const baseImage = "node:20-bookworm-slim";

/** Fetching every dependency may take minutes; anything else that lasts so long hangs. */
const BUILD_MS_MAX = 600_000;

/** Compose takes containers up and down one after the other, and each may take seconds on a busy machine. */
const COMMAND_MS_MAX = 120_000;

/** How compose is called here: the plugin of the docker command or, as in Debian 12, a program of its own. */
const composeCommand = [["docker", "compose"], ["docker-compose"]].find(([program = "", ...args]) =>
  answers(program, ...args, "version"),
);

/** Why nothing with containers can be tested here; undefined = it can. */
export const missing: string | undefined = !answers("docker", "info")
  ? "no container engine answers to 'docker info': install docker.io and start dockerd"
  : composeCommand === undefined
    ? "there is neither 'docker compose' nor 'docker-compose': install docker-compose"
    : undefined;

function answers(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore", timeout: 30_000 }).status === 0;
}

/** Runs a docker command that has to succeed. @returns what it printed, trimmed */
export async function docker(...args: string[]): Promise<string> {
  return succeeded(`docker ${args.join(" ")}`, await run("docker", args, { timeoutMs: COMMAND_MS_MAX }));
}

/** Runs a compose command that has to succeed, on the project of this name. */
export async function compose(
  project: string,
  env: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<string> {
  const [program = "", ...before] = composeCommand ?? [];
  const all = [...before, "--project-name", project, "--file", composeFile, ...args];
  const outcome = await run(program, all, { env, timeoutMs: COMMAND_MS_MAX });
  return succeeded(`compose ${args.join(" ")}`, outcome);
}

/** Builds the image as it is documented. What has been built before is not built again. */
export async function buildImage(): Promise<void> {
  const args = ["build", "--file", path.join(root, "scripts/docker/Dockerfile"), "--tag", image, root];
  const outcome = await run("docker", args, { timeoutMs: BUILD_MS_MAX });
  succeeded(
    `docker ${args.join(" ")} (where no image registry is reached, run scripts/docker/base-image first)`,
    outcome,
  );
}

function succeeded(what: string, { code, stdout, stderr }: Outcome): string {
  if (code !== 0) throw new Error(`${what}: exit code ${String(code)}\n${stdout}${stderr}`);
  return stdout.trim();
}
