/** How long it takes to start, beside Node.js with nothing to do. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { must } from "../../test/lan/command.js";
import { ceilingRow, milliseconds, type Row } from "./row.js";

const lankv = fileURLToPath(new URL("../../../bin/lankv.js", import.meta.url));
const RUNS = 15;
const START_MS_MAX = 20_000;

/** In turns, so that what else the machine does meets all alike. The median of the runs is taken. */
export async function starting(): Promise<Row[]> {
  await must("ip", "link", "set", "dev", "lo", "up");
  const directory = await mkdtemp("/run/start-");
  const socket = join(directory, "first.sock");
  const [daemon] = await served(socket);
  const times: Record<"node" | "version" | "get" | "serve", number[]> = {
    ...{ node: [], version: [], get: [], serve: [] },
  };
  for (let run = 0; run < RUNS; run += 1) {
    times.node.push(await taken(["-e", ""], 0));
    times.version.push(await taken([lankv, "version"], 0));
    times.get.push(await taken([lankv, "-s", socket, "exists", "nothing"], 3));
    const [started, ms] = await served(join(directory, `${run}.sock`));
    times.serve.push(ms);
    await ended(started);
  }
  await ended(daemon);
  await rm(directory, { recursive: true });
  const node = median(times.node);
  const row = (what: string, of: readonly number[], atMost: number): Row =>
    ceilingRow(`${what} (beside: node -e "")`, median(of), node, atMost, milliseconds);
  return [
    row("lankv version", times.version, 2),
    row("a command that asks the daemon: lankv exists KEY", times.get, 2),
    row("lankv serve, until it answers", times.serve, 6),
  ];
}

async function taken(args: readonly string[], expected: number): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  await once(child, "exit");
  const ms = performance.now() - begun;
  assert.equal(child.exitCode, expected, args.join(" "));
  return ms;
}

/** Starts a daemon. @returns it, and the milliseconds until its socket took a connection */
async function served(socket: string): Promise<[ReturnType<typeof spawn>, number]> {
  const begun = performance.now();
  const alone = ["--memory", "--interface", "lo", "--redis-port", "0"];
  const child = spawn(process.execPath, [lankv, "serve", "--socket", socket, ...alone], { stdio: "ignore" });
  while (!(await answers(socket))) {
    assert(
      performance.now() - begun < START_MS_MAX && child.exitCode === null,
      "lankv serve does not answer",
    );
    await pause(2);
  }
  return [child, performance.now() - begun];
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    socket.write("PING\r\n");
    await once(socket, "data");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function ended(child: ReturnType<typeof spawn>): Promise<void> {
  child.kill();
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
