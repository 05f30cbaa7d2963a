/** watch. A key that is there already and printed first tells that it has subscribed. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { KEYS_WAITING_MAX } from "../../src/cli/backlog.js";
import { Client } from "../../src/cli/client.js";
import { objectFrom } from "./json.js";
import { aloneFlags, bin, Daemon, Running, scratchDirectory } from "./lankv.js";

const directory = scratchDirectory(after);
let daemon: Daemon;

before(async () => {
  daemon = await Daemon.start(directory);
  await daemon.output("wait");
});

beforeEach(async () => {
  await daemon.output("del", "--prefix", "", "-f");
  await daemon.output("set", "r/0", "there");
});

after(async () => {
  assert.equal(await daemon.end(), 0);
});

/** Starts `lankv watch r/ --initial ...`, and waits until it watches. */
async function watching(...args: string[]): Promise<Running> {
  const running = daemon.run("watch", "r/", "--initial", ...args);
  await running.printed(1);
  return running;
}

describe("watch", () => {
  it("prints what is there, then each change, between tabs, until it has so many", async () => {
    const running = await watching("-C", "5");
    await daemon.output("set", "other", "v");
    await daemon.output("set", "r/1", "v");
    await running.printed(2);
    await daemon.cli(["set", "r/2", "-"], { input: Buffer.from("a\tb\n\xff", "latin1") });
    await running.printed(3);
    await daemon.output("del", "r/1");
    await running.printed(4);
    await daemon.output("set", "r/3", "", "--ttl", "200ms");
    assert.equal(await running.ended(), 0);
    assert.deepEqual(running.lines, [
      "initial\tr/0\tthere",
      "set\tr/1\tv",
      "set\tr/2\ta\\x09b\\x0a\\xff",
      "del\tr/1",
      "set\tr/3\t",
      "expired\tr/3",
    ]);
    assert.equal(running.stderr, "");
  });

  it("prints JSON: what get --json prints, with the event", async () => {
    const running = await watching("--json", "-C", "3");
    await daemon.output("set", "r/1", "ü", "--ttl", "1h");
    await running.printed(2);
    const input = `${JSON.stringify({ keyBase64: Buffer.from("r/\xfe", "latin1").toString("base64"), valueBase64: "/wA=" })}\n`;
    assert.equal((await daemon.cli(["import"], { input })).code, 0);
    await running.printed(3);
    const held = objectFrom(await daemon.output("get", "r/1", "--json"));
    await daemon.output("del", "r/1");
    assert.equal(await running.ended(), 0);
    const [first, second, third, fourth] = running.lines.map(objectFrom);
    assert.equal(first?.["event"], "initial");
    assert.deepEqual(second, { event: "set", ...held });
    assert.equal(third?.["keyBase64"], Buffer.from("r/\xfe", "latin1").toString("base64"));
    assert.equal(third["valueBase64"], "/wA=");
    assert.equal(third["expiresAt"], null);
    assert.deepEqual(fourth, { event: "del", key: "r/1", deleted: true });
  });

  it("takes the prefix as it is written", async () => {
    await daemon.output("set", "[a]*?\\0", "there");
    const running = daemon.run("watch", "[a]*?\\", "--initial", "-C", "1");
    await running.printed(1);
    await daemon.output("set", "a]x?\\1", "v");
    await daemon.output("set", "ax", "v");
    await daemon.output("set", "[a]*?\\1", "v");
    assert.equal(await running.ended(), 0);
    assert.deepEqual(running.lines, ["initial\t[a]*?\\0\tthere", "set\t[a]*?\\1\tv"]);
  });

  it("prints what other nodes write", async () => {
    const flags = await aloneFlags();
    const [one, two] = await Promise.all([
      Daemon.start(directory, flags, "one"),
      Daemon.start(directory, flags, "two"),
    ]);
    try {
      await one.output("set", "k", "there");
      await one.output("wait", "--peers", "1", "--synced");
      await two.output("wait", "--peers", "1", "--synced");
      const running = two.run("watch", "--initial", "-C", "2");
      await running.printed(1);
      await one.output("set", "k", "from one");
      await running.printed(2);
      await one.output("del", "k");
      assert.equal(await running.ended(), 0);
      assert.deepEqual(running.lines, ["initial\tk\tthere", "set\tk\tfrom one", "del\tk"]);
    } finally {
      await Promise.all([one.end(), two.end()]);
    }
  });

  it("ends with 5 when no change came in time, or too few, and with 0 otherwise", async () => {
    const none = await daemon.cli(["watch", "nobody/", "-W", "50ms"]);
    assert.equal(none.code, 5);
    assert.equal(none.stderr, "lankv: No change came within 50ms. Wait longer with --wait.\n");
    const few = await watching("-W", "2s", "-C", "2");
    const some = await watching("-W", "2s");
    await daemon.output("set", "r/1", "v");
    assert.equal(await few.ended(), 5);
    assert.match(few.stderr, /^lankv: 1 of 2 changes came within 2s/);
    assert.equal(await some.ended(), 0);
    const env = { LANKV_WAIT: "50ms", LANKV_COUNT: "1" };
    assert.equal((await daemon.cli(["watch", "nobody/"], { env })).code, 5);
  });

  it("says when the daemon's notifications are off", async () => {
    const client = await Client.connect({ path: daemon.socket }, 5_000);
    try {
      await client.call("CONFIG", "SET", "notify-keyspace-events", "K$");
      const { stderr } = await daemon.cli(["watch", "-W", "10ms"]);
      assert.match(
        stderr,
        /^lankv: the daemon does not tell of all changes: .* is "\$K"\. .*CONFIG SET .* AKE\.\n/,
      );
      await client.call("CONFIG", "SET", "notify-keyspace-events", "Kxg$");
      assert.match((await daemon.cli(["watch", "-W", "10ms"])).stderr, /^lankv: No change/);
    } finally {
      await client.call("CONFIG", "SET", "notify-keyspace-events", "AKE");
      client.close();
    }
  });

  it("says that it lags behind when more changes than it can keep wait to be shown", async () => {
    const gate = path.join(directory, "gate3");
    const running = await watching("--exec", `echo; while ! [ -e '${gate}' ]; do sleep 0.02; done`);
    const client = await Client.connect({ path: daemon.socket }, 5_000);
    for (let from = 0; from <= KEYS_WAITING_MAX; from += 1_000) {
      const pairs = Array.from({ length: 1_000 }, (_, at) => [`r/${from + at}`, "v"]).flat();
      await client.call("MSET", ...pairs);
    }
    client.close();
    writeFileSync(gate, "");
    await running.said(/^lankv: lagged: \d+ changes came faster than they were shown/);
    running.signal("SIGINT");
    assert.equal(await running.ended(), 130);
  });

  for (const [what, isThere, wait] of [
    ["keys that were there", true, "1s"],
    ["changes", false, "4s"],
  ] as const) {
    it(`says how many ${what} it has not shown when its time is up`, async () => {
      const client = await Client.connect({ path: daemon.socket }, 5_000);
      const pairs = Array.from({ length: 10 }, (_, at) => [`r/many/${at}`, "v"]).flat();
      if (isThere) await client.call("MSET", ...pairs);
      const running = await watching("-W", wait, "--exec", "echo line; sleep 0.8");
      if (!isThere) await client.call("MSET", ...pairs);
      client.close();
      await running.ended();
      const missed = Number(/^lankv: lagged: (\d+) changes/.exec(running.stderr)?.[1]);
      assert.equal(running.lines.length + missed, 11);
    });
  }

  it("ends with 4 when the daemon does, and with 130 when it is interrupted", async () => {
    const brief = await Daemon.start(directory, [], "brief");
    await brief.output("set", "r/0", "there");
    const [orphan, interrupted] = [brief.run("watch", "--initial"), brief.run("watch", "--initial")];
    await Promise.all([orphan.printed(1), interrupted.printed(1)]);
    interrupted.signal("SIGINT");
    assert.equal(await interrupted.ended(), 130);
    assert.equal(interrupted.stderr, "");
    await brief.end();
    assert.equal(await orphan.ended(), 4);
    assert.match(orphan.stderr, /^lankv: The daemon ended the connection.*lankv status/);
  });
});

