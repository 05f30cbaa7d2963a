/**
 * A record goes out as it was written, in every byte. Its value is left out only by a sender that does not have it either,
 * since its time ran out there.
 */
import { isDeepStrictEqual } from "node:util";
import type { KvRecord } from "../../../src/core/record.js";
import { Violation, type Checker, type Published } from "../checker.js";
import { describe, isRemains, isVersionOf, type History } from "./history.js";

export class SentChecker implements Checker {
  readonly name = "sent records";

  constructor(private readonly history: History) {}

  published({ process, message, frame }: Published): void {
    if (!("records" in message)) return;
    for (const record of message.records) {
      const written = this.history.writeOf(record).record;
      if (!isRemains(record) || isRemains(written)) continue;
      const held = process.replica.get(record.key);
      if (held === undefined || !isVersionOf(held, record) || !isRemains(held))
        throw new Violation(this.name, `${process.name} sends ${describe(record)} and has ${describe(held)}`);
    }
    const decoded = frame.content?.message;
    const records = decoded !== undefined && "records" in decoded ? decoded.records : undefined;
    const isSame =
      records?.length === message.records.length &&
      records.every((record, i) => isEqual(record, message.records[i]));
    if (!isSame)
      throw new Violation(this.name, `a frame of ${process.name} reads otherwise than it was written`);
  }
}

/** Whether two records are equal in every property, those included that records may have one day. */
function isEqual(a: KvRecord, b: KvRecord | undefined): boolean {
  if (b === undefined || Object.keys(a).length !== Object.keys(b).length) return false;
  const ofA: Readonly<Record<string, unknown>> = { ...a };
  const ofB: Readonly<Record<string, unknown>> = { ...b };
  for (const name in ofA)
    if (ofA[name] !== ofB[name] && !isDeepStrictEqual(ofA[name], ofB[name])) return false;
  return true;
}
