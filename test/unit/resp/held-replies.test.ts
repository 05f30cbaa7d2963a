/** Replies to writes that may leave only when what they acknowledge is durable. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { LankvError } from "../../../src/core/error.js";
import { until } from "../net/loopback.js";
import { FakeDisk } from "./fake-disk.js";
import { RespHost, type Peer } from "./resp-host.js";

const FULL = new LankvError("LANKV_DISK", "Written in memory, but not on disk: the disk is full.");

let host: RespHost;
let disk: FakeDisk;
let client: Peer;

beforeEach(async () => {
  host = await RespHost.start();
  disk = new FakeDisk();
  host.keyspace.durability = disk;
  client = await host.client();
});

afterEach(() => host.close());

/** What was to leave has left when another client has been answered so often. */
async function turns(): Promise<void> {
  const other = await host.client();
  for (let turn = 0; turn < 3; turn += 1) await other.ask("ping");
}

describe("where every write waits for the disk", () => {
  it("a reply leaves when its write is durable, and not before", async () => {
    client.send("set k v");
    await until("it is carried out", () => host.keyspace.get("k") !== undefined);
    await turns();
    assert.equal(client.received, "");
    disk.sync();
    assert.equal(await client.until("\r\n"), "+OK\r\n");
  });

  it("a read leaves at once, unless it is behind a write", async () => {
    assert.equal(await client.ask("get k"), "$-1\r\n");
    client.send("set k 1", "get k", "set k 2", "get k", "strlen none", "incr n");
    await until("all are carried out", () => disk.writes === 3);
    await turns();
    assert.equal(client.received, "");
    disk.sync();
    assert.equal(await client.until(":1\r\n"), "+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n:0\r\n:1\r\n");
  });

  it("a write of a key that waits already waits with it", async () => {
    const second = await host.client();
    client.send("set k 1");
    await until("it is carried out", () => disk.writes === 1);
    second.send("set k 2");
    await until("it is carried out", () => disk.writes === 2);
    await turns();
    assert.deepEqual([disk.ticket, client.received, second.received], [1, "", ""]);
    disk.sync();
    assert.deepEqual([await client.until("\r\n"), await second.until("\r\n")], ["+OK\r\n", "+OK\r\n"]);
  });

  it("what is written while the disk works waits for the next time", async () => {
    client.send("set a 1");
    await until("it is carried out", () => disk.writes === 1);
    const { ticket } = disk;
    client.send("set b 2", "get b");
    await until("it is carried out", () => disk.writes === 2);
    disk.syncUpTo(ticket);
    assert.equal(await client.until("\r\n"), "+OK\r\n");
    await turns();
    assert.equal(client.received, "");
    disk.sync();
    assert.equal(await client.until("2\r\n"), "+OK\r\n$1\r\n2\r\n");
  });

  it("one sync serves all clients", async () => {
    const clients = await Promise.all(Array.from({ length: 50 }, () => host.client()));
    clients.forEach((each, index) => each.send(`set k${index} v`, `append k${index} w`));
    await until("all are carried out", () => disk.writes === 100);
    await turns();
    assert(clients.every(({ received }) => received === ""));
    disk.sync();
    for (const each of clients) assert.equal(await each.until(":2\r\n"), "+OK\r\n:2\r\n");
    assert.deepEqual([disk.syncs, disk.asked], [1, 50]);
  });

  it("a failure makes an error of each reply to a write, and of nothing else", async () => {
    client.send(
      "get k",
      "set k 1",
      "set k 2",
      "get k",
      "multi",
      "set a 1",
      "incr b",
      "exec",
      "del a",
      "echo .",
    );
    await until("all are carried out", () => disk.writes === 5);
    await turns();
    assert.equal(await client.until("\r\n"), "$-1\r\n");
    disk.fail(FULL);
    const error = `-MISCONF ${FULL.message}\r\n`;
    const queued = "+OK\r\n+QUEUED\r\n+QUEUED\r\n";
    assert.equal(
      await client.until("$1\r\n.\r\n"),
      `${error}${error}$1\r\n2\r\n${queued}${error}${error}$1\r\n.\r\n`,
    );
    client.send("set k 3");
    await until("it is carried out", () => disk.writes === 6);
    disk.sync();
    assert.equal(await client.until("\r\n"), "+OK\r\n");
  });

  it("a command that writes nothing has nothing to wait for", async () => {
    assert.equal(await client.ask("del none", "set none v xx"), ":0\r\n$-1\r\n");
    assert.equal(disk.writes, 0);
  });

  it("a walk that deletes waits as well", async () => {
    client.send("mset a 1 b 2", "flushall");
    await until("all are carried out", () => host.keyspace.size === 0 && disk.writes >= 4);
    await turns();
    assert.equal(client.received, "");
    disk.sync();
    assert.equal(await client.until("+OK\r\n+OK\r\n"), "+OK\r\n+OK\r\n");
  });

  it("a client that ends behind its writes gets their replies", async () => {
    client.send("set k v", "get k", "quit");
    await until("it is carried out", () => disk.writes === 1);
    await turns();
    disk.sync();
    assert.equal(await client.all(), "+OK\r\n$1\r\nv\r\n+OK\r\n");

    const half = await host.client();
    half.socket.end("set k w\r\n");
    await until("it is carried out", () => disk.writes === 2);
    await turns();
    disk.sync();
    assert.equal(await half.all(), "+OK\r\n");
  });

  it("nobody waits for a client that has gone", async () => {
    client.send("set k v");
    await until("it is carried out", () => disk.writes === 1);
    await turns();
    assert.equal(disk.waiting, 1);
    client.socket.destroy();
    const other = await host.client();
    await other.ask("client kill skipme yes");
    await until("nobody waits", () => disk.waiting === 0);
    disk.sync();
  });

  it("nothing is kept of what comes behind the end", async () => {
    client.send("set k v", "quit");
    await until("it is carried out", () => disk.writes === 1);
    const other = await host.client();
    await new Promise((resolve) => client.socket.write("x".repeat(8 * 1_048_576), resolve));
    const kept = Number(/ qbuf=(\d+) [^\n]* cmd=quit /.exec(await other.ask("client list"))?.[1]);
    assert(kept < 100, `${kept} bytes`);
    disk.sync();
    assert.equal(await client.all(), "+OK\r\n+OK\r\n");
  });

  it("messages to others are not held up, and those to the writer keep their place", async () => {
    const listener = await host.client();
    await listener.ask("hello 3", "subscribe c");
    client.send("set k v", "subscribe c");
    await until("it is carried out", () => disk.writes === 1);
    const other = await host.client();
    await other.ask("publish c hello");
    assert.match(await listener.until("hello\r\n"), /message/);
    await turns();
    assert.equal(client.received, "");
    disk.sync();
    assert.match(await client.until("hello\r\n"), /^\+OK\r\n[^]*\r\nsubscribe\r\n[^]*\r\nmessage\r\n/);
  });

  it("what follows writes that are not answered waits for them", async () => {
    client.send("client reply off", "set a 1", "set b 2", "client reply on", "get a");
    await until("it is carried out", () => disk.writes === 2);
    await turns();
    assert.equal(client.received, "");
    disk.syncUpTo(1);
    await turns();
    assert.equal(client.received, "");
    disk.sync();
    assert.equal(await client.until("1\r\n"), "+OK\r\n$1\r\n1\r\n");

    client.send("client reply skip", "set c 3", "ping");
    await until("it is carried out", () => disk.writes === 3);
    await turns();
    assert.equal(client.received, "");
    disk.sync();
    assert.equal(await client.until("\r\n"), "+PONG\r\n");

    client.send("client reply off", "set d 4", "quit");
    await until("it is carried out", () => disk.writes === 4);
    await turns();
    assert.equal(client.isClosed, false);
    disk.sync();
    assert.equal(await client.all(), "");
  });

  it("what is not answered is not told to have failed, and costs nothing however much it is", async () => {
    client.send(
      "client reply off",
      ...Array.from({ length: 5_000 }, (_, at) => `set ${at} v`),
      "client reply on",
    );
    await until("all is carried out", () => disk.writes === 5_000);
    await turns();
    assert.match(
      await (await host.client()).ask("client list type normal"),
      / omem=261 [^\n]* cmd=client\|reply /,
    );
    disk.fail(FULL);
    assert.equal(await client.until("\r\n"), "+OK\r\n");
  });

  it("a client whose replies wait is bounded, and goes on when the disk does", async () => {
    client.send(`set k ${"v".repeat(60_000)}`);
    for (let request = 0; request < 200; request += 1) client.send("incr n", "get k");
    await until("much is carried out", () => disk.writes > 15);
    await turns();
    assert(disk.writes < 30, `the replies to ${disk.writes} writes are held`);
    const syncs = setInterval(() => disk.sync(), 1);
    try {
      await until("all are carried out", () => disk.writes === 201);
      await client.ask("ping");
    } finally {
      clearInterval(syncs);
    }
    assert.equal(host.keyspace.get("n")?.value, "200");
  });

  it("and so are the errors that a failure makes of short replies", async () => {
    client.send(...Array.from({ length: 20_000 }, () => "set k v"));
    await until("much is carried out", () => disk.writes > 1_000);
    await turns();
    const held = disk.writes;
    assert(held < 5_000, `the replies to ${held} writes are held`);
    disk.fail(FULL);
    await until("as many follow", () => disk.writes >= 2 * held);
    await turns();
    assert.equal(disk.writes, 2 * held);
  });
});

describe("a client that is silent while it waits for the disk", () => {
  it("is left alone until it has its reply, in the middle of a request as well", async () => {
    const impatient = await RespHost.start({ idleSecondsMax: 1, stallSecondsMax: 1 });
    try {
      const slow = new FakeDisk();
      impatient.keyspace.durability = slow;
      const [whole, half, done] = [
        await impatient.client(),
        await impatient.client(),
        await impatient.client(),
      ];
      whole.send("set a 1");
      half.socket.write("set b 2\r\nset c");
      done.socket.end("set d 4\r\n");
      await until("all is carried out", () => slow.writes === 3);
      const [silent, stalled] = [await impatient.client(), await impatient.client()];
      stalled.socket.write("set e");
      assert.deepEqual([await silent.all(), await stalled.all(), await done.all()], ["", "", ""]);
      slow.sync();
      assert.deepEqual([await whole.all(), await half.all()], ["+OK\r\n", "+OK\r\n"]);
    } finally {
      await impatient.close();
    }
  });
});
