/** The version of this software, from the package's own description. */
import { readFileSync } from "node:fs";

/** Such as "0.1.0". */
export const software = readVersion();

/** The compiled file lies two folders below the package in dist, three in the tests' build. */
function readVersion(): string {
  for (const up of ["../..", "../../.."]) {
    try {
      const description: unknown = JSON.parse(
        readFileSync(new URL(`${up}/package.json`, import.meta.url), "utf8"),
      );
      if (typeof description === "object" && description !== null && "version" in description) {
        return String(description.version);
      }
    } catch (error) {
      if (!(error instanceof Error)) throw error;
    }
  }
  return "unknown";
}
