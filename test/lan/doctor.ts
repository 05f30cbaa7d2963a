/** `lankv doctor` on a host, and its findings. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./command.js";
import type { Daemon } from "./daemon.js";
import type { Host } from "./host.js";
import { listFrom, member, textMember } from "./json.js";

const lankv = fileURLToPath(new URL("../../../bin/lankv.js", import.meta.url));

export interface Finding {
  check: string;
  status: string;
  finding: string;
  mend: string | undefined;
}

export interface Examination {
  /** The exit code. */
  code: number;
  findings: Finding[];
}

interface DoctorOptions {
  /** The daemon that runs on the host. Default: none. */
  daemon?: Daemon;
  flags?: readonly string[];
  /** Added to the environment, as NAME=VALUE. */
  env?: readonly string[];
}

export async function runDoctor(
  host: Host,
  { daemon, flags = [], env = [] }: DoctorOptions = {},
): Promise<Outcome> {
  const socket = daemon?.socket ?? host.path("nobody.sock");
  const own = daemon === undefined && !flags.includes("--data-dir") ? ["--memory"] : [];
  return host.run("env", ...env, process.execPath, lankv, "doctor", "-s", socket, ...own, ...flags);
}

export async function examine(host: Host, options: DoctorOptions = {}): Promise<Examination> {
  const { code, stdout, stderr } = await runDoctor(host, {
    ...options,
    flags: ["--json", ...(options.flags ?? [])],
  });
  assert(code === 0 || code === 7, `lankv doctor on ${host.name}: exit code ${String(code)}\n${stderr}`);
  const findings = listFrom(stdout).map((found) => {
    const mend = member(found, "mend");
    assert(mend === null || typeof mend === "string");
    return {
      check: textMember(found, "check"),
      status: textMember(found, "status"),
      finding: textMember(found, "finding"),
      mend: mend ?? undefined,
    };
  });
  assert.equal(code, findings.some(({ status }) => status === "fail") ? 7 : 0);
  for (const { status, mend } of findings) assert.equal(mend === undefined, status === "ok");
  return { code, findings };
}

/** The examination has such a finding; where it is the only fault, every other is ok. */
export function finds(
  { findings }: Examination,
  check: string,
  status: "ok" | "warn" | "fail",
  text: RegExp,
): void {
  const found = findings.some(
    (finding) => finding.check === check && finding.status === status && text.test(finding.finding),
  );
  assert(found, `${status} ${check} ${String(text)} in\n${toText(findings)}`);
}

/** The checks that are not ok, each once, sorted. The machine that the tests run on may be a container, and is none here. */
export function troubles({ findings }: Examination): string[] {
  const bad = findings
    .filter(({ status, check }) => status !== "ok" && check !== "container")
    .map(({ check, status }) => `${check} ${status}`);
  return [...new Set(bad)].sort();
}

export function toText(findings: readonly Finding[]): string {
  return findings
    .map(({ check, status, finding, mend = "" }) => `${status} ${check}: ${finding} ${mend}`)
    .join("\n");
}
