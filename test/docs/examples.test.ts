/** The examples of docs/library.md do what they say, on the loopback interface, with the package as it is built. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { freeUdpPort } from "../unit/net/loopback.js";
import { blocksOf, root } from "../conformance/project.js";

const run = promisify(execFile);
const LIMIT_MS = 60_000;
const ON_LOOPBACK = 'interfaces: ["lo"]';

const examples = blocksOf("docs/library.md").filter(({ info }) => info === "js runnable");

describe("the examples of the library", () => {
  let directory = "";

  before(() => {
    // Inside the package, where its own name leads to it.
    mkdirSync(path.join(root, ".build"), { recursive: true });
    directory = mkdtempSync(path.join(root, ".build", "examples-"));
  });

  after(() => {
    rmSync(directory, { recursive: true });
  });

  it("are there", () => {
    assert.ok(examples.length >= 5);
  });

  for (const [at, { text, heading }] of examples.entries()) {
    it(`print what they say: ${heading}`, async () => {
      assert.ok(text.includes(ON_LOOPBACK), "an example must stay on this host");
      const beaconPort = await freeUdpPort();
      const file = path.join(directory, `example-${at}.mjs`);
      writeFileSync(file, text.replaceAll(ON_LOOPBACK, `${ON_LOOPBACK}, beaconPort: ${beaconPort}`));
      const { stdout, stderr } = await run(process.execPath, [file], { timeout: LIMIT_MS });
      const said = [...text.matchAll(/\/\/ prints: (.*)$/gm)].map((match) => match[1]);
      assert.deepEqual(stdout.trimEnd().split("\n"), said);
      assert.equal(stderr, "");
    });
  }
});
