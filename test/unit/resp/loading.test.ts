/** What is served while the keys on disk are not all here, and while nothing can be saved. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { LankvError } from "../../../src/core/error.js";
import { commandTable } from "../../../src/resp/table.js";
import { RespHost, type Peer } from "./resp-host.js";

const LOADING = "-LOADING lankv is loading the keys from disk\r\n";

let host: RespHost;
let client: Peer;

beforeEach(async () => {
  host = await RespHost.start();
  client = await host.client();
});

afterEach(() => host.close());

describe("while keys are loaded", () => {
  beforeEach(() => {
    host.keyspace.isLoading = true;
  });

  it("no key is read or written", async () => {
    for (const line of ["get k", "set k v", "ping", "dbsize", "keys *", "lankv.get k 0", "lankv.ls"]) {
      assert.equal(await client.ask(line), LOADING, line);
    }
    assert.equal(host.keyspace.size, 0);
  });

  it("a transaction is spoilt by it", async () => {
    assert.equal(
      await client.ask("multi", "set k v", "exec"),
      `+OK\r\n${LOADING}-EXECABORT Transaction discarded because of previous errors.\r\n`,
    );
  });

  it("the server tells of itself", async () => {
    assert.match(
      await client.ask("info persistence"),
      /loading:1\r\n[^]*loading_total_bytes:1000\r\nloading_loaded_bytes:250\r\nloading_loaded_perc:25\.00\r\n/,
    );
    assert.match(await client.ask("lankv.status"), /"share":0\.25/);
    assert.equal(await client.ask("publish c m", "lankv.wait 0 0 1000"), ":0\r\n+OK\r\n");
  });

  it("no command is served that reads or writes keys", () => {
    for (const { name, flags, keys } of commandTable.values()) {
      if (!flags.includes("loading")) continue;
      assert(!flags.includes("write"), name);
      assert(keys === undefined || name === "watch", name);
    }
  });
});

describe("while nothing can be saved", () => {
  const full = new LankvError("LANKV_DISK", "This node refuses writes: the disk is full.");
  const refused = `-MISCONF ${full.message}\r\n`;

  it("writes are refused, also those that would change nothing, and reads are not", async () => {
    await client.ask("set k v");
    host.keyspace.refusal = full;
    assert.equal(await client.ask("set k w", "del none", "flushall"), refused.repeat(3));
    assert.equal(await client.ask("get k", "ping"), "$1\r\nv\r\n+PONG\r\n");
  });

  it("a transaction that writes is not carried out at all", async () => {
    client.send("multi", "set a 1", "set b 2");
    await client.until("+QUEUED\r\n+QUEUED\r\n");
    host.keyspace.refusal = full;
    assert.equal(
      await client.ask("exec"),
      `-EXECABORT Transaction discarded because of: MISCONF ${full.message}\r\n`,
    );
    assert.equal(await client.ask("multi", "get a", "exec"), "+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n");
  });
});

describe("what is on disk", () => {
  it("is shown as Redis shows its append-only file", async () => {
    host.keyspace.storage = { fsync: "always", bytes: 1_234, unsaved: 5, failing: null };
    assert.match(
      await client.ask("info persistence"),
      /loading:0\r\n[^]*aof_enabled:1\r\naof_last_write_status:ok\r\naof_current_size:1234\r\n/,
    );
    host.keyspace.storage = { ...host.keyspace.storage, failing: "the disk is full" };
    assert.match(await client.ask("info persistence"), /aof_last_write_status:err/);
    host.keyspace.storage = null;
    assert.doesNotMatch(await client.ask("info persistence"), /aof_last|loading_/);
  });

  it("is copied, for whom may ask for it", async () => {
    const backup = "lankv.backup /var/backups/lankv";
    assert.equal(await client.ask(backup), "+OK\r\n");
    assert.equal(await client.ask("lankv.backup here"), "-ERR the directory must be an absolute path\r\n");
    const stranger = await host.client("tcp");
    assert.match(await stranger.ask(backup), /^-ERR LANKV.BACKUP is for clients of the unix socket, /);
    assert.deepEqual(host.keyspace.backups, ["/var/backups/lankv"]);
  });
});
