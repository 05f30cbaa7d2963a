import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "node:test";
import { defaultSocketPath, socketPathOfDaemon } from "../../../src/cli/socket-path.js";

describe(
  "the socket's path",
  { skip: process.platform !== "linux" && "it is another on other systems" },
  () => {
    it("is in the user's runtime directory", () => {
      assert.equal(defaultSocketPath({ XDG_RUNTIME_DIR: "/run/user/7" }), "/run/user/7/lankv/lankv.sock");
    });

    it("is elsewhere without one, apart for each user", () => {
      const uid = process.getuid?.() ?? 0;
      const expected = uid === 0 ? /^\/run\/lankv\/lankv\.sock$/ : new RegExp(`/lankv-${uid}/lankv\\.sock$`);
      assert.match(defaultSocketPath({}), expected);
      assert.match(defaultSocketPath({ XDG_RUNTIME_DIR: "" }), expected);
    });

    it("is the service's for commands, when only that is there", async () => {
      const scratch = mkdtempSync(path.join(tmpdir(), "lankv-path-"));
      const [own, system] = [path.join(scratch, "lankv/lankv.sock"), path.join(scratch, "system.sock")];
      const find = (): string => socketPathOfDaemon({ XDG_RUNTIME_DIR: scratch }, system);
      mkdirSync(path.dirname(own));
      assert.equal(find(), own);
      const servers = [];
      for (const [at, found] of [
        [system, system],
        [own, own],
      ] as const) {
        const server = createServer().listen(at);
        await once(server, "listening");
        servers.push(server);
        assert.equal(find(), found);
      }
      for (const server of servers) server.close();
      rmSync(scratch, { recursive: true });
    });
  },
);
