/** Invariant 7: after the heal, what is pulled is at most a constant times what was missed, and the sums. */
import { Violation, type Checker, type Published, type Scene, type Stepped } from "../checker.js";
import { contentsOf } from "../contents.js";
import type { KvRecord } from "../../../src/core/record.js";

/** How often a record may be pulled by a node that lacks it. */
const PULLS_MAX = 2;
/** What each node may pull though it lacks nothing: this, and so many of the largest record. */
const SLACK_BYTES = 32 * 1024;
const SLACK_RECORDS = 3;
/** How many lists a node may send after the heal: the first look at each peer, and then ever rarer. */
const LISTS_PER_PEER_MAX = 12;

export class RepairCostChecker implements Checker {
  readonly name = "repair cost";
  #isHealed = false;
  readonly #heldAtHeal = new Map<string, Map<string, KvRecord>>();
  readonly #pulled = new Map<string, number>();
  #largest = 0;
  readonly #lists = new Map<string, number>();

  healing({ alive }: Scene): void {
    this.#isHealed = true;
    for (const { name, replica } of alive)
      this.#heldAtHeal.set(name, new Map(contentsOf(replica).map((record) => [record.key, record])));
  }

  stepped({ process, input }: Stepped): void {
    if (!this.#isHealed || input.type !== "message" || input.message.type !== "answer") return;
    for (const record of input.message.records) this.#largest = Math.max(this.#largest, bytesOf(record));
    const bytes = input.message.records.reduce((sum, record) => sum + bytesOf(record), 0);
    this.#pulled.set(process.name, (this.#pulled.get(process.name) ?? 0) + bytes);
  }

  published({ process, message }: Published): void {
    if (!this.#isHealed || message.type !== "list") return;
    this.#lists.set(process.name, (this.#lists.get(process.name) ?? 0) + 1);
  }

  finished({ alive, tallies }: Scene): void {
    for (const process of alive) {
      const held = this.#heldAtHeal.get(process.name);
      let missed = 0;
      for (const record of contentsOf(process.replica)) {
        if (held?.get(record.key)?.stamp !== record.stamp) missed += bytesOf(record);
      }
      const pulled = this.#pulled.get(process.name) ?? 0;
      tallies.add("bytes missed at the heal", missed);
      tallies.add("bytes pulled after it", pulled);
      if (pulled > PULLS_MAX * missed + SLACK_BYTES + SLACK_RECORDS * this.#largest)
        throw new Violation(
          this.name,
          `${process.name} pulled ${String(pulled)} B for ${String(missed)} B missed`,
        );
      const lists = this.#lists.get(process.name) ?? 0;
      if (lists > LISTS_PER_PEER_MAX * alive.length)
        throw new Violation(this.name, `${process.name} sent ${String(lists)} lists`);
    }
  }
}

function bytesOf({ key, value }: KvRecord): number {
  return key.length + value.length + 24;
}
