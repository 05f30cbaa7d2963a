import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { RespHost, type Peer } from "./resp-host.js";

const MIB = 1_048_576;

let host: RespHost;
let greedy: Peer;
let modest: Peer;

beforeEach(async () => {
  host = await RespHost.start({ requestBytesMax: MIB });
  [greedy, modest] = [await host.client(), await host.client()];
});

afterEach(() => host.close());

describe("a client that sends much at once", () => {
  const SENT = 40;
  let reads: number;

  beforeEach(() => {
    host.keyspace.set("a", "ab".repeat(400));
    host.keyspace.set("b", "ba".repeat(400));
    reads = 0;
    const get = host.keyspace.get.bind(host.keyspace);
    host.keyspace.get = (key) => {
      reads += 1;
      return get(key);
    };
  });

  it("gives way to the others, and gets its replies whole and in order", async () => {
    greedy.send(...Array.from({ length: SENT }, (_, at) => `lcs a b len\r\necho ${at}`));
    while (reads === 0) await setImmediate();
    assert.equal(await modest.ask("ping"), "+PONG\r\n");
    assert(reads < 2 * SENT, "everything was carried out in one turn");
    const expected = Array.from(
      { length: SENT },
      (_, at) => `:799\r\n$${String(at).length}\r\n${at}\r\n`,
    ).join("");
    assert.equal(await greedy.until(`$2\r\n${SENT - 1}\r\n`), expected);
  });

  it("does not give way in the middle of a transaction", async () => {
    greedy.send("multi", ...Array.from({ length: SENT }, () => "lcs a b len"), "exec");
    while (reads === 0) await setImmediate();
    assert.equal(reads, 2 * SENT);
  });

  it("has all of it carried out, also when it says that there is no more", async () => {
    greedy.send(...Array.from({ length: SENT }, () => "lcs a b len"), "set end 1");
    greedy.socket.end();
    await greedy.all();
    assert.equal(await modest.ask("get end"), "$1\r\n1\r\n");
  });

  it("is not asked for more while it waits for its turn", async () => {
    greedy.send(...Array.from({ length: SENT }, () => "lcs a b len"));
    greedy.socket.write("set k x\r\n".repeat(400_000));
    const held = Number(/qbuf=(\d+)/.exec(await modest.ask("client list"))?.[1]);
    assert(held < MIB, `${held} bytes`);
    assert.equal(await greedy.ask("dbsize").then((text) => text.slice(-4)), ":3\r\n");
  });
});

describe("a client that writes while saving is behind", () => {
  it("goes on when it has caught up, and others read meanwhile", async () => {
    greedy.send("set k 0");
    await greedy.until("+OK\r\n");
    host.keyspace.isBehind = true;
    greedy.send("get k", "set k 1", "set k 2", "get k");
    await greedy.until("+OK\r\n");
    assert.equal(await modest.ask("get k", "get k"), "$1\r\n1\r\n$1\r\n1\r\n");
    greedy.send("set k 3");
    assert.equal(await modest.ask("get k"), "$1\r\n1\r\n");
    host.keyspace.catchUp();
    assert.equal(await greedy.until("+OK\r\n$1\r\n2\r\n+OK\r\n"), "+OK\r\n$1\r\n2\r\n+OK\r\n");
  });

  it("is forgotten when it goes", async () => {
    host.keyspace.isBehind = true;
    greedy.send("multi", "set k 1", "exec", "set k 2");
    while (host.keyspace.resting.size === 0) await setImmediate();
    greedy.socket.destroy();
    while (host.keyspace.resting.size > 0) await setImmediate();
    assert.notEqual(await modest.ask("get k"), "$1\r\n2\r\n");
  });
});

describe("a client that waits for what may never come", () => {
  beforeEach(() => {
    host.keyspace.onReady = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve();
        });
      });
  });

  it("is seen to leave, whatever it has sent behind", async () => {
    greedy.send("lankv.wait 1 0 0", ...Array.from({ length: 6_000 }, () => "ping"));
    greedy.socket.end();
    await greedy.all();
    assert.doesNotMatch(await modest.ask("client list"), /cmd=lankv.wait/);
  });

  it("is cut off when it goes on sending", async () => {
    greedy.send("lankv.wait 1 0 0");
    greedy.socket.write("x".repeat(2 * MIB));
    await greedy.all();
    assert.equal(await modest.ask("ping"), "+PONG\r\n");
  });
});
