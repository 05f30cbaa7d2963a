/** A unix socket that leads to another over a wire that is slow: every chunk that comes back takes its time. */
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export class SlowWire {
  readonly #server: Server;

  private constructor(
    readonly socket: string,
    server: Server,
  ) {
    this.#server = server;
  }

  /** @param delayMs how long each chunk of the replies takes */
  static async to(target: string, socket: string, delayMs: number): Promise<SlowWire> {
    const server = createServer((near) => {
      const far = connect(target);
      const end = (): void => {
        near.destroy();
        far.destroy();
      };
      for (const side of [near, far]) side.on("error", end).on("close", end);
      near.pipe(far);
      void (async () => {
        for await (const chunk of far) {
          await pause(delayMs);
          if (Buffer.isBuffer(chunk)) near.write(chunk);
        }
      })().catch(end);
    });
    server.listen(socket);
    await once(server, "listening");
    return new SlowWire(socket, server);
  }

  close(): void {
    this.#server.close();
  }
}
