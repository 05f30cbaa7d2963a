import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { claimSocket, codeOf, SOCKET_PATH_BYTES_MAX } from "../../../src/net/claim-socket.js";

const claimModule = new URL("../../../src/net/claim-socket.js", import.meta.url).href;

/** Claims the path when told on stdin, says what came of it, and holds it. */
const claimer = `
  const { claimSocket } = await import(${JSON.stringify(claimModule)});
  const { createServer } = await import("node:net");
  process.stdin.once("data", async () => {
    console.log(await claimSocket(createServer(), process.argv[1]));
  });
  console.log("ready");
`;

describe("claiming a socket", () => {
  let directory = "";
  let path = "";
  const servers: Server[] = [];
  const children: ChildProcess[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "lankv-"));
    path = join(directory, "socket");
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) if (server.listening) server.close();
    for (const child of children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(directory, { recursive: true });
  });

  function newServer(): Server {
    const server = createServer((client) => client.end());
    servers.push(server);
    return server;
  }

  async function startClaimer(): Promise<ChildProcess> {
    const args = ["--input-type=module", "--eval", claimer, path];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    await nextLine(child);
    return child;
  }

  async function nextLine(child: ChildProcess): Promise<string> {
    assert.ok(child.stdout !== null);
    const chunks: readonly unknown[] = await once(child.stdout, "data");
    return String(chunks[0]).trim();
  }

  async function claims(child: ChildProcess): Promise<string> {
    child.stdin?.write("go\n");
    return nextLine(child);
  }

  async function leaveStale(): Promise<void> {
    const child = await startClaimer();
    assert.equal(await claims(child), "true");
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.ok(existsSync(path));
  }

  it("makes the server listen at a path that is free", async () => {
    assert.equal(await claimSocket(newServer(), path), true);
    await once(connect(path).resume(), "end");
  });

  it("is refused while another process listens, and leaves that alone", async () => {
    const child = await startClaimer();
    assert.equal(await claims(child), "true");
    const server = newServer();
    assert.equal(await claimSocket(server, path), false);
    assert.equal(server.listening, false);
    const socket = connect(path);
    await once(socket, "connect");
    socket.destroy();
  });

  it("replaces what a killed process left", async () => {
    await leaveStale();
    assert.equal(await claimSocket(newServer(), path), true);
    await once(connect(path).resume(), "end");
    assert.deepEqual(readdirSync(directory), ["socket"]);
  });

  it("goes to one only when many find what a killed process left", async () => {
    await leaveStale();
    const claimers = await Promise.all(Array.from({ length: 6 }, () => startClaimer()));
    const won = await Promise.all(claimers.map(claims));
    assert.deepEqual(won.sort(), ["false", "false", "false", "false", "false", "true"]);
    assert.deepEqual(readdirSync(directory), ["socket"]);
  });

  it("frees the path when the server closes", async () => {
    const server = newServer();
    await claimSocket(server, path);
    await new Promise((resolve) => server.close(resolve));
    assert.ok(!existsSync(path));
    assert.equal(await claimSocket(newServer(), path), true);
  });

  it("leaves a file or a folder alone that is in the way", async () => {
    writeFileSync(path, "precious");
    await assert.rejects(claimSocket(newServer(), path), { code: "EEXIST" });
    assert.equal(readFileSync(path, "utf8"), "precious");
    rmSync(path);
    mkdirSync(path);
    await assert.rejects(claimSocket(newServer(), path), { code: "EEXIST" });
    assert.ok(existsSync(path));
  });

  it("fails with what the system says when the path cannot be used", async () => {
    await assert.rejects(claimSocket(newServer(), join(directory, "none", "socket")), { code: "EACCES" });
    writeFileSync(path, "");
    await assert.rejects(claimSocket(newServer(), join(path, "socket")), (error) => codeOf(error) !== "");
  });

  it("works with the longest path, and not with a longer one", async () => {
    const longest = join(directory, "x".repeat(SOCKET_PATH_BYTES_MAX - directory.length - 1));
    assert.equal(longest.length, SOCKET_PATH_BYTES_MAX);
    assert.equal(await claimSocket(newServer(), longest), true);
    assert.ok(existsSync(longest));
  });
});

describe("the system's name of an error", () => {
  it("is its code, or nothing", () => {
    assert.equal(codeOf(Object.assign(new Error("no"), { code: "EROFS" })), "EROFS");
    assert.equal(codeOf(Object.assign(new Error("no"), { code: 5 })), "");
    assert.equal(codeOf(new Error("no")), "");
    assert.equal(codeOf("EROFS"), "");
    assert.equal(codeOf(undefined), "");
  });
});
