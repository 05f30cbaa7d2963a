/** What a daemon keeps on disk: across its ends, and what it refuses to start with. */
import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { isObject } from "../../src/cli/replies.js";
import { objectFrom } from "./json.js";
import { aloneFlags, Daemon, lankv, scratchDirectory } from "./lankv.js";

const directory = scratchDirectory(after);

/** Flags of a node that is alone and keeps its keys in a directory of that name. */
async function keeping(name: string, ...flags: readonly string[]): Promise<string[]> {
  const alone = (await aloneFlags()).filter((flag) => flag !== "--memory");
  return [...alone, "--data-dir", path.join(directory, name), ...flags];
}

/** What a daemon says that does not start, and its exit code. */
async function refusal(flags: readonly string[]): Promise<readonly [code: number | null, message: string]> {
  const socket = path.join(directory, "refused.sock");
  const { code, stderr } = await lankv(["serve", "--redis-port", "0", "--socket", socket, ...flags]);
  return [code, stderr];
}

describe("the keys of a daemon", () => {
  for (const fsync of ["always", "everysec", "never"]) {
    it(`are there after a clean stop, with --fsync ${fsync}`, async () => {
      const flags = await keeping(`clean-${fsync}`, "--fsync", fsync);
      const first = await Daemon.start(directory, flags);
      await first.output("set", "one", "111");
      await first.output("set", "two", "222");
      await first.output("del", "two");
      await first.output("set", "note", "gone in a day", "--ttl", "1d");
      assert.equal(await first.end(), 0);
      const second = await Daemon.start(directory, flags);
      try {
        assert.equal(await second.output("get", "one"), "111");
        assert.equal((await second.cli(["exists", "two"])).code, 3);
        assert.match(await second.output("ttl", "note", "--json"), /"ttlMs":8\d{7}/);
        assert.match(second.log, / loaded keys=2 seconds=[\d.]+ MB=/);
      } finally {
        await second.end();
      }
    });
  }

  it("are there after a kill as soon as they are acknowledged, with --fsync always", async () => {
    const flags = await keeping("killed", "--fsync", "always");
    const first = await Daemon.start(directory, flags);
    const client = connect(first.socket);
    client.end(Array.from({ length: 500 }, (_, i) => `set k${i} ${i}\r\n`).join(""));
    assert.equal(await text(client), "+OK\r\n".repeat(500));
    await first.end("SIGKILL");
    const second = await Daemon.start(directory, flags);
    try {
      assert.equal((await second.output("ls")).split("\n").length, 501);
      assert.equal(await second.output("get", "k499"), "499");
    } finally {
      await second.end();
    }
  });

  it("are there but for a torn end, and the log says that it was cut off, and that this is normal", async () => {
    const flags = await keeping("torn", "--fsync", "always");
    const log = path.join(directory, "torn", "log");
    const first = await Daemon.start(directory, flags);
    await first.output("set", "one", "111");
    await first.end("SIGKILL");
    const [file = ""] = readdirSync(log);
    appendFileSync(path.join(log, file), Buffer.from([0xd1, 0, 0]));
    const second = await Daemon.start(directory, flags);
    try {
      assert.equal(await second.output("get", "one"), "111");
      assert.match(
        second.log,
        /info +the end of the log was not written whole, .*cut off: normal after a crash.* bytes=3 /,
      );
    } finally {
      await second.end();
    }
    const third = await Daemon.start(directory, flags);
    await third.output("get", "one");
    await third.end();
    assert.doesNotMatch(third.log, /cut off/);
  });

  it("are shown in status and to Redis clients", async () => {
    const daemon = await Daemon.start(directory, await keeping("shown", "--fsync", "always"));
    try {
      await daemon.output("set", "one", "111");
      const { loading, storage } = objectFrom(await daemon.output("status", "--json"));
      assert.equal(loading, null);
      assert(isObject(storage));
      const { bytes, syncedMs, ...rest } = storage;
      assert.deepEqual(rest, {
        fsync: "always",
        unsaved: 0,
        unsavedMs: 0,
        failing: null,
        damages: [],
        stuck: [],
      });
      assert(Number(bytes) > 10 && Number(syncedMs) >= 0);
      assert.match(await daemon.output("status"), /\ndisk +\d+ bytes, 0 keys to save, fsync always\n/);
      const client = connect(daemon.socket);
      client.end("config get append*\r\ninfo persistence\r\n");
      const shown = await text(client);
      assert.match(shown, /appendonly\r\n\$3\r\nyes\r\n\$11\r\nappendfsync\r\n\$6\r\nalways\r\n/);
      assert.match(shown, /aof_enabled:1\r\naof_last_write_status:ok\r\n/);
    } finally {
      await daemon.end();
    }
  });

  it("can be backed up while the daemon runs, and another starts from the copy under an id of its own", async () => {
    const copy = path.join(directory, "backup");
    const first = await Daemon.start(directory, await keeping("original"));
    let original: unknown;
    try {
      await first.output("set", "one", "111");
      original = objectFrom(await first.output("status", "--json"))["nodeId"];
      const client = connect(first.socket);
      client.end(`lankv.backup ${copy}\r\nlankv.backup ${copy}\r\n`);
      assert.match(await text(client), /^\+OK\r\n-ERR the directory of a backup must be missing or empty/);
      assert.deepEqual(readdirSync(copy).sort(), ["about.json", "log"]);
    } finally {
      await first.end();
    }
    const second = await Daemon.start(directory, await keeping("backup"));
    try {
      assert.equal(await second.output("get", "one"), "111");
      assert.notEqual(objectFrom(await second.output("status", "--json"))["nodeId"], original);
    } finally {
      await second.end();
    }
  });
});

