import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { RespHost, type Peer } from "./resp-host.js";

let host: RespHost;
let client: Peer;

beforeEach(async () => {
  host = await RespHost.start();
  client = await host.client();
});

afterEach(() => host.close());

describe("CLIENT", () => {
  it("shows connections, a line each", async () => {
    const other = await host.client("tcp");
    await other.ask("client setname other", "client setinfo lib-name ioredis", "client setinfo LIB-VER 5");
    other.send("multi", "ping");
    await other.until("+QUEUED\r\n");
    const list = await client.ask("client list");
    assert.match(
      list,
      /^\$\d+\r\nid=1 addr=\/.*:0 laddr=\/.*:0 name= age=0 idle=0 flags=U db=0 sub=0 psub=0 multi=-1 .* cmd=client\|list user=default lib-name= lib-ver= resp=2\nid=2 addr=127\.0\.0\.1:\d+ laddr=127\.0\.0\.1:\d+ name=other .* flags=x .* multi=1 .* lib-name=ioredis lib-ver=5 resp=2\n\r\n$/,
    );
    assert.match(await client.ask("client list id 2 9 x"), /^-ERR Invalid client ID/);
    assert.match(await client.ask("client list id 2 9"), /^\$\d+\r\nid=2 .*\n\r\n$/);
    assert.equal(
      await client.ask("client list type pubsub", "client list type replica"),
      "$0\r\n\r\n".repeat(2),
    );
    assert.match(await client.ask("client list type frog"), /^-ERR Unknown client type 'frog'/);
    assert.match(await client.ask("hello 3", "client info"), /=\d+\r\ntxt:id=1 .* resp=3\n\r\n$/);
  });

  it("ends connections, by their addresses or by what they are", async () => {
    const [a, b, c] = [await host.client("tcp"), await host.client("tcp"), await host.client()];
    const address = /addr=(\S+)/.exec(await a.ask("client info"))?.[1] ?? "";
    assert.equal(await client.ask(`client kill ${address}`), "+OK\r\n");
    await a.all();
    assert.equal(await client.ask(`client kill ${address}`), "-ERR No such client\r\n");
    b.send("subscribe x");
    await b.until(":1\r\n");
    assert.equal(await client.ask("client kill type pubsub"), ":1\r\n");
    await b.all();
    assert.equal(await client.ask("client kill id 4 user default"), ":1\r\n");
    await c.all();
    assert.equal(await client.ask("client kill id 1"), ":0\r\n");
    client.send("client kill id 1 skipme no", "ping");
    assert.equal(await client.all(), ":1\r\n");
  });

  for (const [line, message] of [
    ["client kill id 0", "ERR client-id should be greater than 0"],
    ["client kill id x", "ERR client-id should be greater than 0"],
    ["client kill type x", "ERR Unknown client type 'x'"],
    ["client kill user bob", "ERR No such user 'bob'"],
    ["client kill skipme perhaps", "ERR syntax error"],
    ["client kill id 1 x", "ERR syntax error"],
    ["client kill x 1", "ERR syntax error"],
    ["client list x", "ERR syntax error"],
    ["client reply x", "ERR syntax error"],
    ["client no-evict on", "ERR unknown subcommand 'no-evict'. Try CLIENT HELP."],
    ["client frob", "ERR unknown subcommand 'frob'. Try CLIENT HELP."],
  ] as const) {
    it(`"${line}" is refused`, async () => {
      assert.equal(await client.ask(line), `-${message}\r\n`);
    });
  }

  it("turns replies off, on, and off for one command", async () => {
    assert.equal(await client.ask("client reply off", "ping", "get", "client reply on"), "+OK\r\n");
    assert.equal(await client.ask("client reply skip", "ping", "ping two"), "$3\r\ntwo\r\n");
    assert.equal(await client.ask("client reply skip", "client reply on", "ping"), "+OK\r\n+PONG\r\n");
  });

  it("tells what it can do", async () => {
    const help = await client.ask("client help");
    assert.match(
      help,
      /^\*\d+\r\n\+CLIENT <subcommand> \[<arg> \[value\] \[opt\] \.\.\.\]\. Subcommands are:\r\n\+ID\r\n/,
    );
    assert.match(help, /\+HELP\r\n\+ {4}.*\.\r\n$/);
  });
});

