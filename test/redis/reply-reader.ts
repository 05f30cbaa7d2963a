import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A reply of RESP2, told apart by its type: `+OK`, `-ERR ...`, `:1`, `$value`, `$-1`, or an array of them. */
export type Raw = string | readonly Raw[];

/** A connection that sends commands and reads the replies as they came. */
export class RawClient {
  readonly #socket: Socket;
  #buffer = "";
  #wake = (): void => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      this.#buffer += chunk;
      this.#wake();
    });
    socket.on("close", () => this.#wake());
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** The replies to commands that are sent in one write. */
  async callEach(commands: readonly (readonly string[])[]): Promise<Raw[]> {
    this.#socket.write(commands.map(encode).join(""), "latin1");
    const replies: Raw[] = [];
    while (replies.length < commands.length) {
      const read = readReply(this.#buffer, 0);
      if (read === undefined) {
        assert(!this.#socket.destroyed, "the connection ended");
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      replies.push(read.reply);
      this.#buffer = this.#buffer.slice(read.end);
    }
    return replies;
  }

  async call(...command: readonly string[]): Promise<Raw> {
    const [reply = ""] = await this.callEach([command]);
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }
}

function encode(command: readonly string[]): string {
  return `*${command.length}\r\n${command.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

/** @returns undefined when it has not come whole */
function readReply(text: string, from: number): { readonly reply: Raw; readonly end: number } | undefined {
  const lineEnd = text.indexOf("\r\n", from);
  if (lineEnd < 0) return undefined;
  const line = text.slice(from, lineEnd);
  const count = Number(line.slice(1));
  let end = lineEnd + 2;
  if (line.startsWith("$") && count >= 0) {
    return text.length < end + count + 2
      ? undefined
      : { reply: `$${text.slice(end, end + count)}`, end: end + count + 2 };
  }
  if (!line.startsWith("*") || count < 0) return { reply: line, end };
  const items: Raw[] = [];
  for (let index = 0; index < count; index += 1) {
    const item = readReply(text, end);
    if (item === undefined) return undefined;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end };
}
