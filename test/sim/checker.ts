/**
 * What a checker sees of a run. Checkers watch from outside and keep their own model of the truth; they use none of the
 * core's logic to decide what is right.
 */
import type { Now } from "../../src/core/effect.js";
import type { Message } from "../../src/core/message.js";
import type { KvRecord } from "../../src/core/record.js";
import type { ReadEffect, ReadInput } from "../received.js";
import type { Frame } from "./network.js";
import type { Process } from "./process.js";
import type { Tallies } from "./tallies.js";

/** A process wrote a key; `record` is undefined when it refused to. */
export interface Wrote {
  readonly process: Process;
  readonly key: string;
  readonly value: string | undefined;
  readonly expiresAtMs: number | undefined;
  readonly held: KvRecord | undefined;
  readonly record: KvRecord | undefined;
  readonly atMs: number;
}

/** A process published something to a channel. */
export interface Posted {
  readonly process: Process;
  readonly channel: string;
  readonly payload: string;
}

/** A process took an input. */
export interface Stepped {
  readonly process: Process;
  readonly input: ReadInput;
  readonly effects: readonly ReadEffect[];
  /** What was held, before, of each key that the message carries. */
  readonly before: ReadonlyMap<string, KvRecord | undefined>;
  /** Whether the message's sender was a peer. */
  readonly isKnown: boolean;
  /** The process's corrected clock, before. */
  readonly correctedBeforeMs: number;
  /** Whether the message is not its sender's but somebody hostile's. */
  readonly isForged: boolean;
  readonly now: Now;
  readonly atMs: number;
}

export interface Published {
  readonly process: Process;
  readonly message: Message;
  readonly to: string | undefined;
  /** What goes over the wire. */
  readonly frame: Frame;
  readonly atMs: number;
}

/** A process took over records from its disk. */
export interface Restored {
  readonly process: Process;
  readonly records: readonly KvRecord[];
  /** What was held, before, of each of their keys. */
  readonly before: ReadonlyMap<string, KvRecord | undefined>;
}

/** A process says that what it wrote is durable. */
export interface Durable {
  readonly process: Process;
  readonly records: readonly KvRecord[];
}

/** The run as a whole, at one of its turning points. */
export interface Scene {
  readonly alive: readonly Process[];
  readonly atMs: number;
  readonly tallies: Tallies;
}

export interface Checker {
  readonly name: string;
  wrote?(event: Wrote): void;
  posted?(event: Posted): void;
  restored?(event: Restored): void;
  durable?(event: Durable): void;
  stepped?(event: Stepped): void;
  published?(event: Published): void;
  /** The process is no more. */
  ended?(process: Process): void;
  /** Once a simulated second. */
  second?(scene: Scene): void;
  /** All writes are over, and all faults are about to be. */
  healing?(scene: Scene): void;
  /** All faults are over. */
  healed?(scene: Scene): void;
  /** All copies are equal and everybody is live. */
  converged?(scene: Scene): void;
  /** The last moments after that have passed. */
  finished?(scene: Scene): void;
  /** All clocks were set past every expiry, a while ago. */
  aged?(scene: Scene): void;
}

/** An invariant does not hold. */
export class Violation extends Error {
  override readonly name = "Violation";

  constructor(
    readonly checker: string,
    message: string,
  ) {
    super(message);
  }
}

/** All checkers as one. */
export class Checkers {
  /** Those that want to know of the most frequent events. */
  readonly #ofSteps: readonly Checker[];
  readonly #ofPublished: readonly Checker[];

  constructor(private readonly all: readonly Checker[]) {
    this.#ofSteps = all.filter((checker) => "stepped" in checker);
    this.#ofPublished = all.filter((checker) => "published" in checker);
  }

  wrote(event: Wrote): void {
    for (const checker of this.all) checker.wrote?.(event);
  }

  posted(event: Posted): void {
    for (const checker of this.all) checker.posted?.(event);
  }

  restored(event: Restored): void {
    for (const checker of this.all) checker.restored?.(event);
  }

  durable(event: Durable): void {
    for (const checker of this.all) checker.durable?.(event);
  }

  stepped(event: Stepped): void {
    for (const checker of this.#ofSteps) checker.stepped?.(event);
  }

  published(event: Published): void {
    for (const checker of this.#ofPublished) checker.published?.(event);
  }

  ended(process: Process): void {
    for (const checker of this.all) checker.ended?.(process);
  }

  second(scene: Scene): void {
    for (const checker of this.all) checker.second?.(scene);
  }

  healing(scene: Scene): void {
    for (const checker of this.all) checker.healing?.(scene);
  }

  healed(scene: Scene): void {
    for (const checker of this.all) checker.healed?.(scene);
  }

  converged(scene: Scene): void {
    for (const checker of this.all) checker.converged?.(scene);
  }

  finished(scene: Scene): void {
    for (const checker of this.all) checker.finished?.(scene);
  }

  aged(scene: Scene): void {
    for (const checker of this.all) checker.aged?.(scene);
  }
}
