/** The one table of commands, and how a request finds its entry. */
import { LankvError } from "../core/error.js";
import { CommandError, type Command, type CommandTable, type Context } from "./command.js";
import { connectionCommands } from "./connection-commands.js";
import { keyCommands } from "./key-commands.js";
import { lankvCommands } from "./lankv-commands.js";
import { ErrorReply, type Reply } from "./reply.js";
import { refusalOf } from "./refused.js";
import type { Request } from "./request.js";
import { serverCommands } from "./server-commands.js";
import { stringCommands } from "./string-commands.js";

export const commandTable: CommandTable = new Map(
  [...connectionCommands, ...serverCommands, ...keyCommands, ...stringCommands, ...lankvCommands].map(
    (command) => [command.name, command],
  ),
);

/** Carries out a request. What fails is an error reply: nothing is thrown, and no promise is rejected. */
export function execute(request: Request, context: Context): Reply | Promise<Reply> {
  try {
    const command = find(request, context.table);
    const reply = command.handler(request.slice(command.name.includes("|") ? 2 : 1), context);
    return reply instanceof Promise ? reply.catch(toErrorReply) : reply;
  } catch (error) {
    return toErrorReply(error);
  }
}

/** @throws {CommandError} there is no such command, or it takes another number of arguments */
function find(request: Request, table: CommandTable): Command {
  const name = request[0] ?? "";
  const command = table.get(name.toLowerCase());
  if (command === undefined) throw new CommandError(refusalOf(name) ?? unknownCommand(request));
  const found = subcommandOf(command, request) ?? command;
  const { arity } = found;
  if (arity < 0 ? request.length < -arity : request.length !== arity) {
    throw new CommandError(`ERR wrong number of arguments for '${found.name}' command`);
  }
  return found;
}

function subcommandOf(command: Command, request: Request): Command | undefined {
  const name = request[1];
  if (command.subcommands === undefined || name === undefined) return undefined;
  const found = command.subcommands.find((each) => each.name === `${command.name}|${name.toLowerCase()}`);
  if (found !== undefined) return found;
  throw new CommandError(
    refusalOf(`${command.name}|${name}`) ??
      `ERR unknown subcommand '${name.slice(0, 128)}'. Try ${command.name.toUpperCase()} HELP.`,
  );
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

function toErrorReply(error: unknown): ErrorReply {
  if (error instanceof CommandError) return new ErrorReply(error.message);
  if (error instanceof LankvError) return new ErrorReply(`${error.code} ${error.message}`);
  if (error instanceof RangeError) return new ErrorReply(`ERR ${error.message}`);
  return new ErrorReply(`ERR internal error: ${String(error)}`);
}