describe("a data directory", () => {
  it("of another cluster is refused, and both are named", async () => {
    const home = await Daemon.start(directory, await keeping("home", "--cluster", "home"));
    await home.end();
    const [code, message] = await refusal(await keeping("home", "--cluster", "office"));
    assert.equal(code, 1);
    assert.match(
      message,
      /keys of the cluster "home", and this node is to be of "office"\. .*--cluster "home"/,
    );
  });

  it("of a newer format is refused, and left alone", async () => {
    const about = path.join(directory, "newer", "about.json");
    mkdirSync(path.dirname(about));
    const checked = '{"format":2,"cluster":"default","features":["x"]';
    const written = `${checked},"check":"${crc32(checked).toString(16).padStart(8, "0")}"}\n`;
    writeFileSync(about, written);
    const [code, message] = await refusal(await keeping("newer"));
    assert.equal(code, 1);
    assert.match(message, /has format 2, of a newer lankv; this one reads up to 1\./);
    assert.equal(readFileSync(about, "utf8"), written);
  });

  /** What the daemon said and told of a directory whose description was damaged. */
  async function damagesAfter(
    flags: readonly string[],
  ): Promise<{ log: string; damages: unknown[]; status: string }> {
    const daemon = await Daemon.start(directory, flags);
    assert.equal(await daemon.output("get", "one"), "111");
    const { storage } = objectFrom(await daemon.output("status", "--json"));
    const status = await daemon.output("status");
    await daemon.end();
    assert(isObject(storage) && Array.isArray(storage["damages"]));
    return { log: daemon.log, damages: storage["damages"], status };
  }

  it("whose description is damaged goes on by its copy; that is said, and the description kept", async () => {
    const flags = await keeping("flipped");
    const about = path.join(directory, "flipped", "about.json");
    const first = await Daemon.start(directory, flags);
    await first.output("set", "one", "111");
    await first.end();
    const sound = readFileSync(about, "utf8");
    for (const damaged of ["", sound.slice(0, 20), sound.replace('"format":1', '"format":3')]) {
      writeFileSync(about, damaged);
      const { log, damages } = await damagesAfter(flags);
      assert.equal(readFileSync(about, "utf8"), sound);
      assert.match(
        log,
        / about\.json is damaged; the keys are taken for those of cluster "default", as its copy says/,
      );
      const { path: aside, ...rest } = objectFrom(JSON.stringify(damages[0]));
      const whole = { recordsSaved: 0, isSetAside: true, isMissing: false, clusterFrom: "copy" };
      assert.deepEqual(rest, { bytesLost: damaged.length, ...whole });
      assert.equal(readFileSync(String(aside), "utf8"), damaged);
    }
    rmSync(about);
    assert.deepEqual((await damagesAfter(flags)).damages, []);
    assert.equal(readFileSync(about, "utf8"), sound, "one that is gone is made again from the copy");
  });

  it("whose description is damaged is not taken for that of another cluster", async () => {
    const flags = await keeping("home2");
    const about = path.join(directory, "home2", "about.json");
    const first = await Daemon.start(directory, [...flags, "--cluster", "home"]);
    await first.output("set", "one", "111");
    await first.end();
    writeFileSync(about, "flipped");
    const [code, message] = await refusal(flags);
    assert.equal(code, 1);
    assert.match(message, /holds keys of the cluster "home", and this node is to be of "default"/);
    assert.equal(readFileSync(about, "utf8"), "flipped", "it is left alone");

    // Nothing is left that says whose keys these are: whoever starts the node has to.
    writeFileSync(`${about}.copy`, "");
    const [refused, why] = await refusal(flags);
    assert.equal(refused, 1);
    assert.match(
      why,
      /does not say any more whose keys it holds: .* --cluster "default", unless another one was named/,
    );
    const { log, damages, status } = await damagesAfter([...flags, "--cluster", "home"]);
    assert.match(log, /for those of cluster "home", only because this node was started so: check that/);
    assert.equal(damages.length, 2);
    assert.match(status, /the cluster is not sure: /);
    assert.deepEqual((await damagesAfter([...flags, "--cluster", "home"])).damages, []);
  });

  it("that a daemon uses is refused to another", async () => {
    const flags = await keeping("used");
    const daemon = await Daemon.start(directory, flags);
    try {
      const [code, message] = await refusal(flags);
      assert.equal(code, 1);
      assert.match(message, /Another lankv process uses the data directory/);
    } finally {
      await daemon.end();
    }
  });

  it("that was copied gives its keys to a second node, which takes another id beside the first", async () => {
    const flags = await keeping("twin");
    const first = await Daemon.start(directory, flags, "first");
    await first.output("set", "one", "111");
    await first.end();
    cpSync(path.join(directory, "twin", "log"), path.join(directory, "copy", "log"), { recursive: true });
    for (const name of ["node-id", "about.json"])
      cpSync(path.join(directory, "twin", name), path.join(directory, "copy", name));
    const copied = flags.map((flag) => (flag.endsWith("twin") ? path.join(directory, "copy") : flag));
    const [one, two] = await Promise.all([
      Daemon.start(directory, flags, "first"),
      Daemon.start(directory, copied, "second"),
    ]);
    try {
      assert.deepEqual([await one.output("get", "one"), await two.output("get", "one")], ["111", "111"]);
      await one.output("wait", "--peers", "1", "--synced");
      const ids = async (): Promise<unknown[]> =>
        Promise.all(
          [one, two].map(async (each) => objectFrom(await each.output("status", "--json"))["nodeId"]),
        );
      const deadline = performance.now() + 20_000;
      for (let [a, b] = await ids(); a === b; [a, b] = await ids())
        assert(performance.now() < deadline, "both keep their id");
    } finally {
      await Promise.all([one.end(), two.end()]);
    }
  });

  it("has no use where nothing is kept: --memory with --fsync", async () => {
    const [code, message] = await refusal([...(await aloneFlags()), "--fsync", "always"]);
    assert.equal(code, 2);
    assert.match(message, /fsync cannot be chosen together with memory/);
    assert.equal((await refusal(await keeping("x", "--fsync", "often")))[0], 2);
  });
});
