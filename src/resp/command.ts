/** What a command is. All of them are entries of the one table in table.ts. */
import type { Bytes } from "../core/bytes.js";
import type { Keyspace } from "./keyspace.js";
import type { Reply } from "./reply.js";

/** As Redis names them in COMMAND. */
export type Flag = "readonly" | "write" | "admin" | "fast" | "blocking";

/** Where a command's keys are among its arguments: positions from 1, `last` from the end when negative. */
export interface KeyPositions {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

/** One client's connection, as its commands see it. */
export interface Client {
  readonly id: number;
  /** What CLIENT SETNAME gave it. */
  name: Bytes;
  /** Aborted when the connection ends: whoever waits on its behalf stops. */
  readonly signal: AbortSignal;
  /** Ends the connection once the reply is written. */
  closeAfterReply(): void;
}

export interface Context {
  readonly keyspace: Keyspace;
  readonly client: Client;
  readonly table: CommandTable;
  /** Number of connections. */
  readonly clients: number;
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
