/** Invariant 7: after the heal, what is pulled is at most a constant times what was missed, and the sums. */
import {
  Violation,
  type Checker,
  type Published,
  type Restored,
  type Scene,
  type Stepped,
} from "../checker.js";
import { contentsOf } from "../contents.js";
import type { KvRecord } from "../../../src/core/record.js";
import { isAfter, versionOf, type History } from "./history.js";

/** How often a record may be pulled by a node that lacks it. */
const PULLS_MAX = 3;
/** What each node may pull though it lacks nothing: this, and so many of the largest record. */
const SLACK_BYTES = 64 * 1024;
const SLACK_RECORDS = 3;
/**
 * A question for buckets does name what is held, so nothing but this may come in vain: what was in flight, and the
 * largest record.
 */
const VAIN_BYTES = 8 * 1024;
/** How many lists a node may send after the heal: the first look at each peer, and then ever rarer. */
const LISTS_PER_PEER_MAX = 12;

export class RepairCostChecker implements Checker {
  readonly name = "repair cost";
  #isHealed = false;
  readonly #heldAtHeal = new Map<string, Map<string, KvRecord>>();
  readonly #pulled = new Map<string, number>();
  readonly #metMissed = new Map<string, number>();
  readonly #met = new Set<string>();
  /** By process and id, what each question since the heal was for. */
  readonly #asked = new Map<string, string>();
  /** Bytes that answers to those brought though they were held, or older than what was. */
  readonly #inVain = new Map<string, number>();
  #largest = 0;
  readonly #lists = new Map<string, number>();

  constructor(private readonly history: History) {}

  healing({ alive }: Scene): void {
    this.#isHealed = true;
    for (const { name, replica } of alive)
      this.#heldAtHeal.set(name, new Map(contentsOf(replica).map((record) => [record.key, record])));
  }

  /** What a disk gives need not be pulled. */
  restored({ process, records }: Restored): void {
    if (!this.#isHealed) return;
    const held = this.#heldAtHeal.get(process.name) ?? new Map<string, KvRecord>();
    this.#heldAtHeal.set(process.name, held);
    for (const record of records) {
      const other = held.get(record.key);
      if (other === undefined || isAfter(record, other)) held.set(record.key, record);
    }
  }

  stepped({ process, input, effects, before }: Stepped): void {
    if (!this.#isHealed || input.type !== "message" || input.message.type !== "answer") return;
    const asked = this.#asked.get(`${process.name} ${String(input.message.id)}`);
    if (asked === undefined) return;
    const { records } = input.message;
    for (const record of records) this.#largest = Math.max(this.#largest, bytesOf(record));
    add(
      this.#pulled,
      process.name,
      records.reduce((sum, record) => sum + bytesOf(record), 0),
    );
    // A write that lost, and of which the node learns only now, was missed too. So was what a gap in a stream held, though
    // it may have come by way of others: a question for a gap cannot name what did. Each counts once.
    const lost = new Set(
      effects.flatMap((effect) => (effect.type === "conflict" ? [versionOf(effect.loser)] : [])),
    );
    for (const record of records) {
      if (asked !== "stream" && !lost.has(versionOf(record))) continue;
      const met = `${process.name} ${versionOf(record)}`;
      if (!this.#met.has(met)) add(this.#metMissed, process.name, bytesOf(record));
      this.#met.add(met);
    }
    if (asked !== "buckets") return;
    for (const record of records) {
      const held = before.get(record.key);
      if (held !== undefined && !isAfter(record, held)) add(this.#inVain, process.name, bytesOf(record));
    }
  }

  published({ process, message }: Published): void {
    if (!this.#isHealed) return;
    if (message.type === "question") this.#asked.set(`${process.name} ${String(message.id)}`, message.ask.of);
    if (message.type !== "list") return;
    this.#lists.set(process.name, (this.#lists.get(process.name) ?? 0) + 1);
  }

  finished({ alive, tallies }: Scene): void {
    for (const process of alive) {
      const held = this.#heldAtHeal.get(process.name);
      let missed = this.#metMissed.get(process.name) ?? 0;
      for (const record of contentsOf(process.replica)) {
        // What has expired since may have come with its value.
        if (held?.get(record.key)?.stamp !== record.stamp)
          missed += bytesOf(this.history.writeOf(record).record);
      }
      const pulled = this.#pulled.get(process.name) ?? 0;
      tallies.add("bytes missed at the heal", missed);
      tallies.add("bytes pulled after it", pulled);
      if (pulled > PULLS_MAX * missed + SLACK_BYTES + SLACK_RECORDS * this.#largest)
        throw new Violation(
          this.name,
          `${process.name} pulled ${String(pulled)} B for ${String(missed)} B missed`,
        );
      const inVain = (this.#inVain.get(process.name) ?? 0) - (this.#metMissed.get(process.name) ?? 0);
      if (inVain > VAIN_BYTES + this.#largest + missed)
        throw new Violation(this.name, `${process.name} was sent ${String(inVain)} B that it held`);
      const lists = this.#lists.get(process.name) ?? 0;
      if (lists > LISTS_PER_PEER_MAX * alive.length)
        throw new Violation(this.name, `${process.name} sent ${String(lists)} lists`);
    }
  }
}

function add(sums: Map<string, number>, name: string, bytes: number): void {
  sums.set(name, (sums.get(name) ?? 0) + bytes);
}

function bytesOf({ key, value }: KvRecord): number {
  return key.length + value.length + 24;
}
