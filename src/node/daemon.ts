/**
 * A node that serves other programs: on a unix socket and, for those that cannot use one, a TCP port.
 *
 * What other programs may hold, the socket and the port, is claimed before the node opens, so that a start that
 * fails has not been on the network. Whoever connects in between waits.
 */
import { lstat, stat } from "node:fs/promises";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import createDebug from "debug";
import { LankvError } from "../core/error.js";
import { claimSocket, codeOf, SOCKET_PATH_BYTES_MAX } from "../net/claim-socket.js";
import type { Limits } from "../resp/limits.js";
import { RespServer, type RespServerOptions } from "../resp/server.js";
import { makeDirectory } from "../storage/directory.js";
import { connectionsMax } from "./file-limit.js";
import type { OpenOptions } from "./lankv.js";
import { Node } from "./node.js";
import { NodeKeyspace } from "./node-keyspace.js";
import { resolveOptions } from "./options.js";
import { readPasswordFile, type PasswordFile } from "./password-file.js";
import { reasonOf } from "./reasons.js";

const debug = createDebug("lankv:daemon");

export interface ServeOptions extends OpenOptions {
  /** Path of the unix socket (on Windows, of the pipe): at most 107 bytes. */
  readonly socket: string;
  /**
   * Mode of the unix socket: 0o600, 0o660 for its group too, 0o666 for everybody who may enter its directory. Default:
   * 0o600. A directory that is made for it is always this user's alone.
   */
  readonly socketMode?: number;
  /** TCP port for Redis clients, 1 to 65 535; 0 = none. Default: 7379. */
  readonly redisPort?: number;
  /** Address that the TCP port is bound to; beyond loopback only with a password or unprotected. Default: 127.0.0.1. */
  readonly bind?: string;
  /**
   * Whether an address beyond loopback needs a password, as Redis's protected mode. False is for a network where
   * everybody may change every key, such as that of one compose project. Default: true.
   */
  readonly protectedMode?: boolean;
  /**
   * File whose first line is the password that clients of the TCP port must give: 1 to 512 bytes. The unix socket needs
   * none, because the file system guards it. Default: no password.
   */
  readonly passwordFile?: string;
  /** What clients may take; those left out have their defaults. */
  readonly limits?: Readonly<Partial<Limits>>;
}

/** Default TCP port for Redis clients. */
const REDIS_PORT = 7379;

export class Daemon {
  readonly node: Node;
  readonly socket: string;
  /** HOST:PORT for Redis clients; undefined = none. */
  readonly redisAddress: string | undefined;
  /** Undefined = clients of the TCP port need no password. */
  readonly passwordFile: PasswordFile | undefined;
  /**
   * Fulfilled once everything is closed, whoever asked for that.
   * @throws {LankvError} LANKV_DATA_DIR: the keys could not be loaded; LANKV_DISK: not all of them are on disk
   */
  readonly closed: Promise<void>;
  readonly #doors: Doors;
  readonly #server: RespServer;
  #setClosed: (closing: Promise<void>) => void = () => undefined;
  #closing: Promise<void> | undefined;
  /** Why the daemon ended by itself. */
  readonly #failures: unknown[] = [];

  constructor(
    node: Node,
    doors: Doors,
    at: { socket: string; redisAddress: string | undefined; passwordFile: PasswordFile | undefined },
    options: RespServerOptions,
  ) {
    this.node = node;
    this.socket = at.socket;
    this.redisAddress = at.redisAddress;
    this.passwordFile = at.passwordFile;
    this.#doors = doors;
    this.closed = new Promise((resolve) => {
      this.#setClosed = resolve;
    });
    this.#server = new RespServer(
      new NodeKeyspace(node, () => {
        void this.close();
        return node.close();
      }),
      options,
    );
    doors.lead((client, path) => {
      this.#server.accept(client, path);
    });
    node.loaded.catch((error: unknown) => {
      this.#failures.push(error);
      void this.close();
    });
  }

  /** Says goodbye to the peers and frees everything. The clients' connections end last. Idempotent. */
  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#close();
      this.#setClosed(this.#closing);
    }
    return this.closed;
  }

  async #close(): Promise<void> {
    const shut = this.#doors.close();
    await this.node.close().catch((error: unknown) => this.#failures.push(error));
    // Who asked for the end is told of it.
    await nextTurn();
    this.#server.close();
    await shut;
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}

/**
 * Opens a node and serves it.
 * @throws {RangeError} an option outside its bounds
 * @throws {LankvError} LANKV_IN_USE, LANKV_SOCKET, LANKV_PORT, LANKV_PASSWORD, and those of `open`; nothing is left open
 */
export async function serve(options: ServeOptions): Promise<Daemon> {
  const nodeOptions = resolveOptions(options);
  const {
    socket,
    socketMode = 0o600,
    redisPort = REDIS_PORT,
    bind = "127.0.0.1",
    protectedMode = true,
  } = options;
  if (!Number.isInteger(redisPort) || redisPort < 0 || redisPort > 65_535) {
    throw new RangeError(`redisPort must be a whole number from 0 to 65535, not ${String(redisPort)}`);
  }
  if (protectedMode && !isLoopback(bind) && options.passwordFile === undefined) {
    throw new RangeError(
      `bind must be a loopback address such as 127.0.0.1, not ${bind}, unless a password is set with ` +
        "--password-file FILE: whoever reached the port could change every key. Where that is meant, say " +
        "--no-protected-mode",
    );
  }
  const clientsMax = await connectionsMax();
  checkClients(options.limits?.clientsMax, clientsMax);
  const passwordFile =
    options.passwordFile === undefined ? undefined : await readPasswordFile(options.passwordFile);
  const doors = new Doors();
  try {
    await doors.openSocket(socket, socketMode);
    const redisAddress = redisPort === 0 ? undefined : await doors.openPort(bind, redisPort);
    return new Daemon(
      await Node.open(nodeOptions),
      doors,
      { socket, redisAddress, passwordFile },
      {
        ...options.limits,
        connectionsMax: clientsMax,
        ...(passwordFile === undefined ? {} : { password: passwordFile.password }),
      },
    );
  } catch (error) {
    await doors.close();
    throw error;
  }
}

