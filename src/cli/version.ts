/** `lankv version`. */
import { software } from "../node/software.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";

export function version({ json }: GlobalFlags): ExitCode {
  const shown = json === true ? JSON.stringify({ version: software, node: process.version }) : software;
  process.stdout.write(`${shown}\n`);
  return EXIT.ok;
}
