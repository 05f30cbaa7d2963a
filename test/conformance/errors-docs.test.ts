/** docs/errors.md and the code name the same errors and exit codes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EXIT, toExitCode } from "../../src/cli/exit.js";
import { ERROR_CODES, LankvError, type ErrorCode } from "../../src/core/error.js";
import { rowsOf, sourcesOf, textOf } from "./project.js";

const document = textOf("docs/errors.md");

/** The text under each heading of a code. */
const sections = new Map(
  document
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section.split(/^## /m)[0] ?? ""] as const),
);

describe("the documented errors", () => {
  it("are those of the code, in its order", () => {
    assert.deepEqual([...sections.keys()], [...ERROR_CODES]);
  });

  it("each say when they come, whether state changed, and what mends them", () => {
    for (const [code, section] of sections) {
      for (const part of ["When", "State changed", "Mend"]) {
        assert.match(section, new RegExp(`^- ${part}: \\S`, "m"), `${code}: ${part}`);
      }
    }
  });

  it("are each thrown somewhere", () => {
    const sources = sourcesOf("src")
      .filter((file) => file !== "src/core/error.ts")
      .map(textOf);
    const thrown = (code: ErrorCode) =>
      sources.some((source) => new RegExp(`new LankvError\\(\\s*"${code}"`).test(source));
    assert.deepEqual(
      ERROR_CODES.filter((code) => !thrown(code)),
      [],
    );
  });
});

describe("the documented exit codes", () => {
  const rows = rowsOf(document).map(([code = "", , errors = ""]) => ({
    code: Number(code),
    errors: errors.split(" ").filter((name) => name !== ""),
  }));

  it("are those of the command line", () => {
    const documented = rows.map(({ code }) => code);
    assert.deepEqual(documented, [0, 1, 2, 3, 4, 5, 6, 7, 130]);
    for (const code of Object.values(EXIT)) assert.ok(documented.includes(code), `exit code ${code}`);
  });

  it("say which error leads to which", () => {
    const documented = new Map(
      rows.flatMap(({ code, errors }) => errors.map((name) => [name, code] as const)),
    );
    const real = new Map(ERROR_CODES.map((code) => [code, toExitCode(new LankvError(code, ""))] as const));
    assert.deepEqual([...documented].sort(), [...real].sort());
  });
});