describe("watch --exec", () => {
  it("runs a command for each change, one at a time and in order, with the value on its input", async () => {
    const command = [
      'echo "begin $LANKV_EVENT $LANKV_KEY ${LANKV_VALUE-unset} $LANKV_VALUE_BYTES"',
      'cat > "$LANKV_TEST_DIR/$LANKV_EVENT-$(basename "$LANKV_KEY")"',
      'echo "end $LANKV_KEY"',
    ];
    const env = { LANKV_TEST_DIR: directory, LANKV_VALUE: "stale" };
    const args = ["-s", daemon.socket, "watch", "r/", "--initial", "-C", "3", "--exec", command.join("; ")];
    const running = new Running(args, env);
    await running.printed(2);
    const value = Buffer.alloc(200_000, "\0\xff", "latin1");
    assert.equal((await daemon.cli(["set", "r/1", "-"], { input: value })).code, 0);
    await daemon.output("set", "r/2", "v");
    await running.printed(6);
    await daemon.output("del", "r/2");
    assert.equal(await running.ended(), 0);
    assert.deepEqual(running.lines, [
      "begin initial r/0 there 5",
      "end r/0",
      "begin set r/1 unset 200000",
      "end r/1",
      "begin set r/2 v 1",
      "end r/2",
      "begin del r/2 unset ",
      "end r/2",
    ]);
    assert.deepEqual(readFileSync(path.join(directory, "set-1")), value);
    assert.equal(readFileSync(path.join(directory, "del-2")).length, 0);
    assert.equal(running.stderr, "");
  });

  it("goes on after a command that fails, and says so", async () => {
    const running = await watching("-C", "1", "--exec", 'echo "$LANKV_KEY"; exit 3');
    await daemon.output("set", "r/1", "v");
    assert.equal(await running.ended(), 0);
    assert.deepEqual(running.lines, ["r/0", "r/1"]);
    assert.equal(
      running.stderr.split("\n")[1],
      'lankv: the command ended with exit code 3, for set "r/1"; the watch goes on',
    );
  });

  it("shows a key that changes while a command runs once, as it is then", async () => {
    const gate = path.join(directory, "gate");
    const command = `echo "$LANKV_KEY $LANKV_VALUE"; while ! [ -e '${gate}' ]; do sleep 0.02; done`;
    const running = await watching("-C", "2", "--exec", command);
    for (const value of ["1", "2", "3"]) await daemon.output("set", "r/1", value);
    await daemon.output("set", "r/2", "v");
    writeFileSync(gate, "");
    assert.equal(await running.ended(), 0);
    assert.deepEqual(running.lines, ["r/0 there", "r/1 3", "r/2 v"]);
  });

  it("leads lankv in the command to the same daemon", async () => {
    const own = `'${process.execPath}' '${bin}'`;
    const running = await watching("-C", "1", "--exec", `${own} get "$LANKV_KEY"; echo`);
    await daemon.output("set", "r/1", "v");
    assert.equal(await running.ended(), 0);
    assert.deepEqual(running.lines, ["there", "v"]);
  });

  it("lets the command end when it is interrupted", async () => {
    const gate = path.join(directory, "gate2");
    const command = `echo begin; while ! [ -e '${gate}' ]; do sleep 0.02; done; echo end`;
    const running = await watching("--exec", command);
    running.signal("SIGTERM");
    writeFileSync(gate, "");
    assert.equal(await running.ended(), 130);
    assert.deepEqual(running.lines, ["begin", "end"]);
  });
});
