/** serve and what ends it; status, peers, wait, ping, stop, version, repl. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, describe, it } from "node:test";
import { until } from "../lan/until.js";
import { objectFrom, objectsFrom } from "./json.js";
import { aloneFlags, Daemon, freePort, lankv, scratchDirectory } from "./lankv.js";

const directory = scratchDirectory(after);

describe("serve", () => {
  it("makes its socket for this user only, in a directory for this user only", async () => {
    const socketDirectory = path.join(directory, "new");
    const daemon = await Daemon.start(socketDirectory);
    try {
      assert.equal(statSync(daemon.socket).mode & 0o777, 0o600);
      assert.equal(statSync(socketDirectory).mode & 0o777, 0o700);
    } finally {
      assert.equal(await daemon.end(), 0);
    }
    assert(!existsSync(daemon.socket));
  });

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    it(`ends with 0 at ${signal}, and its peers see it go`, async () => {
      const flags = await aloneFlags();
      const [leaving, staying] = await Promise.all([
        Daemon.start(directory, flags, "leaving"),
        Daemon.start(directory, flags, "staying"),
      ]);
      try {
        await staying.output("wait", "--peers", "1", "--synced");
        assert.equal(await leaving.end(signal), 0);
        // A goodbye is heard at once; silence would take seconds to be noticed.
        assert.equal(await staying.output("peers", "--json"), "[]\n");
      } finally {
        await Promise.all([leaving.end("SIGKILL"), staying.end("SIGKILL")]);
      }
    });
  }

  it("takes a signal that comes twice at once for one", async () => {
    const daemon = await Daemon.start(directory);
    daemon.signal("SIGTERM");
    assert.equal(await daemon.end(), 0);
  });

  it("goes on when nobody reads its log any more", async () => {
    const daemon = await Daemon.start(directory, ["--log-level", "debug"]);
    daemon.closeLog();
    await daemon.output("wait");
    assert.equal(await daemon.end(), 0);
  });

  it("replaces the socket of a daemon that was killed", async () => {
    const killed = await Daemon.start(directory);
    await killed.end("SIGKILL");
    assert(existsSync(killed.socket));
    const daemon = await Daemon.start(directory);
    await daemon.output("status");
    assert.equal(await daemon.end(), 0);
  });

  it("serves Redis clients on a TCP port as well", async () => {
    const port = await freePort();
    const daemon = await Daemon.start(directory, ["--redis-port", String(port)]);
    try {
      const url = `redis://127.0.0.1:${port}`;
      assert.equal((await lankv(["--url", url, "set", "k", "v"])).code, 0);
      assert.equal(await daemon.output("get", "k"), "v");
      const withPassword = await lankv(["--url", `redis://:secret@127.0.0.1:${port}`, "get", "k"]);
      assert.equal(withPassword.code, 1);
      assert.match(withPassword.stderr, /without any password configured/);
    } finally {
      await daemon.end();
    }
  });

  it(
    "outlives more clients than it may have files open",
    { skip: process.platform !== "linux" },
    async () => {
      const port = await freePort();
      const daemon = await Daemon.start(directory, ["--redis-port", String(port)], "few-files", 120);
      const clients: Socket[] = [];
      try {
        let closed = 0;
        for (let index = 0; index < 300; index += 1) {
          const client = connect(port, "127.0.0.1");
          client.on("error", () => undefined).on("close", () => (closed += 1));
          clients.push(client.resume());
        }
        const first = clients[0];
        assert(first !== undefined);
        // Beacons go out each second, and need a file each.
        for (let uptime = 0; uptime < 4;) {
          first.write("info server\r\n");
          const chunks: unknown[] = await once(first, "data", { signal: AbortSignal.timeout(20_000) });
          uptime = Number(/uptime_in_seconds:(\d+)/.exec(String(chunks[0]))?.[1] ?? uptime);
        }
        assert(closed >= 200 && closed < 290, `${closed} of 300 clients are gone`);
      } finally {
        for (const client of clients) client.destroy();
      }
      assert.equal(await daemon.output("ping", "-q"), "");
      assert.equal(await daemon.end(), 0);
    },
  );

  it("bounds its clients as its flags and the environment say", async () => {
    const port = await freePort();
    const flags = ["--max-clients", "7", "--client-timeout", "2m", "--client-query-limit", "2MiB"];
    const bounds = ["--client-output-limit", "1GiB", "--clients-memory", "33554432"];
    const daemon = await Daemon.start(directory, ["--redis-port", String(port), ...flags, ...bounds]);
    try {
      const client = connect(port, "127.0.0.1");
      client.end(
        "config get maxclients timeout client-query-buffer-limit maxmemory-clients client-output*\r\nquit\r\n",
      );
      const lines = (await text(client)).split("\r\n");
      for (const [name, value] of [
        ["maxclients", "7"],
        ["timeout", "120"],
        ["client-query-buffer-limit", "2097152"],
        ["client-output-buffer-limit", "normal 0 0 0 slave 0 0 0 pubsub 1073741824 0 0"],
        ["maxmemory-clients", "33554432"],
      ] as const) {
        assert.equal(lines[lines.indexOf(name) + 2], value, name);
      }
    } finally {
      assert.equal(await daemon.end(), 0);
    }
    const refused = await lankv(["serve", ...(await aloneFlags())], { env: { LANKV_MAX_CLIENTS: "0" } });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /LANKV_MAX_CLIENTS.*must be from 1 to 65535/);
  });

  it("tells who finds nobody what to do, and only then", async () => {
    const flags = await aloneFlags();
    const [one, two] = [
      await Daemon.start(directory, flags, "one"),
      await Daemon.start(directory, flags, "two"),
    ];
    // When it wonders, the others have run for longer.
    const alone = await Daemon.start(directory, await aloneFlags(), "alone");
    try {
      assert.match(await alone.output("peers"), /^no peers yet; .*'lankv doctor'/);
      await until("it wonders", () =>
        assert.match(alone.log, / info {2}no other node is heard yet: .*'lankv doctor'/),
      );
    } finally {
      for (const daemon of [two, one, alone]) await daemon.end();
    }
    for (const { log } of [one, two]) assert.doesNotMatch(log, /no other node/);
  });

  it("logs one line each, in JSON if asked, and as much as asked", async () => {
    const daemon = await Daemon.start(directory, ["--log-level", "debug"]);
    await daemon.end();
    for (const line of daemon.log.trimEnd().split("\n")) {
      assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z (error|warn |info |debug) \S/);
    }
    assert.match(daemon.log, / debug lankv:node: state: /);
    assert.match(daemon.log, / info {2}serving name=d .*cluster=default data="in memory only" socket=/);
    const { stderr } = await lankv([
      "serve",
      "--log-json",
      "--socket",
      `/${"x".repeat(200)}`,
      ...(await aloneFlags()),
    ]);
    assert.match(stderr, /too long/);
  });
});

describe("the client commands", () => {
  it("show the node and its peers", async () => {
    const flags = await aloneFlags();
    const [one, two] = await Promise.all([
      Daemon.start(directory, flags, "one"),
      Daemon.start(directory, flags, "two"),
    ]);
    try {
      assert.equal(await one.output("wait", "--peers", "1", "--synced"), "");
      await one.output("set", "k", "v");
      const late = await two.cli(["get", "k"]);
      assert.deepEqual([late.code, late.text], [0, "v"]);
      await two.output("wait", "--peers", "1", "--synced");
      const status = objectFrom(await one.output("status", "--json"));
      assert.equal(status["name"], "one");
      assert.equal(status["state"], "live");
      assert.equal(status["keys"], 1);
      assert.equal(status["peers"], 1);
      const [peer] = objectsFrom(await one.output("peers", "--json"));
      assert.equal(peer?.["name"], "two");
      assert.equal(peer["state"], "up");
      assert.match(
        await one.output("status"),
        /^node +one \([0-9a-f]{16}\)\ncluster +default\nstate +live, synced\n/,
      );
      assert.match(await one.output("peers"), /^NAME +ADDRESS .*\ntwo +127\.0\.0\.1:\d+ +up +live /);
      assert.equal(await one.output("conflicts"), "no conflicts\n");
      assert.equal(await one.output("conflicts", "--json"), "[]\n");
    } finally {
      await Promise.all([one.end(), two.end()]);
    }
  });

  it("measure the way to the daemon and to its peers", async () => {
    const flags = await aloneFlags();
    const [one, two] = await Promise.all([
      Daemon.start(directory, flags, "one"),
      Daemon.start(directory, flags, "two"),
    ]);
    try {
      await one.output("wait", "--peers", "1", "--synced");
      assert.match(await one.output("ping"), /^pong in [\d.]+ ms\n$/);
      assert.equal(await one.output("ping", "-q"), "");
      const { nodeId } = objectFrom(await two.output("status", "--json"));
      assert.match(await one.output("ping", "two"), /^pong from two in [\d.]+ ms\n$/);
      assert.match(await one.output("ping", String(nodeId).slice(0, 8)), /^pong from two in /);
      const { rttMs, ...peer } = objectFrom(await one.output("ping", "two", "--json"));
      assert.deepEqual(peer, { nodeId, name: "two" });
      assert.equal(typeof rttMs, "number");
      assert.equal(await one.output("ls"), "");

      const unknown = await one.cli(["ping", "three"]);
      assert.equal(unknown.code, 1);
      assert.match(unknown.stderr, /^lankv: There is no peer "three"\. See who is there with 'lankv peers'/);
      two.signal("SIGSTOP");
      const silent = await one.cli(["ping", "two", "--timeout", "50ms"]);
      two.signal("SIGCONT");
      assert.equal(silent.code, 5);
      assert.match(silent.stderr, /^lankv: The peer "two" \((up|quiet|gone)\) does not answer: /);
    } finally {
      await Promise.all([one.end(), two.end()]);
    }
  });

  it("say with 5 that a wait was in vain", async () => {
    const daemon = await Daemon.start(directory);
    try {
      await daemon.output("wait");
      const { code, stderr } = await daemon.cli(["wait", "--peers", "1", "--timeout", "10ms"]);
      assert.equal(code, 5);
      assert.match(stderr, /^lankv: Not ready after 10 ms: 0 of 1 peers are linked\. .*'lankv doctor'/);
    } finally {
      await daemon.end();
    }
  });

  it("say with 4 that there is no daemon, and how to start one", async () => {
    const socket = path.join(directory, "nobody.sock");
    for (const args of [["get", "k"], ["status"], ["stop"], ["ping"], ["watch"], ["import", "/dev/null"]]) {
      const { code, stderr } = await lankv(["-s", socket, ...args]);
      assert.equal(code, 4);
      assert.match(
        stderr,
        /^lankv: No daemon at .*nobody\.sock: there is no such socket\. Start one with 'lankv serve'/,
      );
    }
    const refused = await lankv(["--url", `redis://127.0.0.1:${await freePort()}`, "status"]);
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /nobody listens/);
  });

  it("stop the daemon", async () => {
    const daemon = await Daemon.start(directory);
    const { code, text, stderr } = await daemon.cli(["stop"]);
    assert.deepEqual([code, text, stderr], [0, "", "lankv: the daemon has ended\n"]);
    assert.equal(await daemon.ended(), 0);
    assert.equal((await daemon.cli(["status"])).code, 4);
  });

  it("print the version", async () => {
    const { text } = await lankv(["version"]);
    assert.match(text, /^\d+\.\d+\.\d+\n$/);
    const byFlag = await lankv(["--version"]);
    assert.deepEqual([byFlag.code, byFlag.text], [0, text]);
    const shown = objectFrom((await lankv(["version", "--json"])).text);
    assert.equal(shown["node"], process.version);
  });

  it("give a prompt with the keys as kv", async () => {
    const daemon = await Daemon.start(directory);
    const input = [
      'await kv.set("one", "111")',
      'await kv.get("one")',
      "await kv.has('two')",
      "(await kv.entry('one')).bytes",
      "await kv.keys()",
      "(await kv.entries({ prefix: 'o' })).length",
      'await kv.getMany(["one", "two"])',
      "(await kv.status()).name",
      "await kv.peers()",
      "await kv.conflicts()",
      "await kv.ready({ timeoutMs: 5000 })",
      'await kv.delete("one")',
      'await kv.set("one", "2", { xx: true })',
    ];
    const { code, text } = await daemon.cli(["repl"], { input: `${input.join("\n")}\n` });
    await daemon.end();
    assert.equal(code, 0);
    const lines = text.split("\n");
    assert.match(lines[0] ?? "", /^\{ version: '[0-9a-f]{14}-[0-9a-f]{16}' \}$/);
    assert.deepEqual(lines.slice(1, 12), [
      "'111'",
      "false",
      "Uint8Array(3) [ 49, 49, 49 ]",
      "[ 'one' ]",
      "1",
      "[ '111', undefined ]",
      "'d'",
      "[]",
      "[]",
      "undefined",
      "true",
    ]);
    assert.match(text, /LANKV_CONDITION/);
  });
});
