import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { RespServer } from "../../../src/resp/server.js";
import { MemoryKeyspace } from "./memory-keyspace.js";

/** An error that cannot even be put into words. */
class Unspeakable extends Error {
  override toString(): string {
    throw this;
  }
}

let directory: string;
let listener: Server;
let server: RespServer;
let keyspace: MemoryKeyspace;
let clients: Socket[];

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "lankv-resp-"));
  keyspace = new MemoryKeyspace();
  clients = [];
  server = new RespServer(keyspace, { clientsMax: 3 });
  listener = createServer((socket) => server.accept(socket));
  listener.listen(path.join(directory, "s"));
  await once(listener, "listening");
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  server.close();
  await new Promise((resolve) => listener.close(resolve));
  rmSync(directory, { recursive: true });
});

async function client(): Promise<Socket> {
  const socket = connect(path.join(directory, "s"));
  socket.setEncoding("latin1");
  clients.push(socket);
  await once(socket, "connect");
  return socket;
}

/** What comes until it ends so. */
async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = "";
  while (!text.endsWith(end)) text += String((await once(socket, "data"))[0]);
  return text;
}

/** All that comes until the server ends the connection. */
async function readAll(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => (text += String(chunk)));
  await once(socket, "close");
  return text;
}

describe("a session", () => {
  it("answers in order, also behind a command that waits", async () => {
    const socket = await client();
    let release = (): void => undefined;
    keyspace.onReady = () => new Promise((resolve) => (release = resolve));
    socket.write("set k 1\r\nlankv.wait 0 0 1000\r\nget k\r\n");
    assert.equal(await readUntil(socket, "\r\n"), "+OK\r\n");
    release();
    assert.equal(await readUntil(socket, "1\r\n"), "+OK\r\n$1\r\n1\r\n");
  });

  it("does not hold up another session", async () => {
    const [waiting, other] = [await client(), await client()];
    keyspace.onReady = () => new Promise(() => undefined);
    waiting.write("lankv.wait 0 0 1000\r\n");
    other.write("ping\r\n");
    assert.equal(await readUntil(other, "\r\n"), "+PONG\r\n");
  });

  it("tells who waits on its behalf when its client leaves", async () => {
    const socket = await client();
    const aborted = new Promise<void>((resolve) => {
      keyspace.onReady = ({ signal }) => {
        signal.addEventListener("abort", () => resolve());
        socket.destroy();
        return new Promise(() => undefined);
      };
    });
    socket.write("lankv.wait 0 0 1000\r\n");
    await aborted;
  });

  it("answers a long pipeline whole", async () => {
    const socket = await client();
    const count = 20_000;
    socket.write("set k v\r\n".repeat(count));
    socket.write("quit\r\n");
    assert.equal(await readAll(socket), "+OK\r\n".repeat(count + 1));
  });

  it("carries out no more than a client reads", async () => {
    const socket = await client();
    let reads = 0;
    const value = keyspace.set("big", "x".repeat(1_000_000));
    keyspace.get = () => {
      reads += 1;
      return value;
    };
    socket.pause();
    const count = 200;
    socket.write("get big\r\n".repeat(count));
    const other = await client();
    // The server has seen the pipeline when it has answered what came after it.
    for (let turn = 0; turn < 20; turn += 1) {
      other.write("ping\r\n");
      await readUntil(other, "\r\n");
    }
    assert(reads < 10, `${reads} replies of 1 MB are held for a client that reads none`);
    let bytes = 0;
    socket.on("data", (chunk) => (bytes += chunk.length));
    socket.resume();
    socket.write("quit\r\n");
    await once(socket, "close");
    assert.equal(reads, count);
    assert.equal(bytes, count * "$1000000\r\n\r\n".length + count * 1_000_000 + "+OK\r\n".length);
  });

  it("tells what is wrong with the protocol, after the replies that came before, and ends", async () => {
    const socket = await client();
    socket.write("ping\r\n*1\r\n$x\r\nping\r\n");
    assert.equal(await readAll(socket), "+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
  });

  it("refuses a reply that is too long, and goes on", async () => {
    const socket = await client();
    keyspace.set("k", "v".repeat(1_048_576));
    socket.write(`mget${" k".repeat(600)}\r\n`);
    assert.equal(await readUntil(socket, "\r\n"), "-ERR reply is larger than 268435456 bytes\r\n");
    socket.write("ping\r\n");
    assert.equal(await readUntil(socket, "\r\n"), "+PONG\r\n");
  });

  it("ends alone when it fails, at once or after a wait", async () => {
    const [sync, waiting, other] = [await client(), await client(), await client()];
    keyspace.get = () => {
      throw new Unspeakable();
    };
    keyspace.onReady = async () => {
      throw new Unspeakable();
    };
    sync.write("get k\r\n");
    assert.equal(await readAll(sync), "");
    waiting.write("lankv.wait 0 0 1000\r\n");
    assert.equal(await readAll(waiting), "");
    other.write("ping\r\n");
    assert.equal(await readUntil(other, "\r\n"), "+PONG\r\n");
  });

  it("does nothing that a browser asks for", async () => {
    const socket = await client();
    socket.write("POST / HTTP/1.1\r\nHost: localhost\r\n\r\nset k v\r\n");
    assert.equal(await readAll(socket), "");
    assert.equal(keyspace.size, 0);
    const other = await client();
    other.write("GET / HTTP/1.1\r\nHost: localhost\r\nset k v\r\n");
    await readAll(other);
    assert.equal(keyspace.size, 0);
  });
});

describe("the server", () => {
  it("refuses clients beyond its bound in words, and takes the next when one has left", async () => {
    const held = [await client(), await client(), await client()];
    for (const socket of held) {
      socket.write("ping\r\n");
      await readUntil(socket, "\r\n");
    }
    assert.equal(await readAll(await client()), "-ERR max number of clients reached\r\n");
    const left = held[0];
    left?.write("quit\r\n");
    if (left !== undefined) await readAll(left);
    let reply = "";
    while (reply !== "+PONG\r\n") {
      const next = await client();
      next.write("ping\r\n");
      reply = await readUntil(next, "\r\n");
    }
  });

  it("ends the connection of a refused client that stays and talks", async () => {
    const held = [await client(), await client(), await client()];
    for (const socket of held) {
      socket.write("ping\r\n");
      await readUntil(socket, "\r\n");
    }
    const refused = connect({ path: path.join(directory, "s"), allowHalfOpen: true });
    clients.push(refused);
    refused.on("error", () => undefined);
    await once(refused, "connect");
    refused.write("ping\r\n");
    server.close();
    await new Promise((resolve) => listener.close(resolve));
  });

  it("ends all connections when it closes", async () => {
    const socket = await client();
    socket.write("ping\r\n");
    await readUntil(socket, "\r\n");
    const ended = readAll(socket);
    server.close();
    await ended;
  });
});
