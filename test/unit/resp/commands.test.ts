import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { encode } from "../../../src/resp/reply.js";
import { commandTable, execute } from "../../../src/resp/table.js";
import { versionToText } from "../../../src/core/version.js";
import { MemoryKeyspace } from "./memory-keyspace.js";
import { toContext } from "./session-context.js";

let keyspace: MemoryKeyspace;
let context: ReturnType<typeof toContext>;

beforeEach(() => {
  keyspace = new MemoryKeyspace();
  context = toContext(keyspace);
});

/** The reply to a command line without quotes, as it goes onto the wire. */
async function reply(line: string): Promise<string> {
  return encode(await execute(line.split(" "), context), 2);
}

/** The bytes of a reply that is a bulk string. */
async function text(line: string): Promise<string> {
  const value = await execute(line.split(" "), context);
  assert(typeof value === "string");
  return value;
}

describe("the command table", () => {
  it("names each command in lower case, with an arity and a summary", () => {
    for (const [name, command] of commandTable) {
      for (const each of [command, ...(command.subcommands ?? [])]) {
        assert.match(each.name, /^[a-z._]+(\|[a-z-]+)?$/);
        assert.notEqual(each.arity, 0);
        assert.match(each.summary, /^[A-Z].*[^.]$/);
      }
      assert.equal(name, command.name);
    }
  });

  it("refuses each command with one argument too few or too many", async () => {
    for (const command of commandTable.values()) {
      for (const each of [command, ...(command.subcommands ?? [])]) {
        const words = each.name.split("|");
        const wrong = Math.abs(each.arity) + (each.arity < 0 ? -1 : 1);
        if (wrong < words.length || (each.arity < 0 && each.subcommands !== undefined)) continue;
        const line = [...words, ...new Array<string>(wrong - words.length).fill("x")].join(" ");
        assert.equal(
          await reply(line),
          `-ERR wrong number of arguments for '${each.name}' command\r\n`,
          line,
        );
      }
    }
  });

  it("takes names in any case", async () => {
    assert.equal(await reply("pInG"), "+PONG\r\n");
    assert.equal(await reply("client ID"), ":7\r\n");
  });

  it("words unknown commands as Redis does", async () => {
    assert.equal(
      await reply("foo bar baz"),
      "-ERR unknown command 'foo', with args beginning with: 'bar' 'baz' \r\n",
    );
    const long = "x".repeat(200);
    assert.equal(
      await reply(`${long} ${long} z`),
      `-ERR unknown command '${"x".repeat(128)}', with args beginning with: '${"x".repeat(128)}' \r\n`,
    );
    assert.equal(await reply("client foo"), "-ERR unknown subcommand 'foo'. Try CLIENT HELP.\r\n");
  });

  it("keeps an error on one line", async () => {
    assert.equal(
      encode(await execute(["a\r\nb", "c\nd"], context), 2),
      "-ERR unknown command 'a b', with args beginning with: 'c d' \r\n",
    );
  });

  it("describes itself", async () => {
    assert.equal(await reply("command count"), `:${commandTable.size}\r\n`);
    const described = await reply("command info get nope");
    assert(
      described.startsWith("*2\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n"),
    );
    assert(described.endsWith("$-1\r\n"));
    assert.match(await reply("command docs get"), /summary\r\n\$\d+\r\nThe value of a key\r\n/);
  });
});

