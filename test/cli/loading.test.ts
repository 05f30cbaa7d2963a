/** Commands that wait for a daemon which is loading its keys. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Running, scratchDirectory } from "./lankv.js";

const directory = scratchDirectory(after);
const socket = path.join(directory, "loading.sock");
let server: Server;
let asked: () => void = () => undefined;

/** Loads for as long as anybody waits: a real daemon would be done before it is interrupted. */
before(async () => {
  server = createServer((client) => {
    client.on("error", () => undefined);
    client.on("data", () => {
      client.write("-LOADING the keys are being loaded\r\n");
      asked();
    });
  });
  server.listen(socket);
  await once(server, "listening");
});

after(() => {
  server.close();
});

describe("a command that waits for a daemon to load its keys", () => {
  for (const command of ["export", "import"]) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      it(`${command} ends with 130 at the first ${signal}`, async () => {
        const file = path.join(directory, "keys.jsonl");
        writeFileSync(file, "");
        const isAsked = new Promise<void>((resolve) => {
          asked = resolve;
        });
        const running = new Running(["-s", socket, "--timeout", "20s", command, file]);
        await isAsked;
        running.signal(signal);
        assert.equal(await running.ended(), 130, running.stderr);
        assert.equal(running.stderr, "");
      });
    }
  }
});