/** Takes a client; `path` is that of the unix socket that it came by, if it did. */
type Accept = (client: Socket, path: string | undefined) => void;

/** Where clients come in. They are kept waiting until somebody takes them. */
class Doors {
  readonly #servers: Server[] = [];
  readonly #waiting = new Map<Socket, string | undefined>();
  #accept: Accept = (client, path) => {
    this.#waiting.set(client, path);
    client.on("error", () => client.destroy());
    client.once("close", () => this.#waiting.delete(client));
  };

  /** @throws {LankvError} LANKV_IN_USE, LANKV_SOCKET */
  async openSocket(path: string, mode: number): Promise<void> {
    const bytes = Buffer.byteLength(path);
    if (bytes > SOCKET_PATH_BYTES_MAX) {
      throw new LankvError(
        "LANKV_SOCKET",
        `The socket's path is too long: ${path} has ${String(bytes)} bytes, and the system allows ` +
          `${String(SOCKET_PATH_BYTES_MAX)}. Choose a shorter one with --socket PATH.`,
      );
    }
    const server = this.#add(path);
    let isClaimed: boolean;
    try {
      isClaimed = await claim(server, path, mode);
    } catch (cause) {
      if (cause instanceof LankvError) throw cause;
      throw unusable(path, cause);
    }
    if (!isClaimed) {
      throw new LankvError(
        "LANKV_IN_USE",
        `Another lankv serves at ${path}. ` +
          `Stop it with 'lankv --socket ${path} stop', or give this one its own with --socket PATH.`,
      );
    }
  }

  /**
   * @returns where it is
   * @throws {LankvError} LANKV_PORT
   */
  async openPort(host: string, port: number): Promise<string> {
    const shown = `${isIPv6(host) ? `[${host}]` : host}:${String(port)}`;
    const server = this.#add();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, () => {
        server.off("error", reject);
        resolve();
      });
    }).catch((cause: unknown) => {
      throw new LankvError(
        "LANKV_PORT",
        `The TCP port for Redis clients, ${shown}, cannot be bound: ${whyNotBound(cause)}`,
        { cause },
      );
    });
    return shown;
  }

  /** Hands over everybody who waits and who comes from now on. */
  lead(accept: Accept): void {
    this.#accept = accept;
    for (const [client, path] of this.#waiting) {
      client.removeAllListeners("error");
      accept(client, path);
    }
    this.#waiting.clear();
  }

  /** Lets nobody in any more, and waits until those who are inside have left. */
  async close(): Promise<void> {
    for (const client of this.#waiting.keys()) client.destroy();
    const listening = this.#servers.filter((server) => server.listening);
    await Promise.all(listening.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  /** @param path undefined = by TCP */
  #add(path?: string): Server {
    const server = createServer((client) => {
      this.#accept(client, path);
    });
    // A client that cannot be taken, because the process may open no more files, must not end the others.
    server.on("error", (error) => {
      debug("accept: %s", error.message);
    });
    this.#servers.push(server);
    return server;
  }
}

/** Makes the server listen at the path, for whom the mode lets in. False when another daemon does. */
async function claim(server: Server, path: string, mode: number): Promise<boolean> {
  if (process.platform === "win32") return claimSocket(server, path);
  const directory = dirname(path);
  await makeDirectory(directory);
  const [uid, { uid: owner }] = [process.getuid?.() ?? 0, await stat(directory)];
  if (uid !== 0 && owner !== 0 && owner !== uid) {
    throw new LankvError(
      "LANKV_SOCKET",
      `The directory ${directory} belongs to another user, who could put a socket of their own in the place of ` +
        "this one. Choose another with --socket PATH.",
    );
  }
  const stats = await lstat(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });
  if (stats !== undefined && !stats.isSocket()) {
    throw new LankvError(
      "LANKV_SOCKET",
      `${path} is there already, and not a socket. Choose another path with --socket PATH.`,
    );
  }
  // A mode that were set later would leave a moment in which others can connect.
  const umask = process.umask(0o777 & ~mode);
  try {
    return await claimSocket(server, path);
  } finally {
    process.umask(umask);
  }
}

function unusable(path: string, cause: unknown): LankvError {
  return new LankvError(
    "LANKV_SOCKET",
    `The socket ${path} cannot be made: ${reasonOf(cause)}. Choose another path with --socket PATH.`,
    { cause },
  );
}

/** @param max as many as the process can hold */
function checkClients(wanted: number | undefined, max: number): void {
  if (wanted === undefined || wanted <= max) return;
  throw new RangeError(
    `maxClients must be at most ${String(max)}, not ${String(wanted)}: this process may hold no more files open. Raise ` +
      "that with 'ulimit -n', or LimitNOFILE of systemd",
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/** Why a TCP port cannot be bound, and what mends it. */
function whyNotBound(cause: unknown): string {
  const another = "Choose another with --redis-port PORT, or none with --redis-port 0.";
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      return `another program listens there, perhaps a lankv that runs already: see 'lankv status'. ${another}`;
    case "EACCES":
      return `this user may not bind it. ${another}`;
    case "EADDRNOTAVAIL":
      return "this machine does not have that address. Give one of its own with --bind, or 0.0.0.0 for all.";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name stands for no address. Give an address of this machine with --bind.";
    default:
      return `${String(cause)}. ${another}`;
  }
}
