/**
 * Invariant 9: every overwritten concurrent write is reported as a conflict, and nothing else is.
 *
 * Whenever one record meets another of its key on a node, the loser must be reported there unless it led to the
 * winner. What a crashed copy took with it never meets anything, so nothing is expected of it; and what meets on a
 * disk met before, in a process that reported it, but for what came from others while it was being read. Two cases are
 * left open: a chain of more writers than a record can name may swallow a report, and a loser that led to the winner only
 * by way of an earlier write of the same process may be reported though its loss was known.
 */
import type { KvRecord } from "../../../src/core/record.js";
import { Violation, type Checker, type Restored, type Stepped } from "../checker.js";
import type { Process } from "../process.js";
import { contains, describe, isAfter, isSame, versionOf, type History } from "./history.js";

export class ConflictsChecker implements Checker {
  readonly name = "conflicts";

  /** What each process has reported: the same two records may meet there again, and are then no news. */
  readonly #told = new WeakMap<Process, Set<string>>();
  /** The keys that came to a process from others while its disk was being read. */
  readonly #fresh = new WeakMap<Process, Set<string>>();
  /** What met since its last step: the winner first. */
  readonly #met = new WeakMap<Process, [KvRecord, KvRecord][]>();

  constructor(private readonly history: History) {}

  restored({ process, records, before }: Restored): void {
    const fresh = this.#fresh.get(process);
    const met = this.#met.get(process) ?? [];
    this.#met.set(process, met);
    const held = new Map(before);
    for (const record of records) {
      const other = held.get(record.key);
      if (other === undefined || isAfter(record, other)) held.set(record.key, record);
      if (other === undefined || isSame(record, other) || fresh?.has(record.key) !== true) continue;
      met.push(isAfter(record, other) ? [record, other] : [other, record]);
    }
  }

  stepped({ process, input, effects, before, isKnown }: Stepped): void {
    if (process.replica.isLoading) {
      const fresh = this.#fresh.get(process) ?? new Set();
      this.#fresh.set(process, fresh);
      for (const effect of effects)
        if (effect.type === "applied") for (const { key } of effect.records) fresh.add(key);
    }
    const reported = new Map<string, number>();
    for (const effect of effects) {
      if (effect.type !== "conflict") continue;
      const pair = pairOf(effect.winner, effect.loser);
      reported.set(pair, (reported.get(pair) ?? 0) + 1);
    }
    for (const [winner, loser] of this.#met.get(process) ?? [])
      this.#expect(process, winner, loser, reported);
    this.#met.delete(process);
    if (
      input.type === "message" &&
      "records" in input.message &&
      isKnown &&
      input.message.records.length > 0
    ) {
      const held = new Map(before);
      for (const record of input.message.records) {
        const other = held.get(record.key);
        if (other === undefined || isAfter(record, other)) held.set(record.key, record);
        if (other === undefined || isSame(record, other)) continue;
        const [winner, loser] = isAfter(record, other) ? [record, other] : [other, record];
        this.#expect(process, winner, loser, reported);
      }
    }
    for (const [pair, count] of reported) {
      if (count > 0)
        throw new Violation(this.name, `${process.name} reported ${pair} though these did not meet`);
    }
  }

  #expect(process: Process, winner: KvRecord, loser: KvRecord, reported: Map<string, number>): void {
    const told = this.#told.get(process) ?? new Set();
    this.#told.set(process, told);
    const pair = reported.size + told.size > 0 ? pairOf(winner, loser) : "";
    const count = reported.get(pair) ?? 0;
    if (count > 0) reported.set(pair, count - 1);
    if (told.has(pair)) return;
    if (count > 0) told.add(pair);
    const { chain, past, isTruncated } = this.history.writeOf(winner);
    const isOwn = winner.writer === loser.writer;
    if (count > 0 && (isOwn || contains(chain, loser)))
      throw new Violation(
        this.name,
        `${process.name} reported ${describe(loser)}, which led to ${describe(winner)}`,
      );
    if (count === 0 && !isOwn && !isTruncated && !contains(past, loser)) {
      const text = `${describe(loser)} was overwritten unseen by ${describe(winner)}`;
      throw new Violation(this.name, `${process.name} did not report that ${text}`);
    }
  }
}

function pairOf(winner: KvRecord, loser: KvRecord): string {
  return `${versionOf(winner)} over ${versionOf(loser)}`;
}
