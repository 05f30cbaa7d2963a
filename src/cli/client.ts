/**
 * A connection to the daemon. A whole Redis client would take longer to load than most commands take to run.
 *
 * Commands that are called in one turn of the event loop leave in one write; replies come in the order of calls.
 */
import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import RedisParser from "redis-parser";
import { ERROR_CODES, LankvError } from "../core/error.js";
import { textToBytes } from "../resp/reply.js";

/** A text goes out as UTF-8. */
export type Argument = string | number | Uint8Array;

/** A daemon that owes a reply may be silent for so long, unless a command is meant to wait. */
export const REPLY_MS = 5_000;
/** What is handed to the socket at once. */
const CHUNK_BYTES = 65_536;
/** After how many answers the calls that were answered are let go. */
const CALLS_KEPT = 4_096;

/** Is told what comes to a connection that has subscribed. */
export interface Subscriber {
  message(channel: Buffer, payload: Buffer): void;
  /** The connection has ended: nothing comes any more. */
  ended(error: Error): void;
}

/** The daemon has not loaded its keys yet; nothing was done. */
export class LoadingError extends Error {
  override readonly name = "LoadingError";
}

interface Call {
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The daemon refused a command, for a reason that has no code of lankv's own. */
export class Refusal extends Error {
  override readonly name = "Refusal";

  /** @param code the first word of the reply: "ERR" when the command is to blame, "MISCONF" and the like when it is not */
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class Client {
  readonly #socket: Socket;
  readonly #calls: Call[] = [];
  #answered = 0;
  #output = "";
  #failure: Error | undefined;
  #silenceMs = REPLY_MS;
  #subscriber: Subscriber | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const parser = new RedisParser({
      returnBuffers: true,
      // An integer has 64 bits, and a JavaScript number holds 53.
      stringNumbers: true,
      returnReply: (reply: unknown) => {
        const call = this.#take();
        if (call === undefined) this.#hear(reply);
        else call.resolve(reply);
      },
      returnError: (error: Error) => this.#take()?.reject(toError(error.message)),
      returnFatalError: (error: Error) => socket.destroy(error),
    });
    socket.on("data", (chunk: Buffer) => {
      parser.execute(chunk);
    });
    socket.on("timeout", () => {
      this.#giveUp();
    });
    socket.on("error", (error) => {
      this.#failure = error;
    });
    socket.on("close", () => {
      this.#failure = new LankvError(
        "LANKV_NO_DAEMON",
        `The daemon ended the connection${this.#failure === undefined ? "" : `: ${this.#failure.message}`}. ` +
          "See with 'lankv status' whether it still runs.",
        { cause: this.#failure, stateChanged: true },
      );
      for (let call = this.#take(); call !== undefined; call = this.#take()) call.reject(this.#failure);
      this.#subscriber?.ended(this.#failure);
    });
  }

  /**
   * @param timeoutMs also how long a reply may take
   * @throws what the system says when nobody listens there
   */
  static async connect(target: NetConnectOpts, timeoutMs: number): Promise<Client> {
    const socket = connect(target);
    const timer = setTimeout(() => {
      socket.destroy(new LankvError("LANKV_TIMEOUT", "The daemon did not take the connection in time."));
    }, timeoutMs);
    try {
      await once(socket, "connect");
    } finally {
      clearTimeout(timer);
    }
    const client = new Client(socket);
    client.allow(timeoutMs);
    return client;
  }

  /** From now on the daemon may be silent for so long when it owes a reply; for what it owes already, no less than before. */
  allow(silenceMs: number): void {
    this.#silenceMs = this.#owesNothing ? silenceMs : Math.max(silenceMs, this.#silenceMs);
    this.#socket.setTimeout(this.#silenceMs);
  }

  /**
   * Sends a command.
   * @returns a Buffer, an integer as a string of its digits, null, or an array of these
   * @throws {LankvError} LANKV_NO_DAEMON, LANKV_TIMEOUT, and what the daemon says
   */
  call(...command: readonly Argument[]): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // What was silent before it owed anything does not count.
    if (this.#owesNothing) this.#socket.setTimeout(this.#silenceMs);
    if (this.#output === "") process.nextTick(() => this.#flush());
    this.#output += encode(command);
    if (this.#output.length >= CHUNK_BYTES) this.#flush();
    return new Promise((resolve, reject) => {
      this.#calls.push({ resolve, reject });
    });
  }

  /**
   * Subscribes to the channels that match a pattern. From then on the connection takes no other command: what comes
   * is not an answer to anything.
   * @throws {LankvError} as `call`
   */
  async subscribe(pattern: Argument, subscriber: Subscriber): Promise<void> {
    this.#subscriber = subscriber;
    await this.call("PSUBSCRIBE", pattern);
  }

  /**
   * Fulfilled when the daemon has ended the connection.
   * @throws {LankvError} LANKV_TIMEOUT
   */
  async ended(timeoutMs: number): Promise<void> {
    if (this.#socket.closed) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new LankvError(
            "LANKV_TIMEOUT",
            `The daemon was told to end, and has not after ${String(timeoutMs)} ms. Give it longer with --timeout.`,
            { stateChanged: true },
          ),
        );
      }, timeoutMs);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** A message to a subscriber is its kind, the pattern, the channel and what was published. */
  #hear(reply: unknown): void {
    if (!Array.isArray(reply)) return;
    const parts: readonly unknown[] = reply;
    const [, , channel, payload] = parts;
    if (Buffer.isBuffer(channel) && Buffer.isBuffer(payload)) this.#subscriber?.message(channel, payload);
  }

