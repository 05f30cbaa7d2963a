import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, it } from "node:test";
import { takeOver, type OnBytes } from "../../../src/resp/incoming.js";

describe("a connection that is taken over", () => {
  let server: Server;
  let accepted: Promise<Socket>;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    server = createServer({ pauseOnConnect: true });
    accepted = once(server, "connection").then(([socket]: Socket[]) => {
      assert.ok(socket);
      return socket;
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    // Does not settle while the server counts a connection.
    await new Promise((resolve) => server.close(resolve));
  });

  async function take(onBytes: OnBytes): Promise<Socket> {
    const socket = takeOver(await accepted, onBytes);
    sockets.push(socket);
    return socket;
  }

  function enter(): Socket {
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    sockets.push(client);
    return client;
  }

  it("gives what came, in a buffer that is used again, and its end", async () => {
    const client = enter();
    const [buffers, texts]: [Set<unknown>, string[]] = [new Set(), []];
    const socket = await take((bytes, length) => {
      buffers.add(bytes);
      const text = bytes.toString("latin1", 0, length);
      texts.push(text);
      socket.write(`${text} heard`);
    });
    for (const text of ["one", "two"]) {
      client.write(text);
      assert.equal(String((await once(client, "data"))[0]), `${text} heard`);
    }
    if (process.platform !== "win32") assert.equal(buffers.size, 1);
    client.end("three");
    await once(socket, "end");
    assert.deepEqual(texts, ["one", "two", "three"]);
    socket.end("after the end");
    assert.match(String((await once(client, "data"))[0]), /three heard|after the end/);
  });

  it("has the addresses of its client", async () => {
    const client = enter();
    const socket = await take(() => undefined);
    assert.equal(socket.remotePort, client.localPort);
  });

  it("is read no further while it is paused", async () => {
    const client = enter();
    let bytesRead = 0;
    const socket = await take((_, length) => (bytesRead += length));
    client.write("x");
    while (bytesRead === 0) await new Promise(setImmediate);
    socket.pause();
    await new Promise((resolve) => client.write("y".repeat(1_000), resolve));
    for (let turns = 0; turns < 100; turns += 1) await new Promise(setImmediate);
    assert.equal(bytesRead, 1);
    socket.resume();
    while (bytesRead < 1_001) await new Promise(setImmediate);
  });

  it("stays as it is when something of it was read before", async () => {
    const client = enter();
    const socket = await accepted;
    client.write("early");
    socket.once("readable", () => undefined);
    while (socket.bytesRead === 0) await new Promise(setImmediate);
    let text = "";
    assert.equal(await take((bytes, length) => (text += bytes.toString("latin1", 0, length))), socket);
    client.write(" and late");
    while (text !== "early and late") await new Promise(setImmediate);
  });
});
