/** What a subscriber has been told, in order. */
import assert from "node:assert/strict";
import { until } from "../lan/until.js";

export class Messages {
  readonly #heard: string[] = [];

  /** For the client to call with the parts of a message. */
  readonly take = (...parts: readonly (string | Buffer)[]): void => {
    this.#heard.push(parts.join(" "));
  };

  /** Waits until exactly these have come. */
  async are(...expected: readonly string[]): Promise<void> {
    await until("the messages are there", () => {
      assert.deepEqual(this.#heard, expected);
    });
  }

  /** Waits until these have come, whatever came between them. */
  async have(...expected: readonly string[]): Promise<void> {
    await until("the messages are there", () => {
      assert.deepEqual(
        this.#heard.filter((message) => expected.includes(message)),
        expected,
      );
    });
  }
}

/** Every byte there is. */
export const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
