import { once } from "node:events";
import { connect, type Socket, type TcpNetConnectOpts } from "node:net";
import Parser from "redis-parser";

/** What a command returns: texts come as bytes, nothing as null, errors as values, lists as lists. */
export type Reply = unknown;

export type Command = readonly (string | Buffer)[];

/** A daemon that owes a reply and is silent for so long has failed the test. */
const silenceMsMax = 30_000;
const chunkBytes = 64 * 1024;

/** A client for the daemon: small, and fast enough to write 200 000 keys in a burst. */
export class RespClient {
  /** Who takes the next replies, in the order of the commands. */
  readonly #takers: ((reply: Reply) => void)[] = [];
  #taken = 0;
  #isClosed = false;
  /** Never fulfilled: rejected when the connection ends. */
  readonly #closed: Promise<never>;

  private constructor(private readonly socket: Socket) {
    this.#closed = new Promise((_, reject) => {
      socket.on("error", reject);
      socket.on("close", () => {
        this.#isClosed = true;
        reject(new Error("the daemon closed the connection"));
      });
    });
    this.#closed.catch(() => undefined);

    const parser = new Parser({
      returnBuffers: true,
      returnReply: (reply: Reply) => this.#handleReply(reply),
      returnError: (error: Error) => this.#handleReply(error),
      returnFatalError: (error: Error) => socket.destroy(error),
    });
    socket.on("data", (chunk) => parser.execute(chunk));
    socket.setTimeout(silenceMsMax, () => {
      if (this.#takers.length > 0) socket.destroy(new Error(`no reply for ${String(silenceMsMax)} ms`));
    });
  }

  /** @param at the path of its unix socket, or where it listens by TCP */
  static async connect(at: string | TcpNetConnectOpts): Promise<RespClient> {
    const socket = typeof at === "string" ? connect(at) : connect(at);
    await once(socket, "connect");
    return new RespClient(socket);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** One command; an error reply is thrown. */
  async call(...command: Command): Promise<Reply> {
    const [reply] = await this.pipeline([command]);
    if (reply instanceof Error) throw reply;
    return reply;
  }

  /** Many commands, none waiting for the reply to the one before it; error replies are among the replies. */
  async pipeline(commands: Iterable<Command>): Promise<Reply[]> {
    const replies: Reply[] = [];
    await this.stream(commands, (reply) => replies.push(reply));
    return replies;
  }

  /** As `pipeline`, with each reply handed out as it comes. */
  async stream(commands: Iterable<Command>, handleReply: (reply: Reply) => void): Promise<void> {
    let owed = 0;
    let settle: () => void = () => undefined;
    const take = (reply: Reply): void => {
      owed -= 1;
      handleReply(reply);
      if (owed === 0) settle();
    };

    let chunks: Buffer[] = [];
    let bytes = 0;
    for (const command of commands) {
      const encoded = encode(command);
      this.#takers.push(take);
      owed += 1;
      chunks.push(encoded);
      bytes += encoded.length;
      if (bytes >= chunkBytes) {
        const chunk = Buffer.concat(chunks);
        chunks = [];
        bytes = 0;
        await this.#write(chunk);
      }
    }
    if (bytes > 0) await this.#write(Buffer.concat(chunks));
    if (owed > 0) await Promise.race([new Promise<void>((resolve) => (settle = resolve)), this.#closed]);
  }

  close(): void {
    this.socket.destroy();
  }

  async #write(bytes: Buffer): Promise<void> {
    if (this.#isClosed) await this.#closed;
    if (!this.socket.write(bytes)) await Promise.race([once(this.socket, "drain"), this.#closed]);
  }

  #handleReply(reply: Reply): void {
    const take = this.#takers[this.#taken];
    this.#taken += 1;
    if (this.#taken === this.#takers.length) {
      this.#takers.length = 0;
      this.#taken = 0;
    }
    take?.(reply);
  }
}

/** A command as RESP: an array of bulk strings. */
function encode(command: Command): Buffer {
  const parts: (string | Buffer)[] = [`*${String(command.length)}\r\n`];
  for (const argument of command) {
    parts.push(`$${String(Buffer.byteLength(argument))}\r\n`, argument, "\r\n");
  }
  return parts.every((part) => typeof part === "string")
    ? Buffer.from(parts.join(""))
    : Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}
