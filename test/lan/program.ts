import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface ProgramOptions {
  /** The namespace that the program runs in. */
  namespace: string;
  /** The file that takes what the program writes to its standard output and error. */
  logFile: string;
  /** Added to the environment. Default: nothing. */
  env?: Record<string, string>;
}

/** A Node program that runs in a host's namespace until it is ended. */
export class Program {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #exited: Promise<unknown>;
  #isWanted = true;

  constructor(
    readonly name: string,
    args: readonly string[],
    { namespace, logFile, env = {} }: ProgramOptions,
  ) {
    // A file and no pipe: the log survives whatever happens, and a busy test holds up nobody who writes.
    const log = openSync(logFile, "a");
    // `ip netns exec` becomes the program, so the pid of the child is the program's.
    this.#child = spawn("ip", ["netns", "exec", namespace, process.execPath, ...args], {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    this.#logFile = logFile;
    this.#exited = once(this.#child, "exit");
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error(`${this.name} could not be started`);
    return pid;
  }

  /** How the program ended, in words; undefined while it runs. */
  get ending(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    if (signalCode !== null) return `ended by ${signalCode}`;
    return exitCode === null ? undefined : `ended with exit code ${String(exitCode)}`;
  }

  /** Whether the program ended though nobody had asked it to. */
  get hasDied(): boolean {
    return this.#isWanted && this.ending !== undefined;
  }

  get log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks the program to end, insists after `patienceMs`, and returns how it ended. */
  async end(signal: NodeJS.Signals = "SIGTERM", patienceMs = 10_000): Promise<string> {
    this.#isWanted = false;
    const insistence = setTimeout(() => this.#child.kill("SIGKILL"), patienceMs);
    if (this.ending === undefined) {
      this.#child.kill(signal);
      await this.#exited;
    }
    clearTimeout(insistence);
    return this.ending ?? "running";
  }
}

/** All programs of one LAN, and the directory with their logs and sockets. */
export class Programs {
  readonly #programs: Program[] = [];

  constructor(readonly directory: string) {}

  start(name: string, args: readonly string[], options: Omit<ProgramOptions, "logFile">): Program {
    const program = new Program(name, args, { ...options, logFile: join(this.directory, `${name}.log`) });
    this.#programs.push(program);
    return program;
  }

  /** The programs that ended though nobody had asked them to. */
  get dead(): Program[] {
    return this.#programs.filter((program) => program.hasDied);
  }

  /** The last lines of every log. */
  logTails(lines = 40): string {
    const newest = new Map(this.#programs.map((program) => [program.name, program]));
    return [...newest.values()]
      .map((program) => {
        const tail = program.log.trimEnd().split("\n").slice(-lines).join("\n  ");
        return `--- ${program.name} (${program.ending ?? "running"}), the end of its log:\n  ${tail}`;
      })
      .join("\n");
  }

  async endAll(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.end("SIGKILL")));
  }
}
