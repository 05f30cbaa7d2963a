/** What was written here and has not been published yet, and the stream of what has. */
import { BATCH_BYTES_MAX, batches, recordBytes } from "./batch.js";
import type { SetMessage } from "./message.js";
import type { KvRecord } from "./record.js";
import { OutStream } from "./stream.js";
import type { Writer } from "./version.js";

export class Outbox {
  readonly stream: OutStream;
  #pending: KvRecord[] = [];

  /** @param ringKeysMax how many keys the ring of the stream remembers */
  constructor(ringKeysMax: number) {
    this.stream = new OutStream(ringKeysMax);
  }

  add(record: KvRecord): void {
    this.#pending.push(record);
  }

  /**
   * Numbers and returns the messages for everything added since the last call. A record that is larger than a batch
   * may be is announced without its bytes: the readers ask for it, within their windows.
   */
  take(from: Writer): SetMessage[] {
    const messages: SetMessage[] = [];
    for (const batch of batches(this.#pending, BATCH_BYTES_MAX)) {
      const [first] = batch;
      const isTooLarge = first !== undefined && recordBytes(first) > BATCH_BYTES_MAX;
      messages.push({
        type: "set",
        from,
        seq: this.stream.append(batch),
        records: isTooLarge ? [] : batch,
      });
    }
    this.#pending = [];
    return messages;
  }
}
