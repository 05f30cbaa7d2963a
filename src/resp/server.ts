/** The server: takes connections, and gives each a session. Who listens where is not its business. */
import type { Socket } from "node:net";
import createDebug from "debug";
import type { Bytes } from "../core/bytes.js";
import type { Client, Context, ServerParts } from "./command.js";
import { Config } from "./config.js";
import type { Keyspace } from "./keyspace.js";
import { boundsWithin, toLimits, type Limits } from "./limits.js";
import { Notifications } from "./notifications.js";
import { Password } from "./password.js";
import { encode, ErrorReply } from "./reply.js";
import { Round } from "./round.js";
import { Session } from "./session.js";
import { Stats } from "./stats.js";
import { Hub } from "./subscriptions.js";
import { commandTable } from "./table.js";

const debug = createDebug("lankv:resp");

/** How often silent connections are looked for. */
const SILENCE_CHECK_MS = 1_000;
/** How many connections beyond the bound are told so at once; others are closed without a word. */
const REFUSED_MAX = 32;

export interface RespServerOptions extends Partial<Limits> {
  /** Which keyspace events there are, in Redis's letters, such as "KEx"; "" = none. Default: "AKE", all. */
  readonly notifyKeyspaceEvents?: string;
  /** What clients that come by TCP must give. Default: nothing. */
  readonly password?: Bytes;
  /** As many connections as the process can hold: `clientsMax` may be no greater. Default: no bound. */
  readonly connectionsMax?: number;
}

export class RespServer {
  readonly #keyspace: Keyspace;
  readonly #limits: Limits;
  readonly #password: Password | undefined;
  readonly #hub = new Hub();
  readonly #round: Round;
  readonly #notifications: Notifications;
  readonly #parts: ServerParts;
  readonly #sessions = new Set<Session>();
  /** Connections beyond the bound that are being told so. */
  readonly #refused = new Set<Socket>();
  #lastId = 0;
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @throws {RangeError} an option outside its bounds */
  constructor(keyspace: Keyspace, options: RespServerOptions = {}) {
    this.#keyspace = keyspace;
    this.#round = new Round((keys) => {
      keyspace.expect(keys);
    });
    const bounds = boundsWithin(options.connectionsMax ?? Infinity);
    this.#limits = toLimits(options, bounds);
    this.#password = options.password === undefined ? undefined : new Password(options.password);
    this.#notifications = new Notifications(this.#hub, keyspace, options.notifyKeyspaceEvents ?? "AKE");
    this.#parts = {
      hub: this.#hub,
      config: new Config(this.#limits, this.#notifications, keyspace.status().storage ?? undefined, bounds),
      stats: new Stats(),
      clients: () => this.#sessions,
    };
    keyspace.listen({
      changed: (records, replaced) => {
        this.#notifications.changed(records, replaced);
      },
      expired: (keys) => {
        this.#notifications.expired(keys);
      },
      published: (channel, payload) => {
        this.#hub.publish(channel, payload);
      },
    });
  }

  /**
   * Takes a connection.
   * @param path of the unix socket that it came by; undefined = it came by TCP, and must give the password
   */
  accept(socket: Socket, path?: string): void {
    if (this.#sessions.size >= this.#limits.clientsMax) {
      this.#parts.stats.rejected += 1;
      this.#refuse(socket);
      return;
    }
    this.#parts.stats.connections += 1;
    socket.setNoDelay(true);
    this.#lastId += 1;
    const session = new Session(socket, {
      id: this.#lastId,
      limits: this.#limits,
      hub: this.#hub,
      round: this.#round,
      password: this.#password,
      path,
      toContext: (client) => this.#contextOf(client),
      onHeld: (delta) => {
        this.#heldBytes += delta;
        if (this.#heldBytes > this.#limits.clientBytesMax) this.#cutOff();
      },
    });
    this.#sessions.add(session);
    this.#timer ??= setInterval(() => {
      for (const each of this.#sessions) each.checkSilence();
    }, SILENCE_CHECK_MS).unref();
    socket.once("close", () => {
      this.#sessions.delete(session);
    });
  }

  /** Ends all connections at once, behind what was answered. */
  close(): void {
    clearInterval(this.#timer);
    this.#round.end();
    for (const session of this.#sessions) session.kill();
    for (const socket of this.#refused) socket.destroy();
  }

  /** Ends those connections that hold most, until the others hold no more than all may. */
  #cutOff(): void {
    while (this.#heldBytes > this.#limits.clientBytesMax) {
      let greatest: Session | undefined;
      for (const session of this.#sessions) {
        if (session.heldBytes > (greatest?.heldBytes ?? 0)) greatest = session;
      }
      if (greatest === undefined) return;
      debug("client %d: cut off, it holds %d bytes", greatest.id, greatest.heldBytes);
      this.#parts.stats.evicted += 1;
      greatest.kill();
    }
  }

  /** A client may be silent and never leave: the connection ends without it. */
  #refuse(socket: Socket): void {
    if (this.#refused.size >= REFUSED_MAX) {
      socket.destroy();
      return;
    }
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

  /** Without a getter, for which the runtime would give each of them a shape of its own. */
  #contextOf(client: Client): Context {
    return {
      keyspace: this.#keyspace,
      client,
      table: commandTable,
      server: this.#parts,
      isInTransaction: false,
      hears: (eventClass) => this.#notifications.hears(eventClass),
      notify: (eventClass, event, key) => {
        this.#notifications.notify(eventClass, event, key);
      },
    };
  }
}