  #flush(): void {
    if (this.#output !== "" && !this.#socket.destroyed) this.#socket.write(this.#output, "latin1");
    this.#output = "";
  }

  get #owesNothing(): boolean {
    return this.#calls.length === this.#answered;
  }

  #giveUp(): void {
    if (this.#owesNothing) return;
    const error = new LankvError(
      "LANKV_TIMEOUT",
      `No reply from the daemon for ${String(this.#silenceMs)} ms. Give it longer with --timeout.`,
      { stateChanged: true },
    );
    for (let call = this.#take(); call !== undefined; call = this.#take()) call.reject(error);
    this.#socket.destroy();
  }

  #take(): Call | undefined {
    const call = this.#calls[this.#answered];
    this.#answered += 1;
    if (this.#answered >= this.#calls.length || this.#answered === CALLS_KEPT) {
      this.#calls.splice(0, this.#answered);
      this.#answered = 0;
    }
    return call;
  }
}

function encode(command: readonly Argument[]): string {
  let encoded = `*${String(command.length)}\r\n`;
  for (const argument of command) {
    const bytes =
      argument instanceof Uint8Array
        ? Buffer.from(argument).toString("latin1")
        : textToBytes(String(argument));
    encoded += `$${String(bytes.length)}\r\n${bytes}\r\n`;
  }
  return encoded;
}

/** Errors that have a code come back as what they were; others lose the "ERR" that says nothing. */
function toError(text: string): Error {
  if (text.startsWith("LOADING ")) return new LoadingError(text.slice("LOADING ".length));
  if (text.startsWith("MISCONF ")) {
    const message = text.slice("MISCONF ".length);
    return new LankvError("LANKV_DISK", message, { stateChanged: message.startsWith("Written ") });
  }
  const code = ERROR_CODES.find((each) => text.startsWith(`${each} `));
  if (code !== undefined) return new LankvError(code, text.slice(code.length + 1));
  if (/^(?:NOAUTH|WRONGPASS) /.test(text)) {
    const what = text.startsWith("NOAUTH ") ? "a password" : "another password";
    return new LankvError(
      "LANKV_PASSWORD",
      `The daemon wants ${what}. Give it with --url redis://:PASSWORD@HOST:PORT, or use the unix socket, which needs none.`,
    );
  }
  return new Refusal(text.split(" ", 1)[0] ?? "", `The daemon refused: ${text.replace(/^ERR /, "")}`);
}
