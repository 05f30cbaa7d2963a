/** Shows findings: line by line as they come, or as one JSON array. */
import { colorsFor, type Colors } from "../terminal.js";
import { counted, type Finding, type FindingStatus } from "./finding.js";
import type { DoctorFlags } from "./flags.js";

const CHECK_WIDTH = 13;

export class Report {
  readonly #findings: Finding[] = [];
  readonly #flags: DoctorFlags;
  readonly #colors: Colors;

  constructor(flags: DoctorFlags) {
    this.#flags = flags;
    this.#colors = colorsFor(process.stdout, flags);
  }

  add(findings: readonly Finding[]): void {
    this.#findings.push(...findings);
    if (this.#flags.json === true) return;
    const shown = findings.filter(({ status }) => status !== "ok" || this.#flags.quiet !== true);
    process.stdout.write(shown.map((finding) => this.#toLines(finding)).join(""));
  }

  /** Says what is going on while nothing is shown. */
  pause(text: string): void {
    if (process.stderr.isTTY && this.#flags.quiet !== true && this.#flags.json !== true) {
      process.stderr.write(`${colorsFor(process.stderr, this.#flags).dim(text)}\n`);
    }
  }

  /** @returns whether nothing fails */
  end(): boolean {
    const failures = this.#findings.filter(({ status }) => status === "fail").length;
    if (this.#flags.json === true) process.stdout.write(`${JSON.stringify(this.#findings)}\n`);
    else if (this.#flags.quiet !== true) {
      const verdict =
        failures === 0
          ? this.#colors.green("healthy")
          : `${this.#colors.red("unhealthy")}: ${counted(failures, "finding")} of ${String(this.#findings.length)} to mend`;
      process.stdout.write(`${verdict}\n`);
    }
    return failures === 0;
  }

  #toLines({ check, status, finding, mend }: Finding): string {
    const paint: Readonly<Record<FindingStatus, (text: string) => string>> = {
      ok: this.#colors.green,
      warn: this.#colors.yellow,
      fail: this.#colors.red,
    };
    const line = `${paint[status](status.padEnd(4))}  ${check.padEnd(CHECK_WIDTH)} ${finding}\n`;
    return mend === null ? line : `${line}      ${this.#colors.dim("mend".padEnd(CHECK_WIDTH))} ${mend}\n`;
  }
}
