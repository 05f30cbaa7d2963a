/**
 * Replies of one client that wait for the disk.
 *
 * Where a write may be acknowledged only once it is durable, its reply is held back here, and with it whatever comes after it,
 * as replies keep their order. The requests behind it are carried out meanwhile: all that they write takes one sync. When
 * saving fails, each reply to a write becomes an error; what was read stays what it was. Whoever wants no replies (CLIENT REPLY)
 * gets no errors either, but the first reply that is sent again waits for the writes before it.
 */
import type { Bytes } from "../core/bytes.js";
import type { LankvError } from "../core/error.js";
import { toErrorText } from "./call.js";
import type { Durability } from "./keyspace.js";
import { encode, ErrorReply } from "./reply.js";

/** What a held reply to a write counts, at least: a failure makes an error of it, which may be longer. */
const WRITE_BYTES = 256;

/** Text that leaves together; none, where a write is not answered. */
interface Run {
  text: Bytes;
  /** How many replies to writes it is; 0 = it is something else. */
  writes: number;
  /** What it counts. */
  bytes: number;
  /** What must be durable before it leaves. */
  ticket: number;
}

export class HeldReplies {
  readonly #durability: Durability;
  readonly #release: (text: Bytes) => void;
  #runs: Run[] = [];
  #bytes = 0;
  #isWaiting = false;
  #withdraw = (): void => undefined;

  /** @param release is given what may leave; "" = nothing, but less is held */
  constructor(durability: Durability, release: (text: Bytes) => void) {
    this.#durability = durability;
    this.#release = release;
  }

  /** What is held, or what a failure would make of it. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#runs.length === 0;
  }

  /** Counts the writes of all clients. */
  get writes(): number {
    return this.#durability.writes;
  }

  /**
   * Holds back what is to be sent, if it has to wait.
   * @param text "" = nothing is, but what follows a write that is not answered waits for it all the same
   * @param isWrite whether it is the reply to a write
   * @returns whether it does
   */
  hold(text: Bytes, isWrite: boolean): boolean {
    if (!isWrite && this.isEmpty) return false;
    if (text === "") {
      if (isWrite) this.#holdUnanswered();
      return true;
    }
    const bytes = isWrite ? Math.max(text.length, WRITE_BYTES) : text.length;
    this.#bytes += bytes;
    const last = this.#runs.at(-1);
    const ticket = isWrite ? this.#durability.ticket : (last?.ticket ?? 0);
    if (last?.ticket === ticket && last.writes > 0 === isWrite) {
      last.text += text;
      last.bytes += bytes;
      last.writes += isWrite ? 1 : 0;
    } else {
      this.#runs.push({ text, writes: isWrite ? 1 : 0, bytes, ticket });
    }
    this.#wait();
    return true;
  }

  /** Nothing of it leaves; nobody waits for the disk. */
  clear(): void {
    this.#runs = [];
    this.#bytes = 0;
    this.#isWaiting = false;
    this.#withdraw();
  }

  /** However many there are, one run stands for those that come together. */
  #holdUnanswered(): void {
    const { ticket } = this.#durability;
    const last = this.#runs.at(-1);
    if (last?.text === "") last.ticket = ticket;
    else if (last?.ticket !== ticket) {
      this.#bytes += WRITE_BYTES;
      this.#runs.push({ text: "", writes: 0, bytes: WRITE_BYTES, ticket });
    }
    this.#wait();
  }

  #wait(): void {
    const first = this.#runs[0];
    if (first === undefined || this.#isWaiting) return;
    this.#isWaiting = true;
    this.#withdraw = this.#durability.onDurable(first.ticket, this.#handleDurable);
  }

  readonly #handleDurable = (failure: LankvError | undefined): void => {
    this.#isWaiting = false;
    if (failure === undefined) this.#letGo();
    else this.#fail(failure);
    this.#wait();
  };

  #letGo(): void {
    const { durable } = this.#durability;
    const [first] = this.#runs;
    // Mostly it is one reply of each client.
    if (this.#runs.length === 1 && first !== undefined && first.ticket <= durable) {
      this.#runs = [];
      this.#bytes -= first.bytes;
      this.#release(first.text);
      return;
    }
    const firstHeld = this.#runs.findIndex(({ ticket }) => ticket > durable);
    this.#hand(this.#runs.splice(0, firstHeld === -1 ? this.#runs.length : firstHeld));
  }

  /** A failure voids all tickets. */
  #fail(failure: LankvError): void {
    const error = encode(new ErrorReply(toErrorText(failure)), 2);
    const runs = this.#runs.splice(0);
    this.#hand(runs.map((run) => (run.writes === 0 ? run : { ...run, text: error.repeat(run.writes) })));
  }

  #hand(runs: readonly Run[]): void {
    for (const { bytes } of runs) this.#bytes -= bytes;
    if (runs.length > 0) this.#release(runs.map(({ text }) => text).join(""));
  }
}