describe("values", () => {
  it("are set, read, measured and deleted", async () => {
    assert.equal(await reply("set one 111"), "+OK\r\n");
    assert.equal(await reply("get one"), "$3\r\n111\r\n");
    assert.equal(await reply("strlen one"), ":3\r\n");
    assert.equal(await reply("type one"), "+string\r\n");
    assert.equal(await reply("exists one one two"), ":2\r\n");
    assert.equal(await reply("dbsize"), ":1\r\n");
    assert.equal(await reply("del one two"), ":1\r\n");
    assert.equal(await reply("get one"), "$-1\r\n");
    assert.equal(await reply("type one"), "+none\r\n");
    assert.equal(await reply("strlen one"), ":0\r\n");
  });

  it("are set and read many at once", async () => {
    assert.equal(await reply("mset a 1 b 2"), "+OK\r\n");
    assert.equal(await reply("mget a nope b"), "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n");
    assert.equal(await reply("mset a 1 b"), "-ERR wrong number of arguments for 'mset' command\r\n");
    assert.equal(await reply("unlink a b"), ":2\r\n");
  });

  it("are set all or none", async () => {
    const tooLong = "v".repeat(1_048_577);
    assert.equal(
      encode(await execute(["mset", "a", "1", "b", tooLong], context), 2),
      "-ERR value must have at most 1048576 bytes\r\n",
    );
    assert.equal(keyspace.size, 0);
  });

  it("say what bound a key broke", async () => {
    assert.equal(
      encode(await execute(["set", "", "v"], context), 2),
      "-ERR key must have 1 to 1024 bytes\r\n",
    );
  });

  it("are set under conditions", async () => {
    assert.equal(await reply("set k 1 xx"), "$-1\r\n");
    assert.equal(await reply("set k 1 nx"), "+OK\r\n");
    assert.equal(await reply("set k 2 nx"), "$-1\r\n");
    assert.equal(await reply("set k 3 xx get"), "$1\r\n1\r\n");
    assert.equal(await reply("set k 4 nx get"), "$1\r\n3\r\n");
    assert.equal(await reply("get k"), "$1\r\n3\r\n");
    assert.equal(await reply("set new 1 get"), "$-1\r\n");
  });

  it("expire by the corrected clock", async () => {
    await reply("set s 1 ex 10");
    await reply("set p 1 px 1500");
    await reply(`set at 1 exat ${keyspace.wallMs / 1000 + 5}`);
    await reply("set kept 1 px 1000");
    await reply("set kept 2 keepttl");
    await reply("set dropped 1 px 1000");
    await reply("set dropped 2");
    assert.equal(await reply("pttl s"), ":10000\r\n");
    assert.equal(await reply("ttl p"), ":2\r\n");
    assert.equal(await reply("pttl at"), ":5000\r\n");
    assert.equal(await reply("pttl kept"), ":1000\r\n");
    assert.equal(await reply("pttl dropped"), ":-1\r\n");
    assert.equal(await reply("ttl nope"), ":-2\r\n");
    keyspace.wallMs += 1500;
    assert.equal(await reply("exists s p kept dropped"), ":2\r\n");
    assert.equal(await reply("pttl p"), ":-2\r\n");
  });

  for (const [line, message] of [
    ["set k v foo", "ERR syntax error"],
    ["set k v nx xx", "ERR syntax error"],
    ["set k v ex", "ERR syntax error"],
    ["set k v ex 1 px 1", "ERR syntax error"],
    ["set k v ex 1 keepttl", "ERR syntax error"],
    ["set k v ifversion x", "ERR syntax error"],
    ["set k v ex 0", "ERR invalid expire time in 'set' command"],
    ["set k v px -1", "ERR invalid expire time in 'set' command"],
    ["set k v ex 9223372036854776", "ERR invalid expire time in 'set' command"],
    ["set k v px 9223372036854775807", "ERR invalid expire time in 'set' command"],
    ["set k v ex 1.5", "ERR value is not an integer or out of range"],
    ["set k v ex 99999999999999999999", "ERR value is not an integer or out of range"],
    ["ping a b", "ERR wrong number of arguments for 'ping' command"],
    ["scan x", "ERR invalid cursor"],
    ["scan 0 match", "ERR syntax error"],
    ["scan 0 count 0", "ERR syntax error"],
    ["scan 0 foo bar", "ERR syntax error"],
    ["select 1", "ERR DB index is out of range"],
    ["select a", "ERR value is not an integer or out of range"],
    ["hello 4", "NOPROTO unsupported protocol version"],
    ["hello x", "ERR Protocol version is not an integer or out of range"],
    ["hello 2 foo", "ERR Syntax error in HELLO option 'foo'"],
    ["lankv.wait -1 0 0", "ERR value is out of range, must be positive"],
    ["lankv.wait 0 0 -1", "ERR timeout is negative"],
    ["lankv.wait 0 0 86400001", "ERR timeout is out of range: at most a day"],
    ["lankv.wait 2 1 1", "LANKV_TIMEOUT Not ready after 1 ms: alone."],
  ] as const) {
    it(`"${line}" is refused`, async () => {
      assert.equal(await reply(line), `-${message}\r\n`);
      assert.equal(keyspace.size, 0);
    });
  }
});

