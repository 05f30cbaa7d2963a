/**
 * What is published to a channel arrives as it was said, at most once and in the order of the publisher, or not at all;
 * and when it arrives, what its publisher had written before is there, unless the message that brings it was lost.
 */
import {
  Violation,
  type Checker,
  type Posted,
  type Published,
  type Scene,
  type Stepped,
} from "../checker.js";
import type { PublishMessage } from "../../../src/core/message.js";
import type { Process } from "../process.js";
import { describe, isAfter } from "./history.js";
import type { Streams } from "./streams.js";

interface Said {
  readonly channel: string;
  readonly payload: string;
  /** Number of the publisher's last `set` message when this was sent; undefined = not sent yet. */
  afterSeq: number | undefined;
}

/** What a process has heard of a publisher. */
interface Heard {
  /** How many of its publications there were up to the last that was heard. */
  upTo: number;
  /** Every message up to here that comes has come. */
  afterSeq: number;
  /** Numbers of the latest `set` messages that came with their records. */
  readonly sets: Set<number>;
}

const SETS_MAX = 100;

export class PublicationsChecker implements Checker {
  readonly name = "publications";
  readonly #said = new Map<string, Said[]>();
  readonly #sent = new Map<string, number>();
  readonly #heard = new Map<string, Heard>();

  constructor(private readonly streams: Streams) {}

  posted({ process, channel, payload }: Posted): void {
    const said = this.#said.get(process.writer) ?? [];
    this.#said.set(process.writer, said);
    said.push({ channel, payload, afterSeq: undefined });
  }

  published({ process, message }: Published): void {
    if (message.type !== "publish") return;
    if (this.streams.unsentOf(process.writer) > 0)
      throw new Violation(this.name, `${process.name} publishes before what it has written`);
    let sent = this.#sent.get(process.writer) ?? 0;
    for (const { channel, payload } of message.publications) {
      const said = this.#said.get(process.writer)?.[sent];
      if (said?.channel !== channel || said.payload !== payload)
        throw new Violation(this.name, `${process.name} publishes what is not its next publication`);
      said.afterSeq = this.streams.messagesOf(process.writer).length;
      sent += 1;
    }
    this.#sent.set(process.writer, sent);
  }

  stepped({ process, input, effects, isKnown, isForged }: Stepped): void {
    const told = effects.flatMap((effect) => (effect.type === "published" ? effect.publications : []));
    if (input.type !== "message" || input.message.type !== "publish") {
      if (told.length > 0) throw new Violation(this.name, `${process.name} heard what did not come`);
      if (input.type === "message" && input.message.type === "set" && isKnown && !isForged)
        this.#handleSet(process, input.message.from, input.message.seq, input.message.records.length);
      return;
    }
    if (isForged) return;
    const expected = isKnown ? input.message.publications : [];
    if (told.length !== expected.length || told.some((publication, i) => publication !== expected[i]))
      throw new Violation(this.name, `${process.name} was told something else than what came`);
    if (isKnown) this.#handlePublications(process, input.message);
  }

  /** Everybody published something when all was quiet. */
  finished({ alive }: Scene): void {
    for (const { name, writer } of alive) {
      for (const publisher of alive) {
        const last = this.#said.get(publisher.writer)?.length ?? 0;
        if (writer === publisher.writer || this.#heardOf(writer, publisher.writer).upTo === last) continue;
        throw new Violation(this.name, `${name} did not hear the last that ${publisher.name} published`);
      }
    }
  }

  #handleSet(process: Process, from: string, seq: number, records: number): void {
    const heard = this.#heardOf(process.writer, from);
    if (seq <= heard.afterSeq)
      throw new Violation(
        this.name,
        `message ${String(seq)} came to ${process.name} behind what was published after it`,
      );
    if (records > 0) heard.sets.add(seq);
    for (const oldest of heard.sets) {
      if (heard.sets.size <= SETS_MAX) break;
      heard.sets.delete(oldest);
    }
  }

  #handlePublications(process: Process, { from, publications }: PublishMessage): void {
    const heard = this.#heardOf(process.writer, from);
    for (const { channel, payload } of publications) {
      const all = this.#said.get(from) ?? [];
      const at = all.findIndex(
        (one, i) => i >= heard.upTo && one.payload === payload && one.channel === channel,
      );
      const said = all[at];
      if (said?.afterSeq === undefined)
        throw new Violation(
          this.name,
          `${process.name} heard ${payload.slice(0, 16)} twice, late, or without its being said`,
        );
      heard.upTo = at + 1;
      heard.afterSeq = said.afterSeq;
    }
    for (const seq of heard.sets) this.#expectHeld(process, from, seq);
  }

  #expectHeld(process: Process, from: string, seq: number): void {
    for (const record of this.streams.messagesOf(from)[seq - 1] ?? []) {
      const held = process.replica.get(record.key);
      if (held === undefined || isAfter(record, held))
        throw new Violation(this.name, `${process.name} was told before it had ${describe(record)}`);
    }
  }

  #heardOf(process: string, publisher: string): Heard {
    const pair = `${process} ${publisher}`;
    const heard = this.#heard.get(pair) ?? { upTo: 0, afterSeq: 0, sets: new Set() };
    this.#heard.set(pair, heard);
    return heard;
  }
}
