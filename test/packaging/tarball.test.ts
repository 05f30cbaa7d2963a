import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";

/** Carried to machines without internet, perhaps over a slow link. */
const BYTES_MAX = 500_000;

const root = path.resolve(import.meta.dirname, "../../..");

describe("the packed tarball", () => {
  let scratch: string;
  let tarball: string;

  before(() => {
    scratch = mkdtempSync(path.join(tmpdir(), "lankv-pack-"));
    // `npm test` has just built dist: building it again here would pull it from under other tests.
    const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", scratch];
    const name = execFileSync("npm", args, { cwd: root, encoding: "utf8" }).trim();
    tarball = path.join(scratch, name);
  });

  after(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  it("holds what a user needs and nothing else", () => {
    const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" }).trim().split("\n");
    const needed = [
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
      "bin/lankv.js",
      "dist/index.js",
      "dist/index.d.ts",
    ];
    const missing = needed.filter((file) => !files.includes(`package/${file}`));
    assert.deepEqual(missing, []);
    const allowed =
      /^package\/(?:package\.json|README\.md|LICENSE|CHANGELOG\.md|(?:bin|dist)\/.+|docs\/[^/]+\.md)$/;
    const strangers = files.filter((file) => !allowed.test(file));
    assert.deepEqual(strangers, []);
  });

  it("is small", () => {
    const bytes = statSync(tarball).size;
    assert(bytes < BYTES_MAX, `${String(bytes)} bytes`);
  });

  it("passes publint", () => {
    passes("publint", ["run", tarball, "--strict"]);
  });

  it("has types that resolve wherever its code does", () => {
    passes("attw", [tarball, "--profile", "esm-only", "--no-emoji", "--no-color"]);
  });
});

/** Runs one of the project's own tools, and shows what it said if it is not content. */
function passes(tool: string, args: readonly string[]): void {
  const bin = path.join(root, "node_modules/.bin", tool);
  const { status, stdout, stderr } = spawnSync(bin, args, { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, `${tool}:\n${stdout}${stderr}`);
}
