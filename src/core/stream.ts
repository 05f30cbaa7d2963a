/**
 * Streams: the numbered `set` messages of one process, as their writer and as their readers see them.
 *
 * PUB drops messages without a word when a subscriber is slow, and every connection loses what was in
 * flight when it breaks. The numbers are the only thing that shows it. The writer keeps a bounded ring of
 * which keys each message touched; a reader that lacks a range asks for it and gets those of its records that are still
 * current, never history, so the ring costs a number a key and an answer is never stale. What was overwritten
 * since comes with the stream of whoever did, or a key that is always written would be sent with every answer.
 * What has fallen off the ring is found by the fingerprints instead.
 *
 * So what counts as arrived is not always held yet: the reader leaves the rest to other streams and to the fingerprints. It
 * remembers that as doubt, and a receipt tells only what is beyond doubt.
 */

/** A range of sequence numbers, both ends included. */
export interface SeqRange {
  readonly from: number;
  readonly to: number;
}

/** How many keys the ring of a writer remembers, over all its messages: 8 MB of numbers at the most. */
export const RING_KEYS_MAX = 1_048_576;
/** How many separate runs a reader remembers beyond its first gap. */
export const RUNS_MAX = 64;

/** What is remembered of a message. */
export interface Sent {
  /** The slots of the keys that it touched. */
  readonly slots: readonly number[];
  /** The greatest stamp in it: a record of this process with a greater one was written later. */
  readonly stampMax: number;
}

const NOTHING: Sent = { slots: [], stampMax: 0 };

/** The stream of this process: which keys each of its recent messages touched. */
export class OutStream {
  readonly #ring = new Map<number, Sent>();
  #keys = 0;
  #head = 0;
  #tail = 1;

  constructor(private readonly keysMax: number = RING_KEYS_MAX) {}

  /** Number of the last message published; 0 before the first. */
  get head(): number {
    return this.#head;
  }

  /** Number of the oldest message that the ring still knows; head + 1 when it knows none. */
  get tail(): number {
    return this.#tail;
  }

  /** Numbers a message. */
  append(sent: Sent): number {
    this.#head += 1;
    this.#ring.set(this.#head, sent);
    this.#keys += sent.slots.length;
    while (this.#keys > this.keysMax && this.#tail < this.#head) {
      this.#keys -= this.#ring.get(this.#tail)?.slots.length ?? 0;
      this.#ring.delete(this.#tail);
      this.#tail += 1;
    }
    return this.#head;
  }

  /** What message `seq` was; nothing when it is not in the ring. */
  sent(seq: number): Sent {
    return this.#ring.get(seq) ?? NOTHING;
  }
}

/** The stream of a peer: what of it has arrived. */
export class InStream {
  /** Everything up to here has arrived. */
  #have: number;
  /** Runs that arrived beyond the first gap: ascending, apart from each other, at most {@link RUNS_MAX}. */
  #runs: SeqRange[] = [];
  #head: number;
  #announced = 0;
  /** What was taken for arrived though some of it may not be held. */
  #doubt: SeqRange | undefined;

  /** @param have what is taken for arrived: the head when the peer was first heard, since older messages come by fingerprints */
  constructor(have: number) {
    this.#have = have;
    this.#head = have;
    if (have > 0) this.#doubt = { from: 1, to: have };
  }

  /** Of every message up to here each record is held, or a newer one of its key. */
  get held(): number {
    return this.#doubt === undefined ? this.#have : Math.min(this.#have, this.#doubt.from - 1);
  }

  /** Whether only a look at everything can tell what is held. */
  get isDoubtful(): boolean {
    return this.#doubt !== undefined;
  }

  /** The greatest number known to exist. */
  get head(): number {
    return this.#head;
  }

  /** Whether something is known not to be in flight: a later message has arrived, or one came without its records. */
  get isUrgent(): boolean {
    return this.#runs.length > 0 || this.#announced > this.#have;
  }

  /** Number of messages known to exist that have not arrived. */
  get behind(): number {
    return this.#head - this.#have - this.#runs.reduce((sum, run) => sum + run.to - run.from + 1, 0);
  }

  /** The first range that is missing, or undefined when all is here. */
  missing(): SeqRange | undefined {
    if (this.#have >= this.#head) return undefined;
    const next = this.#runs[0];
    return { from: this.#have + 1, to: next === undefined ? this.#head : next.from - 1 };
  }

  /** This message came without its records, which must be asked for. */
  announce(seq: number): void {
    this.observeHead(seq);
    this.#announced = Math.max(this.#announced, seq);
  }

  /** The peer says it has published this many. */
  observeHead(head: number): void {
    if (head > this.#head) this.#head = head;
  }

  /** These have arrived. */
  receive(from: number, to: number): void {
    this.observeHead(to);
    if (from > this.#have + 1) this.#insertRun(from, to);
    else if (to > this.#have) this.#have = to;
    this.#absorb();
  }

  /** These are taken for arrived, though some of it may not be held. */
  presume(from: number, to: number): void {
    const doubt = this.#doubt ?? { from, to };
    this.#doubt = { from: Math.min(from, doubt.from), to: Math.max(to, doubt.to) };
    this.receive(from, to);
  }

  /** Everything up to here is held: what the peer had when it had published so much is here. */
  verify(to: number): void {
    if (this.#doubt !== undefined) {
      const from = Math.max(this.#doubt.from, to + 1);
      this.#doubt = from > this.#doubt.to ? undefined : { from, to: this.#doubt.to };
    }
    this.receive(1, to);
  }

  #insertRun(from: number, to: number): void {
    const last = this.#runs.at(-1);
    if (last !== undefined && last.to + 1 === from) {
      this.#runs[this.#runs.length - 1] = { from: last.from, to };
      return;
    }
    let merged: SeqRange = { from, to };
    const apart: SeqRange[] = [];
    for (const run of this.#runs) {
      if (run.to + 1 < merged.from || run.from > merged.to + 1) apart.push(run);
      else merged = { from: Math.min(run.from, merged.from), to: Math.max(run.to, merged.to) };
    }
    // Forgetting the furthest run only means that it is asked for again.
    this.#runs = [...apart, merged].sort((a, b) => a.from - b.from).slice(0, RUNS_MAX);
  }

  #absorb(): void {
    let first = this.#runs[0];
    while (first !== undefined && first.from <= this.#have + 1) {
      this.#have = Math.max(this.#have, first.to);
      this.#runs.shift();
      first = this.#runs[0];
    }
  }
}
