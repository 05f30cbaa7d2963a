/** The commands of docs/durability.md do what the page says. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";
import { aloneFlags, bin, Daemon, scratchDirectory } from "../cli/lankv.js";
import { freeUdpPort } from "../unit/net/loopback.js";
import { blocksOf } from "./project.js";

const run = promisify(execFile);
const LIMIT_MS = 60_000;

const directory = scratchDirectory(after);
const blocks = blocksOf("docs/durability.md").filter(({ info }) => info === "sh runnable");

describe("the commands of docs/durability.md", () => {
  it("are there", () => {
    assert(blocks.length >= 3);
  });

  for (const [at, { text, heading }] of blocks.entries()) {
    it(`do what it says: ${heading}, ${at + 1}`, async () => {
      const here = path.join(directory, String(at));
      mkdirSync(here);
      const program = path.join(here, "lankv");
      writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
      chmodSync(program, 0o700);
      const alone = (await aloneFlags()).filter((flag) => flag !== "--memory");
      const daemon = await Daemon.start(here, [...alone, "--data-dir", path.join(here, "data")]);
      try {
        const port = String(await freeUdpPort());
        const script = text.replaceAll("--beacon-port 5999", `--beacon-port ${port}`);
        const { stdout } = await run("sh", ["-e", "-c", script], {
          cwd: here,
          timeout: LIMIT_MS,
          env: {
            PATH: `${here}:${process.env["PATH"] ?? ""}`,
            LANKV_SOCKET: daemon.socket,
            LANKV_INTERFACE: "lo",
          },
        });
        const said = [...text.matchAll(/# prints: (.*)$/gm)].map((match) => match[1]);
        assert.equal(stdout.trimEnd(), said.join("\n"));
      } finally {
        // A daemon of the example's own, when the example did not get to its end.
        await run(program, ["--socket", path.join(here, "apart.sock"), "stop"]).catch(() => undefined);
        await daemon.end();
      }
    });
  }
});
