/** What keeps a daemon running: systemd on Linux, launchd on macOS. */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A program and its arguments. */
export type CommandLine = readonly [string, ...string[]];

export interface ServiceFile {
  readonly path: string;
  readonly text: string;
}

/** Undefined = it cannot be known here. */
export interface ServiceState {
  readonly enabled: boolean | undefined;
  readonly running: boolean | undefined;
}

export interface Supervisor {
  /** What is to be written; the first is the definition of the service. */
  readonly files: readonly [ServiceFile, ...ServiceFile[]];
  /** Why nobody can be told of the files now; undefined = somebody can. */
  readonly silence: string | undefined;
  /** What makes written files a running service. */
  starting(isRunningAsBefore: boolean): readonly CommandLine[];
  /** What ends the service, before its files go. */
  readonly stopping: readonly CommandLine[];
  /** What is to be done once the files are gone. */
  readonly forgetting: readonly CommandLine[];
  state(): ServiceState;
  /** What the user should know after an installation: a subject and a sentence each. */
  readonly hints: readonly (readonly [string, string])[];
  /** What stays after the removal, and how it is removed. */
  readonly remains: string;
}

/** What a service is made of. */
export interface ServicePlan {
  /** Only for the user who installs it. */
  readonly isUsers: boolean;
  /** Node.js, and the script that it runs: absolute paths. */
  readonly node: string;
  readonly script: string;
  /** Flags of `lankv serve`. */
  readonly flags: readonly string[];
  /** How a command line begins that runs this very program as root. */
  readonly sudo: string;
  readonly env: NodeJS.ProcessEnv;
  /** Directory that everything is written below, as in the image of another machine; "" = this machine. */
  readonly root: string;
}

/** What every file of ours begins with: what does not is somebody else's. */
export const SIGNATURE = "Written by 'lankv service install'";

/** The command that writes a service, or that removes it. */
export function toCommand({ isUsers, root, sudo }: ServicePlan, what: "install" | "uninstall"): string {
  const command = `${isUsers || root !== "" ? "lankv" : sudo} service ${what}`;
  return `${command}${isUsers ? " --user" : ""}${root === "" ? "" : ` --root ${root}`}`;
}

/** A program in the PATH. */
export function hasProgram(name: string, env: NodeJS.ProcessEnv): boolean {
  return (env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What a program answers: its exit code, and what it printed. */
export function ask([program, ...args]: CommandLine): { readonly code: number; readonly text: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", timeout: 60_000 });
  return { code: status ?? 1, text: error === undefined ? `${stdout}${stderr}`.trim() : error.message };
}
