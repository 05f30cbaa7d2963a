/** What a command is. All of them are entries of the one table in table.ts. */
import type { Bytes } from "../core/bytes.js";
import type { Config } from "./config.js";
import type { Keyspace } from "./keyspace.js";
import type { EventClass } from "./notifications.js";
import type { Protocol, Reply } from "./reply.js";
import type { Stats } from "./stats.js";
import type { Hub, Subscriptions } from "./subscriptions.js";
import type { Transaction } from "./transaction.js";

/** As Redis names them in COMMAND. */
export type Flag =
  | "readonly"
  | "write"
  | "admin"
  | "fast"
  /** Served before all that is on disk is loaded. */
  | "loading"
  | "blocking"
  | "pubsub"
  /** Served before AUTH. */
  | "no_auth"
  /** Refused inside MULTI: it waits for something, and a transaction does not. */
  | "no_multi";

/** As Redis groups them in COMMAND DOCS; what Redis has not is in "lankv". */
export type Group =
  "bitmap" | "connection" | "generic" | "lankv" | "pubsub" | "server" | "string" | "transactions";

/**
 * What a client may count on.
 * `reads`: answered from the copy on this node. `everywhere`: written here at once, and reaches every node; the last
 * writer wins. `this node`: what is read and what is written is one step on this node, but not on the LAN: of two
 * such steps at once on two nodes, the later one wins. `lan`: reaches whoever listens on any node, or is lost.
 * `connection`: concerns nothing but this connection or this server.
 */
export type Guarantee = "reads" | "everywhere" | "this node" | "lan" | "connection";

/** Where a command's keys are among its arguments: positions from 1, `last` from the end when negative. */
export interface KeyPositions {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** What CLIENT REPLY asked for; `skip-next` becomes `skip` with the next command, and that `on`. */
export type ReplyMode = "on" | "off" | "skip" | "skip-next";

/** A command that waits for EXEC. */
export interface QueuedCommand {
  readonly command: Command;
  readonly args: readonly Bytes[];
}

/** One client's connection, as its commands see it. */
export interface Client {
  readonly id: number;
  /** HOST:PORT, or PATH:0 of a unix socket. */
  readonly address: string;
  readonly localAddress: string;
  /** What CLIENT SETNAME gave it. */
  name: Bytes;
  /** What CLIENT SETINFO gave it. */
  libraryName: Bytes;
  libraryVersion: Bytes;
  protocol: Protocol;
  replies: ReplyMode;
  /** Has given the password, or needs none. */
  readonly isAuthenticated: boolean;
  /** Whether there is a password at all. */
  readonly hasPassword: boolean;
  /** Is surely a user of this machine or somebody who knows the password: came by the unix socket, or gave the password. */
  readonly isTrusted: boolean;
  readonly isWaiting: boolean;
  readonly transaction: Transaction<QueuedCommand>;
  readonly subscriptions: Subscriptions;
  /** The command that came last. */
  lastCommand: string;
  readonly ageSeconds: number;
  readonly idleSeconds: number;
  /** Bytes that came and are no request yet. */
  readonly unreadBytes: number;
  /** Bytes of replies and messages that the client has not read. */
  readonly unsentBytes: number;
  /** Aborted when the connection ends: whoever waits on its behalf stops. */
  readonly signal: AbortSignal;
  /** @returns whether the user may come in with this password, and is in */
  authenticate(user: Bytes, password: Bytes): boolean;
  /** As if it had just connected. */
  reset(): void;
  /** Ends the connection once the reply is written. */
  closeAfterReply(): void;
  /** Ends the connection now. */
  kill(): void;
}

/** What all connections share. */
export interface ServerParts {
  readonly hub: Hub;
  readonly config: Config;
  readonly stats: Stats;
  /** All connections, oldest first. */
  clients(): ReadonlySet<Client>;
}

export interface Context {
  readonly keyspace: Keyspace;
  readonly client: Client;
  readonly table: CommandTable;
  readonly server: ServerParts;
  /** Inside EXEC: the handler must do all of its work at once and return no promise. */
  readonly isInTransaction: boolean;
  /** Whether somebody may be told of such events. */
  hears(eventClass: EventClass): boolean;
  /** Tells the subscribers of the keyspace channels what a command of this node did to a key, in Redis's words. */
  notify(eventClass: EventClass, event: string, key: Bytes): void;
}

/** @param args what follows the command's name; as many as the arity says */
export type Handler = (args: readonly Bytes[], context: Context) => Reply | Promise<Reply>;

export interface Command {
  /** In lower case; of a subcommand, "container|name". */
  readonly name: string;
  /** Number of arguments with the name; negative = at least so many. */
  readonly arity: number;
  readonly flags: readonly Flag[];
  /** Undefined when it has none. */
  readonly keys?: KeyPositions;
  /** One line that says what it does. */
  readonly summary: string;
  /** What follows the name, in the notation of Redis's documentation: `key value [NX | XX] [EX seconds]`; "" = nothing. */
  readonly syntax: string;
  readonly group: Group;
  readonly guarantee: Guarantee;
  /** The version of Redis that first had it; absent where Redis has it not. */
  readonly since?: string;
  /** What it costs, as Redis's documentation writes it. */
  readonly complexity?: string;
  /** A sentence or two for docs/redis.md where something differs from Redis, or its guarantee needs more words. */
  readonly note?: string;
  readonly handler: Handler;
  /** Commands that the first argument chooses from; `handler` serves when there is none. */
  readonly subcommands?: readonly Command[];
}

export type CommandTable = ReadonlyMap<string, Command>;

/** A command that cannot be served as it was given; the text is the error reply. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

export const ONE_KEY: KeyPositions = { first: 1, last: 1, step: 1 };
export const ALL_KEYS: KeyPositions = { first: 1, last: -1, step: 1 };
