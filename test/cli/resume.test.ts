/** Exports and imports that were interrupted, and go on. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { objectFrom } from "./json.js";
import { Daemon, Running, scratchDirectory } from "./lankv.js";
import { SlowWire } from "./slow-wire.js";

const COUNT = 20_000;
const WAIT_MS_MAX = 20_000;

const directory = scratchDirectory(after);
const input = path.join(directory, "input.jsonl");
let daemon: Daemon;
let wire: SlowWire;

before(async () => {
  daemon = await Daemon.start(directory);
  wire = await SlowWire.to(daemon.socket, path.join(directory, "slow.sock"), 100);
  const lines = Array.from({ length: COUNT }, (_, index) =>
    JSON.stringify({ key: `k/${index}`, value: `${"v".repeat(100)}${index}` }),
  );
  writeFileSync(input, `${lines.join("\n")}\n`);
});

beforeEach(async () => {
  await daemon.output("del", "--prefix", "", "-f");
});

after(async () => {
  wire.close();
  assert.equal(await daemon.end(), 0);
});

/** Begins a command over the slow wire, and ends it once a file is there and not empty. */
async function interrupted(signal: NodeJS.Signals, file: string, ...args: string[]): Promise<Running> {
  const running = new Running(["-s", wire.socket, ...args]);
  const deadline = performance.now() + WAIT_MS_MAX;
  while (!existsSync(file) || statSync(file).size === 0) {
    assert(performance.now() < deadline, `no ${file}: ${running.stderr}`);
    await pause(5);
  }
  running.signal(signal);
  assert.equal(await running.ended(), signal === "SIGKILL" ? null : 130);
  return running;
}

describe("an export that was interrupted", () => {
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    it(`by ${signal} goes on behind the last whole line`, async () => {
      await daemon.output("import", input);
      const whole = await daemon.output("export");
      const file = path.join(directory, `after-${signal}.jsonl`);
      const partial = `${file}.partial`;
      const { stderr } = await interrupted(signal, partial, "export", file);
      assert.equal(
        stderr,
        signal === "SIGKILL"
          ? ""
          : `lankv: what was exported so far is in ${partial}; go on with 'lankv export ${file} --resume'\n`,
      );
      assert(!existsSync(file));
      const begun = readFileSync(partial, "utf8");
      assert(begun.length > 0 && begun.length < whole.length);
      assert(whole.startsWith(begun));

      // What was written already is not read again.
      await daemon.output("del", String(objectFrom(whole.split("\n")[0] ?? "")["key"]));
      writeFileSync(partial, `${begun.slice(0, begun.lastIndexOf("\n") + 1)}{"key":"half a li`);
      await daemon.output("export", file, "--resume");
      assert.equal(readFileSync(file, "utf8"), whole);
      assert(!existsSync(partial));
    });
  }

  it("begins anew when nothing was begun, and without --resume", async () => {
    await daemon.output("set", "k", "v");
    const file = path.join(directory, "anew.jsonl");
    await daemon.output("export", file, "--resume");
    assert.equal(readFileSync(file, "utf8"), await daemon.output("export"));
    writeFileSync(`${file}.partial`, '{"key":"other","value":"v"}\n');
    await daemon.output("export", file);
    assert.equal(readFileSync(file, "utf8"), await daemon.output("export"));
  });

  it("cannot go on from what is no export, or on a pipe", async () => {
    const file = path.join(directory, "strange.jsonl");
    writeFileSync(`${file}.partial`, "hello\n");
    const strange = await daemon.cli(["export", file, "--resume"]);
    assert.equal(strange.code, 1);
    assert.match(strange.stderr, /is no key as JSON. Export again without --resume/);
    assert.equal((await daemon.cli(["export", "--resume"])).code, 2);
  });
});

describe("an import that was interrupted", () => {
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    it(`by ${signal} goes on behind the place that is kept beside the file`, async () => {
      const kept = `${input}.resume`;
      const { stderr } = await interrupted(signal, kept, "import", input);
      const line = Number(objectFrom(readFileSync(kept, "utf8"))["line"]);
      assert(line > 0 && line < COUNT, String(line));
      if (signal === "SIGINT") {
        assert.equal(
          stderr,
          `lankv: interrupted: ${line} lines are done with; go on with 'lankv import ${input} --resume'\n`,
        );
      }
      assert.match(await daemon.output("get", `k/${line - 1}`), /^v{100}/);

      // What is done with is not written again.
      await daemon.output("set", `k/${line - 1}`, "changed");
      const resumed = await daemon.cli(["import", input, "--resume"]);
      assert.equal(resumed.code, 0);
      assert.equal(resumed.stderr, `lankv: going on behind line ${line}\n`);
      assert.equal(await daemon.output("get", `k/${line - 1}`), "changed");
      assert.equal((await daemon.output("ls")).split("\n").length, COUNT + 1);
      assert(!existsSync(kept));
    });
  }

  it("goes on behind a line that was mended", async () => {
    const file = path.join(directory, "mended.jsonl");
    const [first = "", second = "", third = ""] = readFileSync(input, "utf8").split("\n");
    writeFileSync(file, `${first}\n${second.slice(1)}\n${third}\n`);
    const failed = await daemon.cli(["import", file]);
    assert.equal(failed.code, 1);
    assert.equal(
      failed.stderr,
      `lankv: 1 lines are done with; go on with 'lankv import ${file} --resume'\n` +
        "lankv: Line 2 cannot be imported: it is not JSON. " +
        "Mend it, or leave out what is bad with --skip-bad, and import again.\n",
    );
    writeFileSync(file, `${first}\n${second}\n${third}\n`);
    assert.equal(
      await daemon.output("import", file, "--resume", "--json"),
      '{"imported":2,"newer":0,"expired":0,"bad":0}\n',
    );
    assert.equal(await daemon.output("ls"), "k/0\nk/1\nk/2\n");
  });

  it("does not go on with another file, on another node, or from a pipe", async () => {
    const file = path.join(directory, "other.jsonl");
    writeFileSync(file, '{"key":"k","value":"v"}\n{\n');
    assert.equal((await daemon.cli(["import", file])).code, 1);
    const kept = readFileSync(`${file}.resume`, "utf8");
    const fresh = await Daemon.start(directory, [], "fresh");
    try {
      const elsewhere = await fresh.cli(["import", file, "--resume"]);
      assert.equal(elsewhere.code, 1);
      assert.match(
        elsewhere.stderr,
        /cannot be resumed: it was begun on another node, [0-9a-f]{16}\. Import it without/,
      );
    } finally {
      await fresh.end();
    }
    writeFileSync(file, '{"key":"x","value":"v"}\n{\n');
    const changed = await daemon.cli(["import", file, "--resume"]);
    assert.equal(changed.code, 1);
    assert.match(changed.stderr, /cannot be resumed: the file is not the same any more/);
    assert.equal(readFileSync(`${file}.resume`, "utf8"), kept);
    assert.equal((await daemon.cli(["import", "--resume"], { input: "" })).code, 2);
  });
});
