/** Runs a command's handler. What fails is an error reply: nothing is thrown, and no promise is rejected. */
import type { Bytes } from "../core/bytes.js";
import { LankvError } from "../core/error.js";
import { CommandError, type Command, type Context } from "./command.js";
import { ErrorReply, textToBytes, type Reply } from "./reply.js";

export function call(command: Command, args: readonly Bytes[], context: Context): Reply | Promise<Reply> {
  try {
    const reply = command.handler(args, context);
    return reply instanceof Promise ? reply.catch(toErrorReply) : reply;
  } catch (error) {
    return toErrorReply(error);
  }
}

/** As `call`, inside EXEC, where nothing may wait. */
export function callAtOnce(command: Command, args: readonly Bytes[], context: Context): Reply {
  const reply = call(command, args, context);
  if (!(reply instanceof Promise)) return reply;
  return new ErrorReply(`ERR '${command.name}' waits for something, which a transaction must not`);
}

export function toErrorReply(error: unknown): ErrorReply {
  if (error instanceof CommandError) return new ErrorReply(error.message);
  if (error instanceof LankvError) return new ErrorReply(toErrorText(error));
  if (error instanceof RangeError) return new ErrorReply(`ERR ${error.message}`);
  return new ErrorReply(`ERR internal error: ${String(error)}`);
}

/** A disk that fails has a name in Redis that its clients know. */
export function toErrorText({ code, message }: LankvError): Bytes {
  return textToBytes(`${code === "LANKV_DISK" ? "MISCONF" : code} ${message}`);
}
