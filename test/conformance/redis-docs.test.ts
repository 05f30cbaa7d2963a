/** docs/redis.md is what the table of commands says. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { redisDocs } from "../../scripts/docs/redis.js";
import { commandTable } from "../../src/resp/table.js";
import { textOf } from "./project.js";

describe("docs/redis.md", () => {
  it("is what `npm run docs:redis` prints", () => {
    assert.equal(textOf("docs/redis.md"), redisDocs());
  });

  it("has every command", () => {
    const document = textOf("docs/redis.md");
    for (const { name, subcommands = [] } of commandTable.values()) {
      for (const each of subcommands.length === 0 ? [name] : subcommands.map((sub) => sub.name)) {
        if (each.endsWith("|help")) continue;
        assert.match(document, new RegExp(`^\\| \`${each.toUpperCase().replace("|", " ")}[ \`]`, "m"), each);
      }
    }
  });
});
