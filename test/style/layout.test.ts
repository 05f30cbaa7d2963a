import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { projectFiles, sourceFiles, textOf } from "./project.js";

const topLevel = new Set([
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "bin",
  "docs",
  "package-lock.json",
  "package.json",
  "scripts",
  "src",
  "test",
  "tsconfig.json",
]);

/** Names that say nothing of what is inside. */
const emptyNames = /^(utils?|helpers?|managers?|common)$/i;

const sourceLinesMax = 400;

describe("the layout", () => {
  it("has only the agreed names at the top level", () => {
    const names = new Set(projectFiles().map((file) => file.split("/")[0] ?? file));
    const strangers = [...names].filter((name) => !topLevel.has(name) && !name.startsWith("."));
    assert.deepEqual(strangers, []);
  });

  it("names each file and folder of src after what is in it", () => {
    const isEmptyName = (file: string) =>
      file.split("/").some((name) =>
        name
          .replace(/\.d\.ts$|\.ts$/, "")
          .split(/[-._]/)
          .some((word) => emptyNames.test(word)),
      );
    assert.deepEqual(sourceFiles().filter(isEmptyName), []);
  });

  it(`keeps each file of src within ${sourceLinesMax} lines`, () => {
    const lineCount = (file: string) => textOf(file).split("\n").length - 1;
    const long = sourceFiles().filter((file) => lineCount(file) > sourceLinesMax);
    assert.deepEqual(
      long.map((file) => `${file}: ${lineCount(file)}`),
      [],
    );
  });

  it("has no import cycle in src, types included", () => {
    assert.deepEqual(importCycle(importsOfSource()), undefined);
  });
});

/** Each file of src, and the files of src that it names in an import or export. */
function importsOfSource(): Map<string, string[]> {
  const specifier = /\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)\.js["']/g;
  return new Map(
    sourceFiles().map((file) => [
      file,
      [...textOf(file).matchAll(specifier)].map((match) =>
        path.posix.join(path.dirname(file), `${match[1] ?? ""}.ts`),
      ),
    ]),
  );
}

/** The files of one cycle in the order that they import each other, if there is one. */
function importCycle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const finished = new Set<string>();
  const visit = (file: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (finished.has(file)) return undefined;
    for (const imported of imports.get(file) ?? []) {
      const cycle = visit(imported, [...trail, file]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
