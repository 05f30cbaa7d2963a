import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { until } from "../lan/until.js";

/** Calls of a process fail from now on until it ends: strace answers them instead of the kernel. */
export class Fault {
  private constructor(readonly strace: ChildProcess) {}

  /**
   * @param calls of the system, separated by commas
   * @param error as the system names it: EIO
   */
  static async begin(pid: number, calls: string, error: string): Promise<Fault> {
    return Fault.#attach(pid, calls, `error=${error}`);
  }

  static async #attach(pid: number, calls: string, injection: string): Promise<Fault> {
    const strace = spawn(
      "strace",
      [
        "-f",
        "-p",
        String(pid),
        "-e",
        `trace=${calls}`,
        "-e",
        `inject=${calls}:${injection}`,
        "-o",
        "/dev/null",
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    strace.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    await until("strace is attached", () => {
      assert.equal(strace.exitCode, null, said);
      assert.match(said, /attached/);
    });
    return new Fault(strace);
  }

  /** Calls are answered so many microseconds late, until the process ends. */
  static async delay(pid: number, calls: string, us: number): Promise<Fault> {
    return Fault.#attach(pid, calls, `delay_enter=${us}`);
  }

  /** @param signal SIGKILL where calls are late: strace hears others only when it has answered them */
  async end(signal: "SIGINT" | "SIGKILL" = "SIGINT"): Promise<void> {
    this.strace.kill(signal);
    await once(this.strace, "exit");
  }
}

/** The command line that runs a program which cannot read parts of these files. */
export function unreadable(files: readonly string[]): string[] {
  const paths = files.flatMap((file) => ["-P", file]);
  return under(paths, "pread64", "error=EIO:when=1+2");
}

/** The command line that runs a program of which some calls fail, counted in each of its threads. */
export function failing(calls: string, error: string, when: string): string[] {
  return under([], calls, `error=${error}:when=${when}`);
}

function under(paths: readonly string[], calls: string, what: string): string[] {
  const inject = `inject=${calls}:${what}`;
  return ["strace", "-D", "-f", "-qq", ...paths, "-e", `trace=${calls}`, "-e", inject, "-o", "/dev/null"];
}
