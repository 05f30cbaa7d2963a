/** The streams as they were sent: which records each `set` message stands for, those included that it only announced. */
import type { KvRecord } from "../../../src/core/record.js";
import { Violation, type Checker, type Published, type Wrote } from "../checker.js";

export class Streams implements Checker {
  readonly name = "streams";
  readonly #unsent = new Map<string, KvRecord[]>();
  readonly #messages = new Map<string, (readonly KvRecord[])[]>();

  /** Of each message, what was written with it; message 1 is at 0. */
  messagesOf(writer: string): readonly (readonly KvRecord[])[] {
    return this.#messages.get(writer) ?? [];
  }

  /** How many records were written and not yet sent. */
  unsentOf(writer: string): number {
    return this.#unsent.get(writer)?.length ?? 0;
  }

  wrote({ process, record }: Wrote): void {
    const unsent = this.#unsent.get(process.writer) ?? [];
    this.#unsent.set(process.writer, unsent);
    if (record !== undefined) unsent.push(record);
  }

  published({ process, message }: Published): void {
    if (message.type !== "set") return;
    const messages = this.#messages.get(process.writer) ?? [];
    this.#messages.set(process.writer, messages);
    // One that is too large to be sent is announced alone.
    const sent = this.#unsent.get(process.writer)?.splice(0, Math.max(1, message.records.length)) ?? [];
    if (messages.push(sent) !== message.seq || sent.length === 0)
      throw new Violation(this.name, `${process.name} sent a message ${String(message.seq)} out of turn`);
  }
}