describe("HELLO", () => {
  it("changes the protocol, back and forth", async () => {
    assert.match(await client.ask("hello 3", "get k"), /^%7\r\n.*_\r\n$/s);
    assert.match(await client.ask("hello", "get k"), /^%7\r\n.*\$5\r\nproto\r\n:3\r\n.*_\r\n$/s);
    assert.match(await client.ask("hello 2", "get k"), /^\*14\r\n.*\$-1\r\n$/s);
  });

  it("changes nothing when it is refused", async () => {
    const refused = await client.ask("hello 3 setname a", "hello 2 auth bob x", "hello 2 setname", "get k");
    assert.match(refused, /-WRONGPASS .*-ERR Syntax error in HELLO option 'setname'\r\n_\r\n$/s);
  });

  it("is undone by RESET", async () => {
    assert.match(await client.ask("hello 3 setname me", "reset", "client getname"), /\+RESET\r\n\$-1\r\n$/);
  });
});

describe("CONFIG", () => {
  it("tells what tools ask for, by patterns", async () => {
    assert.equal(
      await client.ask("config get save", "config get appendonly"),
      "*2\r\n$4\r\nsave\r\n$0\r\n\r\n*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n",
    );
    assert.equal(await client.ask("config get nope"), "*0\r\n");
    const both = await client.ask("hello 3", "config get MAXC* databases maxclients");
    assert.match(both, /%2\r\n\$9\r\ndatabases\r\n\$1\r\n1\r\n\$10\r\nmaxclients\r\n\$4\r\n1000\r\n$/);
  });

  it("sets bounds and events, all or none", async () => {
    assert.equal(await client.ask("config set timeout 7 proto-max-bulk-len 2mb"), "+OK\r\n");
    assert.match(await client.ask("config get timeout proto*"), /\$1\r\n7\r\n.*\$7\r\n2097152\r\n/s);
    assert.match(await client.ask("config set timeout 8 maxclients 0"), /^-ERR CONFIG SET failed/);
    assert.match(await client.ask("config get timeout"), /\$1\r\n7\r\n/);
    assert.equal(await client.ask("config set client-output-buffer-limit 'pubsub 2mb 0 0'"), "+OK\r\n");
    assert.match(
      await client.ask("config get client-output*"),
      /normal 0 0 0 slave 0 0 0 pubsub 2097152 0 0/,
    );
    assert.equal(await client.ask("config set notify-keyspace-events Ex"), "+OK\r\n");
    assert.match(await client.ask("config get notify*"), /\$2\r\nxE\r\n/);
    assert.equal(await client.ask('config set save "" databases 1'), "+OK\r\n");
  });

  for (const [line, message] of [
    ["config set foo 1", "ERR Unknown option or number of arguments for CONFIG SET - 'foo'"],
    ["config set timeout 1 timeout", "ERR syntax error"],
    ["config set timeout x", failed("timeout", "argument couldn't be parsed into an integer")],
    ["config set timeout 1 timeout 2", failed("timeout", "duplicate parameter")],
    ["config set maxclients 0", failed("maxclients", "argument must be between 1 and 65535 inclusive")],
    ["config set proto-max-bulk-len x", failed("proto-max-bulk-len", "argument must be a memory value")],
    ["config set databases 2", failed("databases", "can't set immutable config")],
    [
      "config set notify-keyspace-events q",
      failed("notify-keyspace-events", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
    ],
  ] as const) {
    it(`"${line}" is refused`, async () => {
      assert.equal(await client.ask(line), `-${message}\r\n`);
    });
  }
});

function failed(parameter: string, reason: string): string {
  return `ERR CONFIG SET failed (possibly related to argument '${parameter}') - ${reason}`;
}

describe("WAIT", () => {
  it("tells how many nodes have confirmed", async () => {
    host.keyspace.confirmations = 2;
    assert.equal(await client.ask("wait 1 0"), ":2\r\n");
    assert.equal(
      await client.ask("wait x 0", "wait 1 x", "wait 1 -1"),
      "-ERR value is not an integer or out of range\r\n-ERR timeout is not an integer or out of range\r\n" +
        "-ERR timeout is negative\r\n",
    );
  });
});
