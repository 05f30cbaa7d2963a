import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { REFUSALS, refusalOf } from "../../../src/resp/refused.js";
import { commandTable } from "../../../src/resp/table.js";
import { ClientStage } from "./client-stage.js";

const GUARANTEES = ["reads", "everywhere", "this node", "lan", "connection"];

let stage: ClientStage;

beforeEach(() => {
  stage = new ClientStage();
});

describe("the entries of the table", () => {
  for (const command of [...commandTable.values()].flatMap((each) => [each, ...(each.subcommands ?? [])])) {
    it(`of ${command.name} is whole`, () => {
      const { name, flags, keys, guarantee, group, since, note, complexity } = command;
      assert(GUARANTEES.includes(guarantee));
      assert.equal(group === "lankv", name.startsWith("lankv."));
      assert.equal(since === undefined, group === "lankv", "since when Redis has it");
      assert.match(complexity ?? "", /^(?:O\(|Depends on )/);
      if (note !== undefined) assert.match(note, /^[A-Z`].*\.$/);
      if (flags.includes("write")) assert(["everywhere", "this node"].includes(guarantee));
      // In a transaction WAIT returns at once.
      if (flags.includes("blocking") && name !== "wait") assert(flags.includes("no_multi"));
      if (keys !== undefined && group !== "transactions")
        assert(flags.includes("write") || flags.includes("readonly"));
    });
  }
});

describe("COMMAND", () => {
  it("lists names, also those that a pattern or a category has", async () => {
    await stage.expect([
      ["command list filterby pattern GETE*", "*1\r\n$5\r\ngetex"],
      ["command list filterby module x", "*0"],
      ["command list filterby aclcat nope", "*0"],
      ["command list filterby foo x", "-ERR syntax error"],
      ["command list foo", "-ERR syntax error"],
    ]);
    assert.match(await stage.reply("command", "list", "filterby", "aclcat", "WRITE"), /\r\nset\r\n/);
    assert.match(await stage.reply("command", "list"), /\r\nobject\|encoding\r\n/);
  });

  it("documents a command once, however often it is named, and describes it each time", async () => {
    const once = await stage.reply("command", "docs", "client");
    assert.equal(
      await stage.reply("command", "docs", ...Array.from({ length: 50_000 }, () => "client")),
      once,
    );
    const twice = await stage.reply("command", "info", "get", "GET");
    assert.equal(twice.match(/\$3\r\nget\r\n/g)?.length, 2);
  });

  it("finds the keys of a command", async () => {
    await stage.expect([
      ["command getkeys mset a 1 b 2", "*2\r\n$1\r\na\r\n$1\r\nb"],
      ["command getkeys mget a b c", "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc"],
      ["command getkeys rename a b", "*2\r\n$1\r\na\r\n$1\r\nb"],
      ["command getkeys object encoding a", "*1\r\n$1\r\na"],
      ["command getkeys nope a", "-ERR Invalid command specified"],
      ["command getkeys keys *", "-ERR The command has no key arguments"],
      ["command getkeys get a b", "-ERR Invalid number of arguments specified for command"],
    ]);
  });

  it("describes commands and subcommands", async () => {
    assert.match(
      await stage.reply("command", "info", "SET"),
      /^\*1\r\n\*10\r\n\$3\r\nset\r\n:-3\r\n\*1\r\n\+write\r\n:1\r\n:1\r\n:1/,
    );
    assert.match(
      await stage.reply("command", "info", "object|encoding"),
      /^\*1\r\n\*10\r\n\$15\r\nobject\|encoding\r\n:3/,
    );
    assert.equal(await stage.reply("command", "docs", "nope"), "*0");
    const docs = await stage.reply("command", "docs", "get");
    assert.match(docs, /since\r\n\$5\r\n1\.0\.0\r\n/);
    assert.match(docs, /arguments\r\n\*1\r\n\*6\r\n\$4\r\nname\r\n\$3\r\nkey\r\n\$4\r\ntype\r\n\$3\r\nkey/);
  });
});

describe("INFO", () => {
  it("has what clients look for, in the sections that they ask for", async () => {
    await stage.reply("set", "a", "1", "ex", "10");
    await stage.reply("set", "b", "1");
    const whole = await stage.reply("info");
    for (const line of [
      /redis_version:7\.0\.15\r/,
      /redis_mode:standalone\r/,
      /loading:0\r/,
      /role:master\r/,
      /used_memory:\d+\r/,
    ]) {
      assert.match(whole, line);
    }
    assert.match(whole, /# Keyspace\r\ndb0:keys=2,expires=1,/);
    const some = await stage.reply("info", "CLIENTS", "keyspace");
    assert.deepEqual(
      [...some.matchAll(/# (\w+)/g)].map((match) => match[1]),
      ["Clients", "Keyspace"],
    );
    assert.equal(await stage.reply("info", "nope"), "$0\r\n");
  });
});

describe("what is refused", () => {
  for (const { family, names, why, instead } of REFUSALS) {
    it(`says why, and what to do instead: ${family}`, async () => {
      assert.match(why, /^[^A-Z].*[^.]$/);
      assert.match(instead, /^[A-Z`].*\.$/);
      for (const name of names) {
        const shown = name.toUpperCase().replace("|", " ");
        assert.equal(
          await stage.reply(...name.split("|"), "x"),
          `-ERR '${shown}' is refused: ${why}. ${instead}`,
        );
      }
    });
  }

  it("is in no other family, and no command", () => {
    const names = REFUSALS.flatMap((refusal) => refusal.names);
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert(!commandTable.has(name), name);
    assert.equal(refusalOf("get"), undefined);
  });

  it("does not hold up programs that clear a server first", async () => {
    await stage.expect([
      ["function flush", "+OK"],
      ["function foo", "-ERR unknown subcommand 'foo'. Try FUNCTION HELP."],
    ]);
  });
});

describe("SHUTDOWN", () => {
  it("takes the words that Redis takes", async () => {
    await stage.expect([
      ["shutdown abort", "-ERR No shutdown in progress."],
      ["shutdown save nosave", "-ERR syntax error"],
      ["shutdown foo", "-ERR syntax error"],
    ]);
    assert.equal(stage.keyspace.stops, 0);
    await stage.expect([["shutdown nosave now", "+OK"]]);
    assert.equal(stage.keyspace.stops, 1);
  });
});
