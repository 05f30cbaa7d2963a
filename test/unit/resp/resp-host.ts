import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { RespServer, type RespServerOptions } from "../../../src/resp/server.js";
import { MemoryKeyspace } from "./memory-keyspace.js";

/** A client's end of a connection, which keeps what came. */
export class Peer {
  readonly socket: Socket;
  #received = "";
  #isClosed = false;
  /** Called when something came, or the end. */
  #wake = (): void => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      this.#received += String(chunk);
      this.#wake();
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** What came and was not taken yet. */
  get received(): string {
    return this.#received;
  }

  /** Whether the server has ended the connection. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends command lines. */
  send(...lines: readonly string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(""), "latin1");
  }

  /** Takes what came so far, once it ends so. */
  async until(end: string): Promise<string> {
    while (!this.#received.endsWith(end)) {
      if (this.#isClosed) throw new Error(`closed after ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#take();
  }

  /** Sends a command line, and takes what came up to the reply to a PING behind it. */
  async ask(...lines: readonly string[]): Promise<string> {
    this.send(...lines, "echo -end-");
    const text = await this.until("$5\r\n-end-\r\n");
    return text.slice(0, -"$5\r\n-end-\r\n".length);
  }

  /** Takes all that came until the server ended the connection. */
  async all(): Promise<string> {
    while (!this.#isClosed) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#take();
  }

  #take(): string {
    const text = this.#received;
    this.#received = "";
    return text;
  }
}

/** A server behind a unix socket and a TCP port of loopback. */
export class RespHost {
  readonly keyspace = new MemoryKeyspace();
  readonly server: RespServer;
  readonly #directory = mkdtempSync(path.join(tmpdir(), "lankv-resp-"));
  readonly #listeners: Server[] = [];
  readonly #peers: Peer[] = [];
  #port = 0;

  private constructor(options: RespServerOptions) {
    this.server = new RespServer(this.keyspace, options);
  }

  static async start(options: RespServerOptions = {}): Promise<RespHost> {
    const host = new RespHost(options);
    const file = path.join(host.#directory, "s");
    const local = createServer((socket) => host.server.accept(socket, file)).listen(file);
    const tcp = createServer((socket) => host.server.accept(socket)).listen(0, "127.0.0.1");
    host.#listeners.push(local, tcp);
    await Promise.all(host.#listeners.map((listener) => once(listener, "listening")));
    const address = tcp.address();
    if (typeof address === "object" && address !== null) host.#port = address.port;
    return host;
  }

  async client(way: "unix" | "tcp" = "unix"): Promise<Peer> {
    const socket =
      way === "unix" ? connect(path.join(this.#directory, "s")) : connect(this.#port, "127.0.0.1");
    const peer = new Peer(socket);
    this.#peers.push(peer);
    await once(socket, "connect");
    return peer;
  }

  async close(): Promise<void> {
    for (const { socket } of this.#peers) socket.destroy();
    this.server.close();
    await Promise.all(this.#listeners.map((listener) => new Promise((resolve) => listener.close(resolve))));
    rmSync(this.#directory, { recursive: true });
  }
}
