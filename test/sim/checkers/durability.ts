/**
 * Invariant 3: what was acknowledged as durable is on the disk, survives everything that the disk survives, and is in
 * the final map, or something newer of its key is. And whatever a copy holds is saved sooner or later, and synced unless the
 * policy forbids.
 */
import type { KvRecord } from "../../../src/core/record.js";
import { Violation, type Checker, type Durable, type Scene, type Stepped } from "../checker.js";
import type { Process } from "../process.js";
import { describe, isAfter, isRemains } from "./history.js";

export class DurabilityChecker implements Checker {
  readonly name = "durability";
  #promises = 0;

  durable({ process, records }: Durable): void {
    for (const record of records) this.promise(process, record);
  }

  /** A record is said to be durable with a process. */
  promise(process: Process, record: KvRecord): void {
    const { disk } = process;
    if (disk?.isDurable(record) !== true)
      throw new Violation(
        this.name,
        `${process.name} says that ${describe(record)} is durable, and it is not`,
      );
    const other = disk.acknowledged.get(record.key);
    if (other === undefined || isAfter(record, other)) disk.acknowledged.set(record.key, record);
    this.#promises += 1;
  }

  stepped({ process, input }: Stepped): void {
    if (input.type === "loaded") this.#expectAcknowledged(process, "after loading");
  }

  second({ alive }: Scene): void {
    for (const { name, replica } of alive) {
      const { saving, map, presence } = replica;
      if (saving === undefined) continue;
      if (saving.unsaved > map.records || [...presence.peers.values()].some(({ owed }) => owed.length > 2))
        throw new Violation(
          "bounds",
          `${name} has ${String(saving.unsaved)} of ${String(map.records)} to save`,
        );
    }
  }

  finished({ alive, tallies }: Scene): void {
    tallies.add("acknowledged as durable", this.#promises);
    for (const process of alive) {
      tallies.add("durable in the end", process.disk?.acknowledged.size ?? 0);
      this.#expectAcknowledged(process, "in the end");
    }
  }

  aged({ alive }: Scene): void {
    for (const process of alive) {
      const { disk, replica, host } = process;
      if (disk === undefined) continue;
      const saved = disk.contents();
      for (const record of replica.map.all()) {
        const entry = saved.get(record.key);
        if (entry === undefined || isAfter(record, entry) || isRemains(entry) !== isRemains(record))
          throw new Violation(
            this.name,
            `${process.name} never saved ${describe(record)}, but ${describe(entry)}`,
          );
        if (host.fsync !== "never" && !disk.isDurable(record))
          throw new Violation(this.name, `${process.name} never synced ${describe(record)}`);
      }
    }
  }

  #expectAcknowledged(process: Process, when: string): void {
    for (const record of process.disk?.acknowledged.values() ?? []) {
      const held = process.replica.get(record.key);
      if (held === undefined || isAfter(record, held))
        throw new Violation(
          this.name,
          `${process.name} said that ${describe(record)} is durable, and ${when} has ${describe(held)}`,
        );
    }
  }
}
