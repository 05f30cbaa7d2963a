/**
 * A host of the test LAN with a terminal, on which commands of the documentation are run as a reader would: it has its
 * host name, and its own /run, /var/lib and /etc/default, so that the defaults of `lankv` hold and nothing of this machine is changed.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Host } from "../lan/host.js";
import { Hopeless, until } from "../lan/until.js";
import { run } from "../lan/command.js";

const project = fileURLToPath(new URL("../../../", import.meta.url));
const COMMAND_MS_MAX = 60_000;
const HOME = "/run/home";
const ENVIRONMENT = {
  ...{ HOME, USER: "root", TERM: "dumb", LANG: "C.UTF-8", TZ: "UTC" },
  PATH: `/run/bin:${dirname(process.execPath)}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
};

/** A program that goes on, and what it has printed so far. */
export class Background {
  constructor(
    readonly child: ChildProcess,
    private readonly file: string,
  ) {}

  get lines(): string[] {
    return toLines(readFileSync(this.file, "utf8")).slice(0, -1);
  }

  /** Waits until what it has printed is so. */
  async printed(what: string, isSo: (lines: readonly string[]) => boolean): Promise<void> {
    await until(what, () => {
      if (this.child.exitCode !== null) throw new Hopeless(`it has ended:\n${this.lines.join("\n")}`);
      assert(isSo(this.lines), this.lines.join("\n"));
    });
  }
}

export class Terminal {
  readonly #begun: ChildProcess[] = [];

  private constructor(
    readonly host: Host,
    /** Keeps the host's namespaces. */
    private readonly holder: ChildProcess,
    private readonly pid: number,
  ) {}

  static async on(host: Host): Promise<Terminal> {
    const setup = [
      `hostname ${host.name}`,
      ...["/run", "/var/lib", "/etc/default"].map((folder) => `mount -t tmpfs tmpfs ${folder}`),
      `mkdir /run/bin ${HOME}`,
      `printf '#!/bin/sh\\nexec "${process.execPath}" "${join(project, "bin/lankv.js")}" "$@"\\n' > /run/bin/lankv`,
      "chmod 755 /run/bin/lankv",
      "echo $$",
      "exec sleep infinity",
    ].join(" && ");
    const args = ["netns", "exec", host.name, "unshare", "--mount", "--uts", "sh", "-c", setup];
    const holder = spawn("ip", args, { stdio: ["ignore", "pipe", "inherit"] });
    let pid = "";
    holder.stdout.on("data", (chunk: Buffer) => (pid += chunk.toString()));
    await until(`the host ${host.name} is made`, () => {
      if (holder.exitCode !== null) throw new Hopeless(`its setup ended with ${String(holder.exitCode)}`);
      assert.match(pid, /^\d+\n$/);
    });
    return new Terminal(host, holder, Number(pid));
  }

  /** Runs a command to its end, and returns the lines that it shows. */
  async run(command: string, typed: readonly string[] = []): Promise<{ code: number; lines: string[] }> {
    const shell = typed.length === 0 ? this.#shell(command, "/dev/null") : this.#enter("bash", "-c", command);
    const input = typed.map((line) => `${line}\n`).join("");
    const { code, stdout, stderr } = await run("nsenter", shell, { input, timeoutMs: COMMAND_MS_MAX });
    const lines = toLines(stdout + stderr);
    return { code, lines: lines.at(-1) === "" ? lines.slice(0, -1) : lines };
  }

  /** Starts a command that goes on. */
  start(command: string): Background {
    const file = this.host.path(`${this.host.name}-${String(this.#begun.length)}.out`);
    const output = openSync(file, "a");
    const child = spawn("nsenter", this.#shell(command, "/dev/null"), { stdio: ["ignore", output, output] });
    closeSync(output);
    this.#begun.push(child);
    return new Background(child, file);
  }

  /** Ends what goes on: with the terminal, what runs in it. */
  close(): void {
    for (const child of [...this.#begun, this.holder]) child.kill("SIGKILL");
  }

  /** In a terminal, for what a program prints depends on it. */
  #shell(command: string, log: string): string[] {
    return this.#enter("script", "--quiet", "--return", "--flush", "--command", command, log);
  }

  #enter(...command: string[]): string[] {
    const env = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    const at = ["--target", String(this.pid), "--net", "--mount", "--uts"];
    return [...at, "env", `--chdir=${HOME}`, "--ignore-environment", "SHELL=/bin/bash", ...env, ...command];
  }
}

function toLines(text: string): string[] {
  return text.replaceAll("\r", "").split("\n");
}
