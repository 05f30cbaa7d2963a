/** Nodes that keep their keys on disk: backups, and an import whose daemon is killed. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { RespClient } from "../lan/resp-client.js";
import { objectFrom } from "./json.js";
import { aloneFlags, Daemon, freePort, lankv, scratchDirectory } from "./lankv.js";

const WAIT_MS_MAX = 20_000;

const directory = scratchDirectory(after);

/** A daemon that keeps its keys in a directory of its name. */
async function daemonAt(name: string, ...flags: string[]): Promise<Daemon> {
  const alone = (await aloneFlags()).filter((flag) => flag !== "--memory");
  return Daemon.start(directory, [...alone, "--data-dir", path.join(directory, name), ...flags], name);
}

function linesOf(count: number): string {
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ key: `k/${index}`, value: `${"v".repeat(100)}${index}` }),
  );
  return `${lines.join("\n")}\n`;
}

describe("a backup", () => {
  it("of a running node is one that serve can start from, as another node", async () => {
    const daemon = await daemonAt("original");
    const copy = path.join(directory, "copy");
    try {
      await daemon.cli(["import"], { input: linesOf(5_000) });
      await daemon.output("del", "k/0");
      await daemon.output("set", "brief", "v", "--ttl", "1h");
      const before = await daemon.output("export");
      const writing = daemon.cli(["import"], { input: linesOf(5_000).replaceAll("k/", "meanwhile/") });
      const { code, stderr } = await daemon.cli(["backup", copy]);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^lankv: backed up [\d,]+ keys, [\d,.]+ MB, to \S+\/copy in \d+\.\d s\n$/);
      assert.equal((await writing).code, 0);
      assert.equal(objectFrom(readFileSync(path.join(copy, "about.json"), "utf8"))["format"], 1);

      const started = await daemonAt("copy");
      try {
        const held = await started.output("export");
        for (const line of before.trimEnd().split("\n")) assert(held.includes(line), line);
        assert.equal((await started.cli(["get", "k/0", "--timeout", "0"])).code, 3);
        const [one, other] = await Promise.all([
          daemon.output("status", "--json"),
          started.output("status", "--json"),
        ]);
        assert.notEqual(objectFrom(one)["nodeId"], objectFrom(other)["nodeId"]);
      } finally {
        assert.equal(await started.end(), 0);
      }
    } finally {
      assert.equal(await daemon.end(), 0);
    }
  });

  it("goes into a directory that is missing or empty, and is one of what is on disk", async () => {
    const port = await freePort();
    const daemon = await daemonAt("refusing", "--redis-port", String(port));
    try {
      await daemon.output("set", "k", "v");
      const empty = path.join(directory, "empty");
      mkdirSync(empty);
      const { directory: target, keys } = objectFrom(await daemon.output("backup", empty, "--json"));
      assert.deepEqual([target, keys], [empty, 1]);
      const full = await daemon.cli(["backup", empty]);
      assert.equal(full.code, 1);
      assert.match(full.stderr, /must be missing or empty/);
      // A daemon that is killed at it leaves this.
      const begun = path.join(directory, "begun");
      mkdirSync(path.join(begun, "log.partial"), { recursive: true });
      writeFileSync(path.join(begun, "about.json"), "");
      const unfinished = await lankv(["serve", "--interface", "lo", "--data-dir", begun]);
      assert.equal(unfinished.code, 1);
      assert.match(unfinished.stderr, /holds a backup that was not finished/);
      rmSync(path.join(begun, "lock"), { force: true });
      const { stderr } = await daemon.cli(["backup", begun]);
      assert.match(stderr, /^lankv: backed up 1 keys, \d+ bytes, to /);
      assert.deepEqual(readdirSync(begun).sort(), ["about.json", "log"]);
      writeFileSync(path.join(directory, "file"), "");
      const inTheWay = await daemon.cli(["backup", path.join(directory, "file")]);
      assert.equal(inTheWay.code, 1);
      assert.match(inTheWay.stderr, /EEXIST/);
      const remote = await lankv(["--url", `redis://127.0.0.1:${port}`, "backup", "copy"]);
      assert.equal(remote.code, 2);
      assert.match(remote.stderr, /name it by its absolute path/);
    } finally {
      assert.equal(await daemon.end(), 0);
    }
    const inMemory = await Daemon.start(directory, [], "in-memory");
    try {
      const refused = await inMemory.cli(["backup", path.join(directory, "nothing")]);
      assert.equal(refused.code, 1);
      assert.match(refused.stderr, /there is nothing on disk: the node was started with --memory/);
      assert(!existsSync(path.join(directory, "nothing")));
    } finally {
      assert.equal(await inMemory.end(), 0);
    }
  });
});

describe("an import", () => {
  it("whose daemon is killed goes on where everything is on disk", async () => {
    const count = 100_000;
    const input = path.join(directory, "input.jsonl");
    writeFileSync(input, linesOf(count));
    const kept = `${input}.resume`;
    const daemon = await daemonAt("killed");
    const running = daemon.run("import", input);
    const deadline = performance.now() + WAIT_MS_MAX;
    const client = await RespClient.connect(daemon.socket);
    while ((await client.call("DBSIZE")) === 0) assert(performance.now() < deadline, running.stderr);
    client.close();
    // It keeps its place every second, and all of it may take less: a second passes while it is stopped.
    running.signal("SIGSTOP");
    await pause(1_100);
    running.signal("SIGCONT");
    while (!existsSync(kept)) {
      assert(performance.now() < deadline, running.stderr);
      await pause(5);
    }
    await daemon.end("SIGKILL");
    assert.equal(await running.ended(), 4);
    const line = Number(objectFrom(readFileSync(kept, "utf8"))["line"]);
    assert(line > 0 && line < count);
    assert(
      running.stderr.startsWith(
        `lankv: ${line} lines are done with; go on with 'lankv import ${input} --resume'\n`,
      ),
    );

    const again = await daemonAt("killed");
    try {
      const resumed = await again.cli(["import", input, "--resume", "--json"]);
      assert.equal(resumed.text, `{"imported":${count - line},"newer":0,"expired":0,"bad":0}\n`);
      assert.equal((await again.output("ls", "k/")).split("\n").length, count + 1);
      assert(!existsSync(kept));
    } finally {
      assert.equal(await again.end(), 0);
    }
  });
});
