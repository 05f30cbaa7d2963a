/** What a person at a terminal sees: `script` makes the terminal. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, it } from "node:test";
import { aloneFlags, bin, Daemon, scratchDirectory } from "./lankv.js";

const directory = scratchDirectory(after);

describe("on a terminal", () => {
  it("repl completes keys", async () => {
    const daemon = await Daemon.start(directory);
    try {
      await daemon.output("set", "temperature/kitchen", "21");
      const shown = await converse(
        daemon,
        ["repl"],
        [
          ["lankv> ", "await kv.get('temp"],
          ["'temp", "\t"],
          ["erature/kitchen", "')\r"],
          ["'21'", ".exit\r"],
        ],
      );
      assert.match(shown, /d: 1 keys, 0 peers/);
    } finally {
      await daemon.end();
    }
  });

  it("get ends with a line end and shows what is unprintable as \\xNN; --raw does not", async () => {
    const daemon = await Daemon.start(directory);
    try {
      await daemon.cli(["set", "k", "-"], { input: "ü\x1b[31m\tx" });
      assert.equal(await converse(daemon, ["get", "k"], []), "ü\\x1b[31m\tx\r\n");
      assert.equal(await converse(daemon, ["get", "k", "--raw"], []), "ü\x1b[31m\tx");
      await daemon.cli(["set", "k", "-"], { input: Buffer.from("a\xff\n", "latin1") });
      assert.equal(await converse(daemon, ["get", "k"], []), "a\\xff\r\n");
    } finally {
      await daemon.end();
    }
  });

  it("import and export show how far they are", async () => {
    const daemon = await Daemon.start(directory);
    try {
      const file = path.join(directory, "many.jsonl");
      const lines = Array.from({ length: 5_000 }, (_, at) => JSON.stringify({ key: `k/${at}`, value: "v" }));
      writeFileSync(file, `${lines.join("\n")}\n`);
      assert.match(await converse(daemon, ["import", file], []), /\rimported 5,000 keys \(100 %\)\r\n$/);
      assert.match(await converse(daemon, ["export", file], []), /\rexported 5,000 of 5,000 keys\r\n$/);
      assert.equal(await converse(daemon, ["import", file, "--quiet"], []), "");
    } finally {
      await daemon.end();
    }
  });

  it("watch shows when what changed, in one line each", async () => {
    const daemon = await Daemon.start(directory);
    try {
      await daemon.output("set", "k", `${"long ".repeat(100)}\x1b[31m`);
      await daemon.output("set", "l", "\x1b[31m");
      const shown = await converse(daemon, ["watch", "--initial", "--no-color"], [[" l ", "\x03"]]);
      const lines = shown.split("\r\n");
      assert.match(lines[0] ?? "", /^\d{4}-\d\d-\d\dT[\d:.]{12}Z initial k {2}(long )+(l|lo|lon)?…$/);
      assert(lines[0]?.length === 80, String(lines[0]?.length));
      assert.match(lines[1] ?? "", /Z initial l {2}\\x1b\[31m$/);
      assert.equal(shown.includes("lankv:"), false);
    } finally {
      await daemon.end();
    }
  });

  it("status is in colour unless that is not wanted", async () => {
    const daemon = await Daemon.start(directory);
    try {
      await daemon.output("wait");
      assert.match(await converse(daemon, ["status"], []), /\x1b\[32mlive\x1b\[39m/);
      assert.doesNotMatch(await converse(daemon, ["status", "--no-color"], []), /\x1b/);
      assert.doesNotMatch(await daemon.output("status"), /\x1b/);
    } finally {
      await daemon.end();
    }
  });

  it("del asks before it deletes a prefix", async () => {
    const daemon = await Daemon.start(directory);
    try {
      await daemon.output("set", "k", "v");
      const dialog = (answer: string): Promise<string> =>
        converse(daemon, ["del", "--prefix", "k"], [["[y/N] ", `${answer}\r`]]);
      assert.match(
        await dialog("n"),
        /Delete 1 keys that start with "k", on all nodes\? .*Nothing was deleted/s,
      );
      assert.match(await dialog("y"), /deleted 1 keys/);
      assert.equal(await daemon.output("ls"), "");
    } finally {
      await daemon.end();
    }
  });

  it("serve says first who it is and where, then who comes", async () => {
    const flags = await aloneFlags();
    const peer = await Daemon.start(directory, flags, "attic");
    try {
      const socket = path.join(directory, "kitchen.sock");
      const args = ["serve", "--name", "kitchen", "--redis-port", "0", "--no-color", ...flags];
      const shown = await converse(socket, args, [["peer up: attic", "\x03"]]);
      const lines = shown.split("\r\n");
      assert.match(lines[0] ?? "", /^name {5}kitchen \([0-9a-f]{16}\), lankv \d/);
      assert.deepEqual(lines.slice(1, 5), [
        "cluster  default",
        "data     in memory only",
        `socket   ${socket}`,
        "redis    off",
      ]);
      assert.match(lines[5] ?? "", /^LAN {6}this machine only \(beacons \d+, messages \d+\)$/);
      assert.match(shown, /info {2}stopped\r\n$/);
    } finally {
      await peer.end();
    }
  });
});

/**
 * Runs lankv at a terminal.
 * @param steps what to wait for, and what is typed then
 * @returns all that the terminal showed
 */
async function converse(
  daemon: Daemon | string,
  args: readonly string[],
  steps: readonly (readonly [shown: string, typed: string])[],
): Promise<string> {
  const socket = typeof daemon === "string" ? daemon : daemon.socket;
  const words = [process.execPath, bin, "-s", socket, ...args].map((word) => `'${word}'`);
  // Without an echo of what is typed there is only what lankv shows.
  const child = spawn("script", ["-qec", `stty -echo; exec ${words.join(" ")}`, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TERM: "xterm", NO_COLOR: "" },
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  const left = [...steps];
  let all = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    all += chunk;
    const [next] = left;
    if (next === undefined || !all.slice(seen).includes(next[0])) return;
    left.shift();
    seen = all.length;
    child.stdin.write(next[1]);
  });
  await once(child, "close");
  child.stdin.destroy();
  assert.deepEqual(left, [], all);
  return all;
}
