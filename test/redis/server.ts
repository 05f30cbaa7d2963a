/** The servers that the clients are tried with: lankv, and Redis itself, which proves the tests. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { aloneFlags, Daemon, freePort } from "../cli/lankv.js";

const START_MS_MAX = 20_000;

export interface ServerOptions {
  /** Asked of every client. Default: none. */
  readonly password?: string;
}

/** A server with a TCP port and a unix socket, both on this machine only. */
export interface Server extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly socket: string;
  /** Ends the process as its user would. */
  stop(): Promise<void>;
  /** Starts it again where it was, without its keys. */
  start(): Promise<void>;
}

/** Each kind of server under the name that tests call it by. */
export const SERVERS: readonly (readonly [string, (options?: ServerOptions) => Promise<Server>])[] = [
  ["lankv", startLankv],
  ["Redis itself", startRedis],
];

export async function startLankv({ password }: ServerOptions = {}): Promise<Server> {
  const directory = mkdtempSync(path.join(tmpdir(), "lankv-redis-"));
  const port = await freePort();
  const flags = ["--redis-port", String(port), ...(await aloneFlags())];
  if (password !== undefined) {
    const file = path.join(directory, "password");
    writeFileSync(file, `${password}\n`, { mode: 0o600 });
    flags.push("--password-file", file);
  }
  let daemon = await Daemon.start(directory, flags);
  const stop = async (): Promise<void> => {
    assert.equal(await daemon.end(), 0, daemon.log);
  };
  return {
    name: "lankv",
    port,
    socket: daemon.socket,
    stop,
    async start() {
      daemon = await Daemon.start(directory, flags);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** With what lankv has on without configuration: keyspace events. */
export async function startRedis({ password }: ServerOptions = {}): Promise<Server> {
  const directory = mkdtempSync(path.join(tmpdir(), "lankv-redis-"));
  const port = await freePort();
  const socket = path.join(directory, "redis.sock");
  const args = [
    ...["--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socket, "--dir", directory],
    ...["--save", "", "--appendonly", "no", "--notify-keyspace-events", "AKE"],
    ...(password === undefined ? [] : ["--requirepass", password]),
  ];
  let child = await spawnRedis(args, socket);
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill();
      await once(child, "exit");
    }
  };
  return {
    name: "Redis itself",
    port,
    socket,
    stop,
    async start() {
      child = await spawnRedis(args, socket);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function spawnRedis(args: readonly string[], socket: string): Promise<ChildProcess> {
  const child = spawn("redis-server", args, { stdio: "ignore" });
  const deadline = performance.now() + START_MS_MAX;
  while (!(await isListening(socket))) {
    assert.equal(child.exitCode, null, "redis-server ended");
    assert(performance.now() < deadline, "redis-server does not answer");
    await pause(10);
  }
  return child;
}

async function isListening(socket: string): Promise<boolean> {
  const connection = connect(socket);
  try {
    await once(connection, "connect");
    return true;
  } catch {
    return false;
  } finally {
    connection.destroy();
  }
}
