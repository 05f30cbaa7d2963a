import { spawn } from "node:child_process";

/** What became of a program that ran to its end. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  /** Given to the program on its standard input. Default: nothing. */
  input?: string;
  /** Added to this process's environment, or in place of what is there. Default: nothing. */
  env?: Readonly<Record<string, string>>;
  /** The program is killed, and the run rejected, when it takes longer. Default: 30 000. */
  timeoutMs?: number;
}

/** Runs a program to its end, whatever its exit code. */
export async function run(
  program: string,
  args: readonly string[],
  { input = "", env = {}, timeoutMs = 30_000 }: RunOptions = {},
): Promise<Outcome> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    timeout: timeoutMs,
    killSignal: "SIGKILL",
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program may end before it has read its input: that shows in its exit code.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);

  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const outcome = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
      if (code === null) {
        reject(
          new Error(`${commandLine(program, args)}: ended by ${signal ?? "a signal"}\n${outcome.stderr}`),
        );
      } else {
        resolve({ code, ...outcome });
      }
    });
  });
}

/** Runs a program that has to succeed, and returns what it printed. */
export async function must(program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${commandLine(program, args)}: exit code ${String(code)}\n${stderr}`);
  return stdout;
}

function commandLine(program: string, args: readonly string[]): string {
  return [program, ...args].join(" ");
}
