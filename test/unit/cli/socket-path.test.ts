import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultSocketPath } from "../../../src/cli/socket-path.js";

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
  },
);
