import { once } from "node:events";
import { connect, type Socket } from "node:net";
import Parser from "redis-parser";
import type { Daemon } from "./daemon.js";
import { until } from "./until.js";

/** A connection that listens to patterns of channels, and what it has heard: channel and message, in order. */
export class Subscriber {
  readonly heard: (readonly [channel: string, message: string])[] = [];
  #patterns = 0;

  private constructor(private readonly socket: Socket) {
    const parser = new Parser({
      returnReply: (reply: unknown) => this.#handle(reply),
      returnError: (error: Error) => socket.destroy(error),
    });
    socket.on("data", (chunk) => parser.execute(chunk));
    socket.on("error", () => undefined);
  }

  static async of(daemon: Daemon, ...patterns: string[]): Promise<Subscriber> {
    const socket = connect(daemon.socket);
    await once(socket, "connect");
    const subscriber = new Subscriber(socket);
    socket.write(`PSUBSCRIBE ${patterns.join(" ")}\r\n`);
    await until("the subscription stands", () => {
      if (subscriber.#patterns < patterns.length) throw new Error(`${String(subscriber.#patterns)} patterns`);
    });
    return subscriber;
  }

  /** What was heard on channels that start so. */
  messages(channel: string): string[] {
    return this.heard.filter(([name]) => name.startsWith(channel)).map(([, message]) => message);
  }

  close(): void {
    this.socket.destroy();
  }

  #handle(reply: unknown): void {
    if (!Array.isArray(reply)) return;
    const parts: unknown[] = reply;
    const [type, , channel, message] = parts;
    if (type === "psubscribe") this.#patterns += 1;
    if (type === "pmessage") this.heard.push([String(channel), String(message)]);
  }
}
