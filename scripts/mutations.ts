/**
 * Breaks the core in every way listed in test/sim/mutations/breakages.ts and tells which seed noticed first:
 * `npm run mutations [-- --only NAME] [--seeds COUNT]`. Exits with 1 when one went unnoticed.
 */
import { parseArgs } from "node:util";
import { BREAKAGES } from "../test/sim/mutations/breakages.js";
import { catchIt, misfits } from "../test/sim/mutations/mutant.js";

const LIMIT_MS = 300_000;

const { values } = parseArgs({
  options: { only: { type: "string" }, seeds: { type: "string", default: "400" } },
});

const chosen = BREAKAGES.filter(({ name }) => values.only === undefined || name === values.only);
const misfitting = chosen.flatMap(misfits);
for (const misfit of misfitting) console.error(misfit);
if (misfitting.length > 0 || chosen.length === 0) process.exit(2);

let unnoticed = 0;
console.log("| breakage | what the broken core does | seed | checker |");
console.log("|---|---|---|---|");
for (const breakage of chosen) {
  const caught = catchIt(breakage, Number(values.seeds), LIMIT_MS);
  if (caught === undefined) unnoticed += 1;
  const seed = `${String(caught?.seed ?? "-")}${breakage.only === "disk" ? " of disks" : ""}`;
  console.log(`| ${breakage.name} | ${breakage.what} | ${seed} | ${caught?.checker ?? "UNNOTICED"} |`);
}
console.log(`\n${String(chosen.length - unnoticed)} noticed, ${String(unnoticed)} unnoticed`);
process.exitCode = unnoticed === 0 ? 0 : 1;
