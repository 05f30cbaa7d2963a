/** Real input: the IEEE's registry of network card makers. */
import "./namespace.js";
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { type Entry, equalRoots, holdExactly, seeEachOther } from "./agreement.js";
import { member } from "./json.js";
import { scenario } from "./scenario.js";

/** From the Debian package ieee-data. */
const registry = "/usr/share/ieee-data/oui.txt";

scenario(
  "the OUI registry, imported on one host and read on the others",
  async (lan) => {
    const [h1, h2, h3] = await Promise.all([lan.daemon(), lan.daemon(), lan.daemon()]);
    await seeEachOther([h1, h2, h3]);
    const assignments = assignmentsFrom(await readFile(registry, "utf8"));
    const lines = assignments.map(([key, value]) => JSON.stringify({ key, value }));
    const file = h1.host.path("oui.jsonl");
    await writeFile(file, `${lines.join("\n")}\n`);
    await h1.cliOutput("import", file);

    await equalRoots([h1, h2, h3]);
    // The registry names a few numbers twice: the line that came last counts.
    const makers = new Map(assignments);
    await holdExactly([h1, h2, h3], [...makers]);
    assert.equal(await h2.cliOutput("get", "oui/00000C"), "Cisco Systems, Inc");

    const exported = (await h3.cliOutput("export", "-")).trimEnd().split("\n");
    const parsed = exported.map((line): unknown => JSON.parse(line));
    assert.deepEqual(new Map(parsed.map((line) => [member(line, "key"), member(line, "value")])), makers);
  },
  { needs: [registry] },
);

function assignmentsFrom(text: string): Entry[] {
  return [...text.matchAll(/^([0-9A-F]{6})\s+\(base 16\)\s+(.*?)\s*$/gm)].map(
    ([, number = "", maker = ""]) => [`oui/${number}`, maker],
  );
}
