/**
 * What was written or published here and has not been sent yet, and the stream of what was written.
 *
 * Writes leave before publications, whatever their order was: who is told of something finds the write that was made before.
 */
import type { Bytes } from "./bytes.js";
import { BATCH_BYTES_MAX, Batches, recordBytes } from "./batch.js";
import type { Publication, PublishMessage, SetMessage } from "./message.js";
import type { KvRecord } from "./record.js";
import { OutStream } from "./stream.js";
import type { Writer } from "./version.js";

/** With so many bytes waiting, the turn's end is not waited for. */
export const WAITING_BYTES_MAX = 1024 * 1024;

export class Outbox {
  readonly stream: OutStream;
  readonly #records = new Batches<KvRecord>(recordBytes);
  /** Of the records, in their order. */
  #slots: number[] = [];
  readonly #publications = new Batches<Publication>(publicationBytes);

  /** @param ringKeysMax how many keys the ring of the stream remembers */
  constructor(ringKeysMax: number) {
    this.stream = new OutStream(ringKeysMax);
  }

  /** Whether so much waits that it should be sent now. */
  get isFull(): boolean {
    return this.#records.bytes + this.#publications.bytes >= WAITING_BYTES_MAX;
  }

  /** @param slot where the map holds it */
  add(record: KvRecord, slot: number): void {
    this.#records.add(record);
    this.#slots.push(slot);
  }

  publish(channel: Bytes, payload: Bytes): void {
    this.#publications.add({ channel, payload });
  }

  /** Returns the messages for everything added since the last call. */
  take(from: Writer): readonly (SetMessage | PublishMessage)[] {
    return [...this.#takeRecords(from), ...this.#takePublications(from)];
  }

  /**
   * A record that is larger than a batch may be is announced without its bytes: the readers ask for it, within their
   * windows.
   */
  #takeRecords(from: Writer): readonly SetMessage[] {
    const slots = this.#slots;
    this.#slots = [];
    let at = 0;
    return this.#records.take().map((batch) => {
      const seq = this.stream.append({
        slots: slots.slice(at, at + batch.length),
        stampMax: batch.reduce((max, { stamp }) => Math.max(max, stamp), 0),
      });
      at += batch.length;
      const [first] = batch;
      const isTooLarge = first !== undefined && recordBytes(first) > BATCH_BYTES_MAX;
      return { type: "set", from, seq, records: isTooLarge ? [] : batch };
    });
  }

  #takePublications(from: Writer): readonly PublishMessage[] {
    return this.#publications.take().map((publications) => ({ type: "publish", from, publications }));
  }
}

/** About the bytes that a publication takes in a message. */
export function publicationBytes({ channel, payload }: Publication): number {
  return 5 + channel.length + payload.length;
}
