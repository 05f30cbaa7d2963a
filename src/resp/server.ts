/** The server: takes connections, and gives each a session. Who listens where is not its business. */
import type { Socket } from "node:net";
import type { Client, Context } from "./command.js";
import type { Keyspace } from "./keyspace.js";
import { encode, ErrorReply } from "./reply.js";
import { Session } from "./session.js";
import { commandTable } from "./table.js";

/** Default bound on the number of connections. */
const CLIENTS_MAX = 1_000;

export interface RespServerOptions {
  /** Most connections at once, 1 or more; the next is told so and closed. Default: 1 000. */
  readonly clientsMax?: number;
}

export class RespServer {
  readonly #keyspace: Keyspace;
  readonly #clientsMax: number;
  readonly #sessions = new Set<Session>();
  /** Connections beyond the bound that are being told so. */
  readonly #refused = new Set<Socket>();
  #lastId = 0;

  constructor(keyspace: Keyspace, options: RespServerOptions = {}) {
    this.#keyspace = keyspace;
    this.#clientsMax = options.clientsMax ?? CLIENTS_MAX;
  }

  accept(socket: Socket): void {
    if (this.#sessions.size >= this.#clientsMax) {
      this.#refuse(socket);
      return;
    }
    socket.setNoDelay(true);
    this.#lastId += 1;
    const session = new Session(socket, this.#lastId, (client) => this.#contextOf(client));
    this.#sessions.add(session);
    socket.once("close", () => {
      this.#sessions.delete(session);
    });
  }

  /** Ends all connections at once. */
  close(): void {
    for (const session of this.#sessions) session.close();
    for (const socket of this.#refused) socket.destroy();
  }

  /** A client may be silent and never leave: the connection ends without it. */
  #refuse(socket: Socket): void {
    this.#refused.add(socket);
    socket.once("close", () => {
      this.#refused.delete(socket);
    });
    socket.on("error", () => socket.destroy());
    socket.resume();
    socket.end(encode(new ErrorReply("ERR max number of clients reached"), 2), "latin1", () =>
      socket.destroy(),
    );
  }

  #contextOf(client: Client): Context {
    const sessions = this.#sessions;
    return {
      keyspace: this.#keyspace,
      client,
      table: commandTable,
      get clients() {
        return sessions.size;
      },
      isInTransaction: false,
      notify: () => undefined,
    };
  }
}
