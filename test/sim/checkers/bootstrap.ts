/**
 * Who says that it is live has what another had: everything that one of the peers it could ask held when the
 * bootstrap began, or when that peer was linked, if later.
 */
import { Violation, type Checker, type Stepped } from "../checker.js";
import { contentsOf } from "../contents.js";
import type { KvRecord } from "../../../src/core/record.js";
import type { Process } from "../process.js";
import { describe, isAfter } from "./history.js";

type Contents = readonly KvRecord[];

export class BootstrapChecker implements Checker {
  readonly name = "bootstrap";
  readonly #all = new Map<string, Process>();
  /** For each process that is pulling: what the peers held that it can ask. */
  readonly #begun = new Map<Process, Map<Process, Contents>>();

  ended(process: Process): void {
    this.#all.delete(process.writer);
    this.#begun.delete(process);
    for (const begun of this.#begun.values()) begun.delete(process);
  }

  stepped({ process, effects }: Stepped): void {
    this.#all.set(process.writer, process);
    for (const effect of effects) {
      if (effect.type !== "state") continue;
      if (effect.state === "pulling") this.#begun.set(process, new Map());
      else if (effect.state === "live") this.#check(process);
      else this.#begun.delete(process);
    }
    this.#addSources(process);
  }

  #addSources(process: Process): void {
    const begun = this.#begun.get(process);
    if (begun === undefined) return;
    for (const { writer } of process.replica.presence.linked) {
      const source = this.#all.get(writer);
      if (source !== undefined && !begun.has(source)) begun.set(source, contentsOf(source.replica));
    }
  }

  #check(process: Process): void {
    const begun = this.#begun.get(process);
    this.#begun.delete(process);
    if (begun === undefined || begun.size === 0) return;
    let lacking: KvRecord | undefined;
    for (const contents of begun.values()) {
      lacking = contents.find((record) => {
        const held = process.replica.get(record.key);
        return held === undefined || isAfter(record, held);
      });
      if (lacking === undefined) return;
    }
    throw new Violation(this.name, `${process.name} says that it is live and lacks ${describe(lacking)}`);
  }
}
