/** docs/doctor.md has every check of `lankv doctor`, in the order in which they are made. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CHECKS } from "../../src/cli/doctor/finding.js";
import { textOf } from "./project.js";

describe("docs/doctor.md", () => {
  const [, ...sections] = textOf("docs/doctor.md").split(/^### /m);

  it("has a section for each check", () => {
    assert.deepEqual(
      sections.map((section) => section.split("\n")[0]),
      [...CHECKS],
    );
  });

  it("says of each what it means", () => {
    for (const section of sections) assert.match(section, /^[a-z-]+\n\n\S.{40}/);
  });
});
