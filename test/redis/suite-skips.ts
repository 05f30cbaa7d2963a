/** The tests of Redis's suite that lankv cannot pass, as suite-skips.txt lists them, each with its reason. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { UNITS, type Unit } from "./suite-run.js";

const file = path.resolve(import.meta.dirname, "../../../test/redis/suite-skips.txt");

export interface Skip {
  readonly name: string;
  readonly reason: string;
  /**
   * `listed`: for Redis's suite to skip. `fatal`: the same, but the test would never end, and is not even tried.
   * `unreached`: the suite asks the server what it is, and leaves the test out by itself.
   */
  readonly kind: "listed" | "fatal" | "unreached";
}

/**
 * The file has a section for each unit, which begins with `[unit]`. In it are paragraphs: a reason, `# ` before each of
 * its lines, then the names of tests, `! ` before a fatal one, `? ` before one that is not reached. Before the first
 * section the file explains itself.
 */
export function readSkips(): ReadonlyMap<Unit, readonly Skip[]> {
  const sections = readFileSync(file, "utf8")
    .split(/^\[(.*)\]$/m)
    .slice(1);
  const skips = new Map<Unit, readonly Skip[]>();
  for (let i = 0; i < sections.length; i += 2) {
    const unit = UNITS.find((each) => each === sections[i]);
    if (unit === undefined)
      throw new Error(`suite-skips.txt names no unit of the suite: ${sections[i] ?? ""}`);
    const paragraphs = (sections[i + 1] ?? "").split(/\n{2,}/).filter((paragraph) => paragraph.trim() !== "");
    skips.set(unit, paragraphs.flatMap(skipsIn));
  }
  return skips;
}

function skipsIn(paragraph: string): Skip[] {
  const lines = paragraph.split("\n").filter((line) => line !== "");
  const names = lines.filter((line) => !line.startsWith("# "));
  const reason = lines
    .filter((line) => line.startsWith("# "))
    .map((line) => line.slice(2))
    .join(" ");
  if (reason === "") throw new Error(`suite-skips.txt gives no reason for ${names.join(", ")}`);
  return names.map((line) => {
    if (line.startsWith("! ")) return { name: line.slice(2), reason, kind: "fatal" };
    if (line.startsWith("? ")) return { name: line.slice(2), reason, kind: "unreached" };
    return { name: line, reason, kind: "listed" };
  });
}