describe("walks", () => {
  beforeEach(() => {
    for (let index = 0; index < 500; index += 1) keyspace.set(`key/${index}`, "v");
    keyspace.set("other", "v");
  });

  it("SCAN meets every key once, and ends with cursor 0", async () => {
    const met: unknown[] = [];
    let cursor: unknown = "0";
    let steps = 0;
    do {
      const scanned = await execute(["scan", String(cursor), "count", "100"], context);
      assert(Array.isArray(scanned));
      const keys: unknown = scanned[1];
      assert(Array.isArray(keys));
      for (const key of keys) met.push(key);
      cursor = scanned[0];
      steps += 1;
    } while (cursor !== "0");
    assert.equal(new Set(met).size, 501);
    assert.equal(met.length, 501);
    assert(steps >= 5);
  });

  it("SCAN and KEYS take patterns", async () => {
    assert.equal(await reply("scan 0 match ot* count 1000"), "*2\r\n$1\r\n0\r\n*1\r\n$5\r\nother\r\n");
    assert.equal(await reply("scan 0 type list count 1000"), "*2\r\n$1\r\n0\r\n*0\r\n");
    assert.equal(await reply("scan 70000"), "*2\r\n$1\r\n0\r\n*0\r\n");
    assert.equal(await reply("keys ?ther"), "*1\r\n$5\r\nother\r\n");
    assert(Array.isArray(await execute(["keys", "*"], context)));
  });

  it("LANKV.LS sorts by bytes", async () => {
    assert.equal(
      await reply("lankv.ls key/10 3"),
      "*3\r\n$6\r\nkey/10\r\n$7\r\nkey/100\r\n$7\r\nkey/101\r\n",
    );
  });

  it("LANKV.CLEAR deletes what starts so", async () => {
    assert.equal(await reply("lankv.clear key/"), ":500\r\n");
    assert.equal(await reply("lankv.ls"), "*1\r\n$5\r\nother\r\n");
  });
});

describe("the connection", () => {
  it("answers PING, ECHO, HELLO and SELECT", async () => {
    assert.equal(await reply("ping hi"), "$2\r\nhi\r\n");
    assert.equal(await reply("echo hi"), "$2\r\nhi\r\n");
    assert.equal(await reply("select 0"), "+OK\r\n");
    assert.match(await reply("hello 2 setname me"), /^\*14\r\n\$6\r\nserver\r\n\$5\r\nlankv\r\n/);
    assert.equal(await reply("client getname"), "$2\r\nme\r\n");
  });

  it("has a name without blanks", async () => {
    assert.equal(await reply("client getname"), "$-1\r\n");
    assert.equal(await reply("client setname me"), "+OK\r\n");
    assert.equal(
      encode(await execute(["client", "setname", "a b"], context), 2),
      "-ERR Client names cannot contain spaces, newlines or special characters.\r\n",
    );
    assert.equal(await reply("client setinfo lib-name x"), "+OK\r\n");
    assert.equal(await reply("client setinfo foo x"), "-ERR Unrecognized option 'foo'\r\n");
  });

  it("ends with QUIT", async () => {
    assert.equal(await reply("quit"), "+OK\r\n");
    assert(context.client.isClosed);
  });
});

describe("the server", () => {
  it("tells about itself", async () => {
    assert.equal(await reply("time"), "*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n");
    const info = Buffer.from(await reply("info"), "latin1").toString();
    assert.match(info, /lankv_version:0\.1\.0\r\n/);
    assert.match(info, /node_name:küche\r\n/);
    assert.match(info, /connected_clients:1\r\n/);
    assert.doesNotMatch(await reply("info clients"), /lankv_version/);
  });

  it("stops with SHUTDOWN", async () => {
    assert.equal(await reply("shutdown"), "+OK\r\n");
    assert.equal(keyspace.stops, 1);
  });
});

