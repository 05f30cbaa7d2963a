/**
 * `lankv doctor`: why other nodes are not found, and what else ails this one.
 *
 * Where no node can run, it has to run nevertheless, and say why. So it loads nothing native, and what a Node.js that is
 * too old may lack only when it is not.
 */
import { EXIT, type ExitCode } from "../exit.js";
import type { DoctorFlags } from "./flags.js";
import { checkNode } from "./program-checks.js";
import { Report } from "./report.js";

export async function doctor(flags: DoctorFlags): Promise<ExitCode> {
  const report = new Report(flags);
  const node = checkNode();
  report.add([node]);
  if (node.status === "ok") {
    const { examine } = await import("./examination.js");
    await examine(flags, report);
  }
  return report.end() ? EXIT.ok : EXIT.unhealthy;
}
