/** import and export. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { objectFrom } from "./json.js";
import { bin, Daemon, run, scratchDirectory } from "./lankv.js";

const directory = scratchDirectory(after);
let daemon: Daemon;

before(async () => {
  daemon = await Daemon.start(directory);
});

beforeEach(async () => {
  await daemon.output("del", "--prefix", "", "-f");
});

after(async () => {
  assert.equal(await daemon.end(), 0);
});

describe("export and import", () => {
  it("carry all keys, whatever their bytes and times, into an empty node", async () => {
    const file = path.join(directory, "all.jsonl");
    const later = Date.now() + 3_600_000;
    const lines = [
      { key: "a", value: "1" },
      { key: "b\n\u2028", value: "ü\0" },
      { keyBase64: "/w==", valueBase64: "AP8=" },
      { key: "brief", value: "v", expiresAt: later },
    ];
    writeFileSync(file, `${lines.map((line) => JSON.stringify(line)).join("\n")}\n\n`);
    assert.equal(
      await daemon.output("import", file, "--json"),
      '{"imported":4,"newer":0,"expired":0,"bad":0}\n',
    );
    await daemon.output("export", file);
    const exported = readFileSync(file, "utf8");
    const parsed = exported
      .trimEnd()
      .split("\n")
      .map((line) => objectFrom(line));
    const found = parsed.map((entry) => [
      entry["key"] ?? entry["keyBase64"],
      entry["value"] ?? entry["valueBase64"],
      entry["expiresAt"],
    ]);
    assert.deepEqual(
      found.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)),
      [
        ["/w==", "AP8=", null],
        ["a", "1", null],
        ["b\n\u2028", "ü\0", null],
        ["brief", "v", later],
      ],
    );

    const fresh = await Daemon.start(directory, [], "fresh");
    try {
      assert.equal((await fresh.cli(["import"], { input: exported })).code, 0);
      const without = (text: string): string =>
        text.replace(/"(version|origin)":"[^"]*"|"updatedAt":\d+/g, "");
      assert.equal(without(await fresh.output("export")), without(exported));
    } finally {
      await fresh.end();
    }
  });

  it("leave a file that is replaced to those who could read it, and make a new one as the umask says", async () => {
    await daemon.output("set", "secret", "v");
    const file = path.join(directory, "private.jsonl");
    const modeOf = (): number => statSync(file).mode & 0o777;
    await daemon.output("export", file);
    assert.equal(modeOf(), 0o666 & ~process.umask());
    for (const mode of [0o600, 0o640, 0o664]) {
      chmodSync(file, mode);
      // What an earlier export has left must not give it away either.
      writeFileSync(`${file}.partial`, "", { mode: 0o666 });
      await daemon.output("export", file);
      assert.equal(modeOf(), mode);
    }
    if (process.getuid?.() !== 0) return;
    chownSync(file, 1_234, 2_345);
    chmodSync(file, 0o640);
    await daemon.output("export", file);
    const { uid, gid } = statSync(file);
    assert.deepEqual([uid, gid, modeOf()], [1_234, 2_345, 0o640]);
  });

  it("carry more than is sent at once", async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) =>
      JSON.stringify({ key: `k/${index}`, value: "v" }),
    );
    assert.equal((await daemon.cli(["import", "-"], { input: lines.join("\n") })).code, 0);
    assert.equal((await daemon.output("export")).split("\n").length, 20_001);
  });

  it("carry values as long as they may be", async () => {
    const value = "v".repeat(1_048_576);
    const lines = Array.from({ length: 20 }, (_, index) => JSON.stringify({ key: `k/${index}`, value }));
    assert.equal((await daemon.cli(["import"], { input: lines.join("\n") })).code, 0);
    assert.equal((await daemon.output("export")).length > 20 * value.length, true);
  });

  it("write into a pipe or through a link, and replace neither", async () => {
    await daemon.output("set", "k", "v");
    const line = await daemon.output("export");
    const pipe = path.join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [piped] = await Promise.all([run("cat", [pipe]), daemon.output("export", pipe)]);
    assert.equal(piped.text, line);
    assert(lstatSync(pipe).isFIFO());

    const script = '"$@" export /dev/fd/3 3>&1 | cat';
    const shell = await run("sh", ["-c", script, "sh", process.execPath, bin, "-s", daemon.socket]);
    assert.deepEqual([shell.text, shell.stderr], [line, ""]);

    for (const name of ["there", "not-there"]) {
      const [target, link] = [path.join(directory, name), path.join(directory, `to-${name}`)];
      if (name === "there") writeFileSync(target, "old");
      symlinkSync(target, link);
      await daemon.output("export", link);
      assert(lstatSync(link).isSymbolicLink());
      assert.equal(readFileSync(target, "utf8"), line);
    }
  });

  for (const [line, why] of [
    ["{", "it is not JSON"],
    ["[]", "it is not a JSON object"],
    ['{"value":"v"}', 'it has no "key"'],
    ['{"key":1,"value":"v"}', 'it has no "key"'],
    ['{"key":"k"}', 'it has no "value"'],
    ['{"key":"k","valueBase64":"!"}', 'it has no "value"'],
    ['{"key":"k","value":"v","expiresAt":"soon"}', '"expiresAt" is not a time'],
    ['{"key":"k","value":"\\ud800"}', "it has half a character"],
    ['{"key":"","value":"v"}', "key must have 1 to 1024 bytes"],
  ] as const) {
    it(`names the line ${line} by its number`, async () => {
      const { code, stderr } = await daemon.cli(["import"], {
        input: `{"key":"ok","value":"v"}\n\n${line}\n`,
      });
      assert.equal(code, 1);
      assert(stderr.includes("lankv: Line 3 cannot be imported: "), stderr);
      assert(stderr.includes(why), stderr);
      assert.equal(await daemon.output("ls"), "ok\n");
    });
  }

  it("leave out bad lines with --skip-bad, name each, and end with 1", async () => {
    const long = `{"key":"long","value":"${"v".repeat(9_000_000)}"}`;
    const lines = [
      '{"key":"a","value":"1"}',
      "{",
      long,
      '{"key":"b\xff","value":"1"}',
      '{"key":"c","value":"1"}',
    ];
    const { code, text, stderr } = await daemon.cli(["import", "--skip-bad", "--json"], {
      input: Buffer.from(lines.join("\n"), "latin1"),
    });
    assert.equal(code, 1);
    assert.equal(text, '{"imported":2,"newer":0,"expired":0,"bad":3}\n');
    assert.deepEqual(stderr.split("\n"), [
      "lankv: Line 2 cannot be imported: it is not JSON.",
      "lankv: Line 3 cannot be imported: it has more than 8388608 bytes.",
      "lankv: Line 4 cannot be imported: it is not UTF-8; other bytes go into keyBase64 and valueBase64.",
      "lankv: 2 keys were imported, 3 could not be imported",
      "",
    ]);
    assert.equal(await daemon.output("ls"), "a\nc\n");
  });

  it("bring back what was deleted and write over what is newer, or with --update do not", async () => {
    for (const key of ["kept", "changed", "deleted"]) await daemon.output("set", key, "old");
    const exported = await daemon.output("export");
    await daemon.output("set", "changed", "new");
    await daemon.output("del", "deleted");
    const update = await daemon.cli(["import", "--update", "--json"], { input: exported });
    assert.equal(update.text, '{"imported":0,"newer":3,"expired":0,"bad":0}\n');
    assert.equal(update.stderr, "lankv: 0 keys were imported, 3 are newer here\n");
    assert.equal(await daemon.output("get", "changed"), "new");
    assert.equal(await daemon.output("ls"), "changed\nkept\n");

    assert.equal((await daemon.cli(["import"], { input: exported })).code, 0);
    assert.equal(await daemon.output("get", "changed"), "old");
    assert.equal(await daemon.output("get", "deleted"), "old");
  });

  it("merge what two networks hold with --update: of each key what was written last", async () => {
    const fresh = await Daemon.start(directory, [], "merged");
    try {
      await fresh.output("set", "late-here", "older");
      await daemon.output("set", "late-there", "older");
      await daemon.output("set", "only-here", "v");
      await daemon.output("set", "late-here", "newer");
      await fresh.output("set", "late-there", "newer");
      await fresh.cli(["import", "--update"], { input: await daemon.output("export") });
      assert.equal(await fresh.output("get", "late-here"), "newer");
      assert.equal(await fresh.output("get", "late-there"), "newer");
      assert.equal(await fresh.output("get", "only-here"), "v");
      const without = await fresh.cli(["import", "--update"], { input: '{"key":"k","value":"v"}' });
      assert.match(without.stderr, /Line 1 cannot be imported: it has no "version", which --update goes by/);
    } finally {
      await fresh.end();
    }
  });

  it("leave out what has expired since, which would delete what is there now", async () => {
    await daemon.output("set", "session", "renewed");
    const { text, stderr } = await daemon.cli(["import", "--json"], {
      input: '{"key":"session","value":"old","expiresAt":1700000000000}\n',
    });
    assert.equal(text, '{"imported":0,"newer":0,"expired":1,"bad":0}\n');
    assert.equal(stderr, "lankv: 0 keys were imported, 1 had expired\n");
    assert.equal(await daemon.output("get", "session"), "renewed");
  });

  it("say which file cannot be used, and leave no part of one", async () => {
    const missing = await daemon.cli(["import", path.join(directory, "nope")]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^lankv: The file .*nope cannot be read: ENOENT/);
    const file = path.join(directory, "no/such/directory");
    const unwritable = await daemon.cli(["export", file]);
    assert.equal(unwritable.code, 1);
    assert.match(unwritable.stderr, /^lankv: The file .* cannot be written: ENOENT/);
    assert(!existsSync(`${file}.partial`));
  });
});
