import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** The compiled tests lie three folders below the project. */
const root = path.resolve(import.meta.dirname, "../../..");
export const bin = path.join(root, "bin/lankv.js");

/** A command that runs for longer has failed the test. */
const RUN_MS_MAX = 30_000;
const START_MS_MAX = 20_000;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  /** Standard output as text. */
  readonly text: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  { input = "", env = {} }: RunOptions = {},
): Promise<Outcome> {
  const child = spawn(program, args, {
    env: { ...cleanEnv(), ...env },
    timeout: RUN_MS_MAX,
    killSignal: "SIGKILL",
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program may end before it has read its input.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  await once(child, "close");
  const bytes = Buffer.concat(stdout);
  return {
    code: child.exitCode,
    stdout: bytes,
    text: bytes.toString(),
    stderr: Buffer.concat(stderr).toString(),
  };
}

/** Runs `lankv ...args`. */
export function lankv(args: readonly string[], options?: RunOptions): Promise<Outcome> {
  return run(process.execPath, [bin, ...args], options);
}

/** `lankv ...args` that goes on until it is ended. */
export class Running {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #text = "";
  #stderr = "";

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, [bin, ...args], {
      env: { ...cleanEnv(), ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_MS_MAX,
      killSignal: "SIGKILL",
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#text += chunk;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#stderr += chunk;
    });
    this.#closed = once(this.#child, "close");
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What it has printed, line by line; a line that is not whole yet is left out. */
  get lines(): readonly string[] {
    return this.#text.split("\n").slice(0, -1);
  }

  /** Waits until it has printed so many lines. */
  async printed(count: number): Promise<readonly string[]> {
    await this.#until(() => this.lines.length >= count);
    return this.lines;
  }

  /** Waits until it has said something on its standard error. */
  async said(pattern: RegExp): Promise<void> {
    await this.#until(() => pattern.test(this.#stderr));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @returns its exit code, or null when a signal ended it */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }

  async #until(isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + RUN_MS_MAX;
    while (!isSo()) {
      const shown = `so far it has printed:\n${this.#text}${this.#stderr}`;
      assert(this.#child.exitCode === null && this.#child.signalCode === null, `it has ended; ${shown}`);
      assert(performance.now() < deadline, shown);
      await pause(10);
    }
  }
}

/** A directory that is gone when the tests of the file are over. */
export function scratchDirectory(after: (clean: () => void) => void): string {
  const directory = mkdtempSync(path.join(tmpdir(), "lankv-cli-"));
  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Flags that keep a node off every network but loopback, and apart from the nodes of other tests. */
export async function aloneFlags(): Promise<string[]> {
  return ["--memory", "--interface", "lo", "--beacon-port", String(await freeUdpPort())];
}

/** `lankv serve`, with nothing on disk but its socket. */
export class Daemon {
  readonly socket: string;
  readonly #child: ChildProcess;
  #log = "";

  private constructor(socket: string, child: ChildProcess) {
    this.socket = socket;
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#log += chunk;
    });
  }

  /**
   * Starts one and waits until it answers; without further flags it is alone and has no TCP port.
   * @param openFiles how many files it may open; undefined = as many as this process
   */
  static async start(
    directory: string,
    flags: readonly string[] = [],
    name = "d",
    openFiles?: number,
  ): Promise<Daemon> {
    const socket = path.join(directory, `${name}.sock`);
    const own = ["--name", name, "--socket", socket];
    const alone = flags.includes("--interface") ? [] : await aloneFlags();
    const port = flags.includes("--redis-port") ? [] : ["--redis-port", "0"];
    const command = [process.execPath, bin, "serve", ...own, ...alone, ...port, ...flags];
    const limit = openFiles === undefined ? [] : ["prlimit", `--nofile=${openFiles}:${openFiles}`];
    const [program = "", ...args] = [...limit, ...command];
    const child = spawn(program, args, {
      env: cleanEnv(),
      stdio: ["ignore", "ignore", "pipe"],
    });
    const daemon = new Daemon(socket, child);
    try {
      await daemon.#answers();
    } catch (error) {
      await daemon.end("SIGKILL");
      throw error;
    }
    return daemon;
  }

  get log(): string {
    return this.#log;
  }

  /** Runs `lankv ...args` with its socket. */
  cli(args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return lankv(["-s", this.socket, ...args], options);
  }

  /** Runs a command that has to succeed, and returns what it printed. */
  async output(...args: string[]): Promise<string> {
    const { code, text, stderr } = await this.cli(args);
    assert.equal(code, 0, `lankv ${args.join(" ")}: exit code ${String(code)}\n${stderr}`);
    return text;
  }

  /** Runs a command that goes on until it is ended. */
  run(...args: string[]): Running {
    return new Running(["-s", this.socket, ...args]);
  }

  /** From now on its standard error is a pipe without a reader. */
  closeLog(): void {
    this.#child.stderr?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @returns its exit code, or null when the signal ended it */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    return this.#child.exitCode;
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.signal(signal);
    return this.ended();
  }

  async #answers(): Promise<void> {
    const deadline = performance.now() + START_MS_MAX;
    while (!this.#log.includes(" serving ")) {
      assert.equal(this.#child.exitCode, null, `lankv serve ended: ${this.#log}`);
      assert(performance.now() < deadline, `lankv serve does not answer: ${this.#log}`);
      await pause(10);
    }
  }
}

/** A TCP port on loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert(address !== null && typeof address === "object");
  return address.port;
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  await new Promise<void>((resolve) => {
    socket.close(resolve);
  });
  return port;
}

/** The environment without what would change how lankv behaves. */
function cleanEnv(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(
    ([name]) => !/^(LANKV_|NODE_|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  return Object.fromEntries(entries);
}
