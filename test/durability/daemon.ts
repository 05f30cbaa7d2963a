import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { bin, run, type Outcome } from "../cli/lankv.js";
import { RespClient } from "../lan/resp-client.js";

const START_MS_MAX = 30_000;
const POLL_MS = 10;
const LOG_LINES_SHOWN = 20;

export interface DaemonOptions {
  /** Holds its log and its socket, and unless told otherwise its data. */
  readonly directory: string;
  /** Default: "d". */
  readonly name?: string;
  /** Default: NAME.data in the directory. */
  readonly dataDir?: string;
  /** More flags of `lankv serve`. Default: none. */
  readonly flags?: readonly string[];
  /** A program, with its arguments, that runs the daemon and leaves its process id to it. Default: none. */
  readonly under?: readonly string[];
}

/** Every daemon that was made and not yet forgotten. */
const daemons = new Set<Daemon>();

/** Kills what runs, and forgets all. */
export async function endAll(): Promise<void> {
  await Promise.all([...daemons].map((daemon) => daemon.end("SIGKILL")));
  daemons.clear();
}

/** The last lines of every log. */
export function logTails(): string {
  return [...daemons]
    .map(({ name, log, hasEnded }) => {
      const tail = log.trimEnd().split("\n").slice(-LOG_LINES_SHOWN).join("\n  ");
      return `--- ${name} (${hasEnded ? "ended" : "running"}), the end of its log:\n  ${tail}`;
    })
    .join("\n");
}

/** `lankv serve` with its data on disk, on loopback only; started again, it has the same data. */
export class Daemon {
  readonly name: string;
  readonly dataDir: string;
  readonly socket: string;
  readonly #options: DaemonOptions;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.name = options.name ?? "d";
    mkdirSync(options.directory, { recursive: true });
    this.dataDir = options.dataDir ?? path.join(options.directory, `${this.name}.data`);
    this.socket = path.join(options.directory, `${this.name}.sock`);
    this.#logFile = path.join(options.directory, `${this.name}.log`);
    daemons.add(this);
  }

  /** Starts it, and waits until it has loaded what it keeps. */
  async start(...flags: string[]): Promise<void> {
    this.spawn(...flags);
    const client = await this.connect();
    await this.#until("has loaded", async () => !isLoading(await client.pipeline([["GET", "k"]])));
    client.close();
  }

  /** Starts it, and waits for nothing. */
  spawn(...flags: string[]): void {
    const own = ["--name", this.name, "--data-dir", this.dataDir, "--socket", this.socket];
    const network = ["--interface", "lo", "--redis-port", "0"];
    const command = [
      process.execPath,
      bin,
      "serve",
      ...own,
      ...network,
      ...(this.#options.flags ?? []),
      ...flags,
    ];
    const [program = "", ...args] = [...(this.#options.under ?? []), ...command];
    const log = openSync(this.#logFile, "a");
    this.#child = spawn(program, args, { stdio: ["ignore", log, log] });
    closeSync(log);
  }

  get log(): string {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, "utf8") : "";
  }

  get pid(): number {
    const pid = this.#child?.pid;
    assert(pid !== undefined, "it was started");
    return pid;
  }

  get hasEnded(): boolean {
    return this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async connect(): Promise<RespClient> {
    let client: RespClient | undefined;
    await this.#until("answers", async () => {
      try {
        client = await RespClient.connect(this.socket);
        return true;
      } catch {
        return false;
      }
    });
    assert(client !== undefined);
    return client;
  }

  /** Runs `lankv ...args` with its socket. */
  async cli(...args: string[]): Promise<Outcome> {
    return run(process.execPath, [bin, "-s", this.socket, ...args]);
  }

  /** @returns its exit code, or null when a signal ended it */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#child === undefined) return null;
    if (!this.hasEnded) this.#child.kill(signal);
    return this.ended();
  }

  /** Waits for its end. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    assert(child !== undefined, "it was started");
    if (!this.hasEnded) await once(child, "exit");
    return child.exitCode;
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + START_MS_MAX;
    while (!(await isSo())) {
      assert(!this.hasEnded, `${this.name} has ended before it ${what}:\n${this.log}`);
      assert(performance.now() < deadline, `${this.name} never ${what}:\n${this.log}`);
      await pause(POLL_MS);
    }
  }
}

function isLoading([reply]: readonly unknown[]): boolean {
  return reply instanceof Error && reply.message.startsWith("LOADING");
}