describe("the LANKV commands", () => {
  it("show the node as JSON", async () => {
    assert.deepEqual(json(await execute(["lankv.status"], context)), keyspace.status());
    assert.deepEqual(json(await execute(["lankv.peers"], context)), [{ name: "attic" }]);
  });

  it("show records, binary-safe", async () => {
    const record = keyspace.set("k\xff", "\x00\xfe", 1_800_000_000_000);
    assert.deepEqual(json(await execute(["lankv.entry", "k\xff"], context)), {
      keyBase64: "a/8=",
      valueBase64: "AP4=",
      version: versionToText(record),
      origin: record.writer,
      updatedAt: 1_700_000_000_000,
      expiresAt: 1_800_000_000_000,
    });
    keyspace.set("t", "\xc3\xbc");
    assert.match(
      JSON.stringify(json(await text("lankv.entry t"))),
      /^{"key":"t","value":"ü",.*"expiresAt":null}$/,
    );
    assert.equal(await reply("lankv.entry nope"), "$-1\r\n");
  });

  it("show records without their values", async () => {
    const record = keyspace.set("k", "\xc3\xbc");
    assert.deepEqual(json(await execute(["lankv.meta", "k"], context)), {
      key: "k",
      version: versionToText(record),
      origin: record.writer,
      updatedAt: 1_700_000_000_000,
      expiresAt: null,
      bytes: 2,
    });
    assert.equal(await reply("lankv.meta nope"), "$-1\r\n");
  });

  it("show nothing that a terminal would obey", async () => {
    keyspace.set("\x1b[2J\x7f\xc2\x9b", "v");
    const shown = await execute(["lankv.entry", "\x1b[2J\x7f\xc2\x9b"], context);
    assert(typeof shown === "string");
    assert.match(shown, /^\{"key":"\\u001b\[2J\\u007f\\u009b",/);
  });

  it("show conflicts, deletions among them", async () => {
    const loser = keyspace.set("k", "lost");
    const winner = { ...loser, kind: "tombstone", value: "" } as const;
    keyspace.lost.push({ winner, loser, foundAtMs: 5 });
    assert.match(
      await text("lankv.conflicts"),
      /^\[\{"key":"k","foundAt":5,"winner":\{"key":"k","deleted":true,.*"value":"lost"/,
    );
  });

  it("ask the peers for a missing key, when given the time", async () => {
    keyspace.elsewhere.set("far", "away");
    assert.equal(await reply("lankv.get far 0"), "$-1\r\n");
    assert.equal(await reply("lankv.get far 100"), "$4\r\naway\r\n");
    assert.equal(await reply("lankv.get nowhere 100"), "$-1\r\n");
  });

  it("refuse a key outside its bounds", async () => {
    for (const key of ["", "k".repeat(1025)]) {
      for (const command of ["lankv.get", "lankv.entry", "lankv.meta"]) {
        assert.equal(
          encode(await execute([command, key, "100"], context), 2),
          "-ERR key must have 1 to 1024 bytes\r\n",
        );
      }
    }
  });

  it("write under the condition of a version", async () => {
    const first = await text("lankv.set k 1");
    assert.match(first, /^[0-9a-f]{14}-[0-9a-f]{16}$/);
    const second = await text(`lankv.set k 2 ifversion ${first}`);
    assert(second > first);
    assert.equal(await reply(`lankv.set k 3 ifversion ${first}`), "$-1\r\n");
    assert.equal(await reply(`lankv.set nope 3 ifversion ${first}`), "$-1\r\n");
    assert.equal(await reply("get k"), "$1\r\n2\r\n");
    assert.equal(await reply("exists nope"), ":0\r\n");
  });

  it("wait for the node", async () => {
    assert.equal(await reply("lankv.wait 0 1 100"), "+OK\r\n");
  });
});

function json(reply: unknown): unknown {
  assert(typeof reply === "string");
  return JSON.parse(Buffer.from(reply, "latin1").toString());
}
