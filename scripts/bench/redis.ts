/** A redis-server on a host of the test LAN, reached over its unix socket. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile } from "node:fs/promises";
import { run } from "../../test/lan/command.js";
import type { Host } from "../../test/lan/host.js";
import { RespClient } from "../../test/lan/resp-client.js";
import { DEPTH } from "./load.js";
import { until } from "../../test/lan/until.js";

/** Where it keeps its data, and how. */
export interface OnDisk {
  /** Made if need be. */
  readonly directory: string;
  readonly appendfsync: "always" | "everysec";
}

export class Redis implements AsyncDisposable {
  private constructor(
    readonly host: Host,
    readonly socket: string,
    readonly client: RespClient,
    readonly pid: number,
    private readonly child: ChildProcess,
  ) {}

  /** @param disk default: nothing is kept on disk */
  static async start(host: Host, name: string, disk?: OnDisk): Promise<Redis> {
    const socket = host.path(`${name}.sock`);
    // A replica leaves what it received in its directory, and would load it at its next start.
    const directory = disk?.directory ?? host.path(name);
    await mkdir(directory, { recursive: true });
    const append = disk === undefined ? ["no"] : ["yes", "--appendfsync", disk.appendfsync];
    const network = ["--port", "6379", "--bind", "0.0.0.0", "--protected-mode", "no", "--unixsocket", socket];
    // Without the five seconds that a primary waits for more replicas by default.
    const files = [
      "--dir",
      directory,
      "--save",
      "",
      "--appendonly",
      ...append,
      "--repl-diskless-sync-delay",
      "0",
    ];
    const arguments_ = ["netns", "exec", host.name, "redis-server", ...network, ...files];
    const child = spawn("ip", arguments_, { stdio: "ignore" });
    const client = await until("redis answers", () => RespClient.connect(socket));
    return new Redis(host, socket, client, child.pid ?? 0, child);
  }

  async size(): Promise<number> {
    return Number(await this.client.call("DBSIZE"));
  }

  /** Starts to follow another, and waits until what is written there is seen here. */
  async follow(primary: Redis): Promise<void> {
    await this.client.call("REPLICAOF", primary.host.address, "6379");
    await primary.client.call("SET", "followed", "yes");
    // It refuses to answer while it loads.
    await until("the replica is in step", async () => {
      if (String(await this.client.call("GET", "followed")) !== "yes") throw new Error("not yet");
    });
    await primary.client.call("DEL", "followed");
  }

  /** Writes so many keys with redis-benchmark, in pipelines. */
  async load(count: number): Promise<void> {
    const size = ["-t", "set", "-n", String(count), "-r", "1000000000", "-d", "100", "-P", String(DEPTH)];
    const { code, stderr } = await run("redis-benchmark", ["-s", this.socket, "-q", ...size], {
      timeoutMs: 120_000,
    });
    if (code !== 0) throw new Error(`redis-benchmark: ${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.close();
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }
}

/** Resident memory of a process, in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Processor time that a process has used, in seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
