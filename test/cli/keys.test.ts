/** get, set, del, exists, ls, incr, ttl, expire. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { objectFrom, objectsFrom } from "./json.js";
import { Daemon, lankv, scratchDirectory } from "./lankv.js";

const directory = scratchDirectory(after);
let daemon: Daemon;

before(async () => {
  daemon = await Daemon.start(directory);
  await daemon.output("wait");
});

beforeEach(async () => {
  await daemon.output("del", "--prefix", "", "-f");
});

after(async () => {
  assert.equal(await daemon.end(), 0);
});

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

describe("get and set", () => {
  it("carry the value that is given, from an argument, standard input or a file", async () => {
    await daemon.output("set", "one", "111");
    assert.equal(await daemon.output("get", "one"), "111");
    await daemon.output("set", "empty", "");
    assert.equal(await daemon.output("get", "empty"), "");
    await daemon.output("set", "küche", "größer");
    assert.equal(await daemon.output("get", "küche"), "größer");

    assert.equal((await daemon.cli(["set", "piped", "-"], { input: everyByte })).code, 0);
    assert.deepEqual((await daemon.cli(["get", "piped"])).stdout, everyByte);
    assert.equal((await daemon.cli(["set", "piped too"], { input: "x\n" })).code, 0);
    assert.equal(await daemon.output("get", "piped too"), "x\n");

    const file = path.join(directory, "value");
    writeFileSync(file, everyByte);
    await daemon.output("set", "file", `@${file}`);
    await daemon.output("get", "file", "-o", `${file}.copy`);
    assert.deepEqual(readFileSync(`${file}.copy`), everyByte);
  });

  it("carry the longest value and key", async () => {
    const [key, value] = ["k".repeat(1024), Buffer.alloc(1_048_576, "v")];
    assert.equal((await daemon.cli(["set", key, "-"], { input: value })).code, 0);
    assert.deepEqual((await daemon.cli(["get", key])).stdout, value);
  });

  it("print JSON", async () => {
    const written: unknown = JSON.parse(await daemon.output("set", "one", "111", "--json", "--ttl", "1h"));
    const entry = objectFrom(await daemon.output("get", "one", "--json"));
    const { updatedAt, expiresAt, origin, version, ...rest } = entry;
    assert.deepEqual(rest, { key: "one", value: "111" });
    assert.deepEqual(written, { version });
    assert.match(String(version), new RegExp(`^[0-9a-f]{14}-${String(origin)}$`));
    assert.equal(Number(expiresAt) > Number(updatedAt), true);

    await daemon.cli(["set", "bytes", "-"], { input: everyByte });
    const bytes = objectFrom(await daemon.output("get", "bytes", "--json"));
    assert.equal(bytes["value"], undefined);
    assert.equal(bytes["valueBase64"], everyByte.toString("base64"));
    assert.equal(bytes["expiresAt"], null);
    assert.match(
      await daemon.output("get", "bytes", "--meta"),
      /^version .*\norigin .*\nupdated .*Z\nexpires {2}never\nbytes {4}256\n$/,
    );
  });

  it("say with 3 that a key is missing", async () => {
    const missing = await daemon.cli(["get", "nope"]);
    assert.deepEqual([missing.code, missing.text], [3, ""]);
    assert.equal(missing.stderr, 'lankv: there is no key "nope"\n');
    assert.equal((await daemon.cli(["get", "nope", "-q", "--json"])).stderr, "");
  });

  it("say with 6 that a condition failed, and write nothing", async () => {
    assert.equal((await daemon.cli(["set", "k", "1", "--xx"])).code, 6);
    assert.equal((await daemon.cli(["exists", "k"])).code, 3);
    await daemon.output("set", "k", "1", "--nx");
    const refused = await daemon.cli(["set", "k", "2", "--nx"]);
    assert.equal(refused.code, 6);
    assert.match(refused.stderr, /^lankv: Not written: "k" exists/);
    const { version } = objectFrom(await daemon.output("get", "k", "--json"));
    await daemon.output("set", "k", "3", "--if-version", String(version));
    assert.equal((await daemon.cli(["set", "k", "4", "--if-version", String(version)])).code, 6);
    assert.equal(await daemon.output("get", "k"), "3");
  });

  it("expire", async () => {
    await daemon.output("set", "brief", "v", "--ttl", "1ms");
    assert.equal((await daemon.cli(["get", "brief", "--timeout", "0"])).code, 3);
  });
});

describe("del and exists", () => {
  it("say with 3 that there was nothing", async () => {
    await daemon.output("set", "a", "1");
    assert.equal((await daemon.cli(["exists", "a"])).code, 0);
    assert.equal((await daemon.cli(["del", "a", "b"])).code, 0);
    assert.equal((await daemon.cli(["exists", "a"])).code, 3);
    assert.equal((await daemon.cli(["del", "a", "b"])).code, 3);
  });

  it("delete a prefix only when that is confirmed", async () => {
    for (const key of ["r/1", "r/2", "s"]) await daemon.output("set", key, "v");
    const asked = await daemon.cli(["del", "--prefix", "r/"]);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /would delete 2 keys .* Confirm it with -f/);
    assert.equal(await daemon.output("del", "--prefix", "r/", "-f", "--json"), '{"deleted":2}\n');
    assert.equal(await daemon.output("ls"), "s\n");
    assert.equal((await daemon.cli(["del"])).code, 2);
    assert.equal((await daemon.cli(["del", "s", "--prefix", "s"])).code, 2);
  });
});

describe("ls", () => {
  it("lists keys in the order of their bytes", async () => {
    for (const key of ["b", "a/2", "a/1", "ä"]) await daemon.output("set", key, "v");
    assert.equal(await daemon.output("ls"), "a/1\na/2\nb\nä\n");
    assert.equal(await daemon.output("ls", "a/", "-0"), "a/1\0a/2\0");
    assert.equal(await daemon.output("ls", "--limit", "1"), "a/1\n");
    assert.equal(await daemon.output("ls", "a/", "--json"), '[{"key":"a/1"},{"key":"a/2"}]\n');
    assert.match(await daemon.output("ls", "-l", "b"), /^BYTES .*KEY\n1 .* {2}b\n$/);
    const [entry] = objectsFrom(await daemon.output("ls", "-l", "b", "--json"));
    assert.equal(entry?.["bytes"], 1);
  });
});

describe("incr", () => {
  it("adds to a number, and prints what it is then", async () => {
    assert.equal(await daemon.output("incr", "n"), "1\n");
    assert.equal(await daemon.output("incr", "n", "41"), "42\n");
    assert.equal(await daemon.output("incr", "n", "-50"), "-8\n");
    assert.equal(await daemon.output("incr", "n", "--json"), '{"key":"n","value":-7}\n');
    assert.equal(await daemon.output("get", "n"), "-7");
  });

  it("is exact in all 64 bits", async () => {
    assert.equal(await daemon.output("incr", "n", "9007199254740993"), "9007199254740993\n");
    const json = await daemon.output("incr", "n", "9214364837600034814", "--json");
    assert.equal(json, '{"key":"n","value":9223372036854775807}\n');
    const { code, stderr } = await daemon.cli(["incr", "n"]);
    assert.equal(code, 1);
    assert.match(stderr, /overflow/);
  });

  it("leaves alone what is no number", async () => {
    await daemon.output("set", "text", "one");
    const { code, text, stderr } = await daemon.cli(["incr", "text"]);
    assert.deepEqual([code, text], [1, ""]);
    assert.match(stderr, /^lankv: .*not an integer/);
    assert.equal(await daemon.output("get", "text"), "one");
  });
});

describe("ttl and expire", () => {
  it("set a limit, show what is left of it, and remove it", async () => {
    await daemon.output("set", "k", "v");
    assert.equal(await daemon.output("ttl", "k"), "none\n");
    assert.equal(await daemon.output("ttl", "k", "1h"), "");
    assert.match(await daemon.output("ttl", "k"), /^59m \d+s\n$/);
    assert.equal(await daemon.output("ttl", "k", "none"), "");
    assert.equal(await daemon.output("ttl", "k", "none"), "");
    assert.equal(await daemon.output("ttl", "k"), "none\n");
    assert.equal(await daemon.output("expire", "k", "30s"), "");
    assert.match(await daemon.output("ttl", "k"), /^[12]\d(\.\d)?s\n$/);
    assert.equal(await daemon.output("get", "k"), "v");
    await daemon.output("expire", "k", "1ms");
    assert.equal((await daemon.cli(["exists", "k"])).code, 3);
  });

  it("print JSON", async () => {
    await daemon.output("set", "k", "v");
    assert.equal(await daemon.output("ttl", "k", "--json"), '{"key":"k","ttlMs":null,"expiresAt":null}\n');
    const { key, ttlMs, expiresAt } = objectFrom(await daemon.output("ttl", "k", "2d", "--json"));
    assert.equal(key, "k");
    assert(Number(ttlMs) > 86_400_000 && Number(ttlMs) <= 2 * 86_400_000, String(ttlMs));
    assert.equal(objectFrom(await daemon.output("get", "k", "--json"))["expiresAt"], expiresAt);
  });

  it("say with 3 that a key is missing", async () => {
    for (const args of [
      ["ttl", "nope"],
      ["ttl", "nope", "10s"],
      ["ttl", "nope", "none"],
      ["expire", "nope", "10s"],
    ]) {
      const { code, text, stderr } = await daemon.cli(args);
      assert.deepEqual([code, text, stderr], [3, "", 'lankv: there is no key "nope"\n']);
    }
    assert.equal((await daemon.cli(["ttl", "nope", "-q"])).stderr, "");
  });
});

describe("the flags", () => {
  it("are environment variables too, and win over them", async () => {
    await daemon.output("set", "k", "v");
    const env = { LANKV_SOCKET: daemon.socket };
    assert.equal((await lankv(["get", "k"], { env })).text, "v");
    assert.equal((await daemon.cli(["get", "k"], { env: { LANKV_SOCKET: "/nowhere" } })).text, "v");
    assert.match((await lankv(["get", "k"], { env: { ...env, LANKV_JSON: "1" } })).text, /^\{"key":"k"/);
    assert.equal((await lankv(["get", "k"], { env: { ...env, LANKV_JSON: "0" } })).text, "v");
  });

  it("may stand before or after the command", async () => {
    await daemon.output("set", "k", "v");
    assert.equal((await lankv(["get", "k", "--socket", daemon.socket])).text, "v");
  });
});
