/** The one table of commands, how a request finds its entry, and what becomes of it. */
import { bitCommands } from "./bit-commands.js";
import { bitfieldCommands } from "./bitfield-commands.js";
import { call, toErrorReply, toErrorText } from "./call.js";
import { CommandError, type Client, type Command, type CommandTable, type Context } from "./command.js";
import { configCommand } from "./config-commands.js";
import { connectionCommands } from "./connection-commands.js";
import { keyCommands } from "./key-commands.js";
import type { Keyspace } from "./keyspace.js";
import { lankvCommands } from "./lankv-commands.js";
import { pubsubCommands } from "./pubsub-commands.js";
import { refusalOf } from "./refused.js";
import { ErrorReply, Simple, type Reply } from "./reply.js";
import type { Request } from "./request.js";
import { serverCommands } from "./server-commands.js";
import { stringCommands } from "./string-commands.js";
import { transactionCommands } from "./transaction-commands.js";
import { waitCommand } from "./wait-command.js";

export const commandTable: CommandTable = new Map(
  [
    ...connectionCommands,
    ...transactionCommands,
    ...pubsubCommands,
    ...serverCommands,
    configCommand,
    waitCommand,
    ...keyCommands,
    ...stringCommands,
    ...bitCommands,
    ...bitfieldCommands,
    ...lankvCommands,
  ].map((command) => [command.name, command]),
);

/** As they are mostly spelled, so that few names must be put into lower case. */
const spellings: CommandTable = new Map(
  [...commandTable].flatMap(([name, command]) => [
    [name, command],
    [name.toUpperCase(), command],
  ]),
);

/** Inside MULTI these are carried out at once. */
const UNQUEUED = new Set(["discard", "exec", "multi", "quit", "reset", "watch"]);

/** What a client that listens may do while it speaks RESP2, which cannot tell messages from replies. */
const LISTENERS_COMMANDS = new Set([
  "ping",
  "psubscribe",
  "punsubscribe",
  "quit",
  "reset",
  "subscribe",
  "unsubscribe",
]);

const QUEUED = new Simple("QUEUED");

/** Carries out a request. What fails is an error reply: nothing is thrown, and no promise is rejected. */
export function execute(request: Request, context: Context): Reply | Promise<Reply> {
  const { client } = context;
  let command: Command;
  let args: Request;
  try {
    const named = find(request);
    command = named.subcommands === undefined ? named : subcommandOf(named, request);
    checkArity(command, request);
    checkAllowed(command, client);
    checkState(command, context.keyspace);
    args = request.slice(command === named ? 1 : 2);
  } catch (error) {
    return reject(request, client, error);
  }
  client.lastCommand = command.name;
  if (client.transaction.isOpen && !UNQUEUED.has(command.name)) return queue({ command, args }, client);
  context.server.stats.commands += 1;
  return call(command, args, context);
}

/** @throws {CommandError} there is no such command */
function find(request: Request): Command {
  const name = request[0] ?? "";
  const command = spellings.get(name) ?? commandTable.get(name.toLowerCase());
  if (command === undefined) throw new CommandError(refusalOf(name) ?? unknownCommand(request));
  return command;
}

/** @throws {CommandError} it takes another number of arguments */
function checkArity({ name, arity }: Command, request: Request): void {
  if (arity < 0 ? request.length < -arity : request.length !== arity) {
    throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  }
}

function subcommandOf(command: Command, request: Request): Command {
  const name = request[1];
  if (name === undefined) return command;
  const wanted = `${command.name}|${name.toLowerCase()}`;
  const found = command.subcommands?.find((each) => each.name === wanted);
  if (found !== undefined) return found;
  throw new CommandError(
    refusalOf(`${command.name}|${name}`) ??
      `ERR unknown subcommand '${name.slice(0, 128)}'. Try ${command.name.toUpperCase()} HELP.`,
  );
}

/** @throws {CommandError} the client may not do this now */
function checkAllowed({ name, flags }: Command, client: Client): void {
  if (!client.isAuthenticated && !flags.includes("no_auth")) {
    throw new CommandError("NOAUTH Authentication required.");
  }
  if (client.transaction.isOpen && flags.includes("no_multi")) {
    throw new CommandError("ERR Command not allowed inside a transaction");
  }
  if (client.protocol === 2 && client.subscriptions.count > 0 && !LISTENERS_COMMANDS.has(name)) {
    throw new CommandError(
      `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
    );
  }
}

/** @throws {CommandError} the server can not do this now */
function checkState({ flags }: Command, keyspace: Keyspace): void {
  const { refusal } = keyspace;
  if (refusal !== undefined && flags.includes("write")) throw new CommandError(toErrorText(refusal));
  if (keyspace.isLoading && !flags.includes("loading")) {
    throw new CommandError("LOADING lankv is loading the keys from disk");
  }
}

/** A command that is refused spoils the transaction that it was for; an EXEC that is, ends it. */
function reject(request: Request, client: Client, error: unknown): ErrorReply {
  const reply = toErrorReply(error);
  if (isFromBrowser(request)) client.kill();
  if (!client.transaction.isOpen) return reply;
  client.transaction.spoil();
  if (request[0]?.toLowerCase() !== "exec") return reply;
  client.transaction.close();
  return new ErrorReply(`EXECABORT Transaction discarded because of: ${reply.text.replace(/^ERR /, "")}`);
}

/** A web page can make a browser post to a local port; it must not get as far as the body. */
function isFromBrowser(request: Request): boolean {
  const name = request[0]?.toLowerCase();
  return name === "post" || name === "host:";
}

function queue(queued: { command: Command; args: Request }, client: Client): Reply {
  try {
    client.transaction.push(queued, queued.args);
    return QUEUED;
  } catch (error) {
    client.transaction.spoil();
    return toErrorReply(error);
  }
}

/** As Redis 7 words it, with the first 128 bytes of the name and of the arguments. */
function unknownCommand([name = "", ...args]: Request): string {
  let shown = "";
  for (const arg of args) {
    if (shown.length >= 128) break;
    shown += `'${arg.slice(0, 128 - shown.length)}' `;
  }
  return `ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${shown}`;
}
