/**
 * A record goes out as it was written, in every byte. Its value is left out only by a sender that does not have it either,
 * since its time ran out there.
 */
import { isDeepStrictEqual } from "node:util";
import { decodeMessage } from "../../../src/wire/message.js";
import { Violation, type Checker, type Published } from "../checker.js";
import { describe, isRemains, versionOf, type History } from "./history.js";

export class SentChecker implements Checker {
  readonly name = "sent records";

  constructor(private readonly history: History) {}

  published({ process, message, frame }: Published): void {
    if (!("records" in message)) return;
    for (const record of message.records) {
      const written = this.history.writeOf(record).record;
      if (!isRemains(record) || isRemains(written)) continue;
      const held = process.replica.get(record.key);
      if (held === undefined || versionOf(held) !== versionOf(record) || !isRemains(held))
        throw new Violation(this.name, `${process.name} sends ${describe(record)} and has ${describe(held)}`);
    }
    const decoded = decodeMessage(frame);
    const records = decoded !== undefined && "records" in decoded ? decoded.records : undefined;
    if (!isDeepStrictEqual(records, message.records))
      throw new Violation(this.name, `a frame of ${process.name} reads otherwise than it was written`);
  }
}
