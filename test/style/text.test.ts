import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { linesMatching, projectFiles, sourceFiles, textOf } from "./project.js";

describe("the text", () => {
  it("never silences the compiler or the linter in src", () => {
    const silencers =
      /eslint-disable|@ts-(?:ignore|nocheck|expect-error)|prettier-ignore|\bas any\b|\bas unknown as\b/;
    assert.deepEqual(linesMatching(sourceFiles(), silencers), []);
  });

  it("leaves no note of work to do", () => {
    const code = projectFiles().filter((file) => /^(?:src|test|scripts|bin|\.config|\.ci)\//.test(file));
    assert.deepEqual(linesMatching(code, /\b(?:TO[D]O|FIX[M]E|X[X]X)\b/), []);
  });

  it("names no package registry", () => {
    const registry =
      /\bregistry\.(?:npmjs|yarnpkg|npmmirror)\.|https?:\/\/[^\s/"'`]*(?:registry|artifactory|nexus|verdaccio|jfrog|mirror)[^\s/"'`]*/i;
    assert.deepEqual(linesMatching(projectFiles(), registry), []);
  });

  it("locks the dependencies without saying where they come from", () => {
    assert.doesNotMatch(textOf("package-lock.json"), /"resolved":/);
  });
});
