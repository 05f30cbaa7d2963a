/**
 * One client's connection: requests in, replies out, in the same order.
 *
 * Requests are carried out one after another. While one waits for something, while the socket has more to send
 * than it should hold, or when the end has come, no further request is read: a client that pipelines much or reads
 * slowly costs a bounded amount of memory. The replies of a chunk leave in one write.
 */
import type { Socket } from "node:net";
import createDebug from "debug";
import type { Client, Context } from "./command.js";
import { encode, encodeBounded, ErrorReply, type Reply } from "./reply.js";
import { ProtocolError, RequestParser, type Request } from "./request.js";
import { execute } from "./table.js";

const debug = createDebug("lankv:resp");

/** Replies are handed to the socket when so many bytes are there. */
const OUTPUT_BYTES = 262_144;
/** While the socket holds more than so many bytes, no request is carried out. */
const UNSENT_BYTES_MAX = 1_048_576;

export class Session {
  readonly #socket: Socket;
  readonly #parser = new RequestParser();
  readonly #client: Client;
  readonly #context: Context;
  readonly #aborter = new AbortController();
  #output = "";
  #isWaiting = false;
  #isEnding = false;

  /** @param toContext what commands see, given the client's own part of it */
  constructor(socket: Socket, id: number, toContext: (client: Client) => Context) {
    this.#socket = socket;
    this.#client = {
      id,
      name: "",
      signal: this.#aborter.signal,
      closeAfterReply: () => {
        this.#isEnding = true;
      },
    };
    this.#context = toContext(this.#client);
    socket.on("data", (chunk: Buffer) => {
      this.#parser.push(chunk);
      this.#run();
    });
    socket.on("drain", () => {
      if (this.#isWaiting || this.#isEnding) return;
      socket.resume();
      this.#run();
    });
    socket.on("error", (error) => {
      debug("client %d: %s", id, error.message);
    });
    socket.on("close", () => {
      this.#isEnding = true;
      this.#aborter.abort();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #run(): void {
    try {
      while (!this.#isWaiting && !this.#isEnding && this.#hasRoom()) {
        const request = this.#parser.next();
        if (request === undefined) break;
        this.#handle(request);
      }
      this.#flush();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#isEnding) this.#socket.destroySoon();
  }

  /** Whatever went wrong ends this connection, and no other. */
  #fail(error: unknown): void {
    this.#isEnding = true;
    if (error instanceof ProtocolError) {
      this.#output += encode(new ErrorReply(`ERR ${error.message}`), 2);
      this.#flush();
    } else {
      debug("client %d: failed: %O", this.#client.id, error);
      this.#socket.destroy();
    }
  }

  #handle(request: Request): void {
    if (isFromBrowser(request)) {
      debug("client %d speaks HTTP", this.#client.id);
      this.#isEnding = true;
      this.#socket.destroy();
      return;
    }
    const reply = execute(request, this.#context);
    if (reply instanceof Promise) this.#wait(reply);
    else this.#output += encodeBounded(reply, 2);
  }

  #wait(reply: Promise<Reply>): void {
    this.#isWaiting = true;
    this.#socket.pause();
    reply
      .then((settled) => {
        this.#isWaiting = false;
        if (this.#socket.destroyed) return;
        this.#output += encodeBounded(settled, 2);
        this.#socket.resume();
        this.#run();
      })
      .catch((error: unknown) => {
        this.#fail(error);
      });
  }

  /** Whether the socket takes more; if not, its `drain` goes on with what is left. */
  #hasRoom(): boolean {
    if (this.#output.length >= OUTPUT_BYTES) this.#flush();
    if (this.#socket.writableLength < UNSENT_BYTES_MAX) return true;
    this.#socket.pause();
    return false;
  }

  #flush(): void {
    if (this.#output === "") return;
    this.#socket.write(this.#output, "latin1");
    this.#output = "";
  }
}

/** A web page can make a browser post to a local port; it must not get as far as the body. */
function isFromBrowser(request: Request): boolean {
  const name = request[0]?.toLowerCase();
  return name === "post" || name === "host:";
}
