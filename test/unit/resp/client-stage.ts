import assert from "node:assert/strict";
import type { Context } from "../../../src/resp/command.js";
import { encode } from "../../../src/resp/reply.js";
import { execute } from "../../../src/resp/table.js";
import { MemoryKeyspace } from "./memory-keyspace.js";
import { toContext } from "./session-context.js";

/** A client of a keyspace in memory, which notes the events that its commands tell. */
export class ClientStage {
  readonly keyspace = new MemoryKeyspace();
  /** As `class event key`. */
  readonly events: string[] = [];
  isInTransaction = false;

  /** The reply as it goes onto the wire in RESP2, without its last line end. */
  async reply(...request: readonly string[]): Promise<string> {
    const reply = execute(request, this.#context());
    assert(
      !(this.isInTransaction && reply instanceof Promise),
      `a promise in a transaction: ${request.join(" ")}`,
    );
    return encode(await reply, 2).replace(/\r\n$/, "");
  }

  /** Each line without quotes must be answered so; a bulk string is shown as its text in quotes, null as "nil". */
  async expect(script: readonly (readonly [line: string, shown: string])[]): Promise<void> {
    for (const [line, shown] of script) {
      const reply = await this.reply(...line.split(" "));
      const bulk = /^\$\d+\r\n([^]*)$/.exec(reply)?.[1];
      assert.equal(bulk === undefined ? reply.replace("$-1", "nil") : `"${bulk}"`, shown, line);
    }
  }

  /** The events since the last look. */
  told(): readonly string[] {
    return this.events.splice(0);
  }

  #context(): Context {
    return {
      ...toContext(this.keyspace),
      isInTransaction: this.isInTransaction,
      hears: () => true,
      notify: (eventClass, event, key) => this.events.push(`${eventClass} ${event} ${key}`),
    };
  }
}
