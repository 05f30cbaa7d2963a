/**
 * Replies of one client that wait for the disk.
 *
 * Where a write may be acknowledged only once it is durable, its reply is held back here, and with it whatever comes after it,
 * as replies keep their order. The requests behind it are carried out meanwhile: all that they write takes one sync. When
 * saving fails, each reply to a write becomes an error; what was read stays what it was.
 */
import type { Bytes } from "../core/bytes.js";
import type { LankvError } from "../core/error.js";
import { toErrorText } from "./call.js";
import type { Durability } from "./keyspace.js";
import { encode, ErrorReply } from "./reply.js";

/** Text that leaves together. */
interface Run {
  text: Bytes;
  /** How many replies to writes it is; 0 = it is something else. */
  writes: number;
  /** What must be durable before it leaves. */
  readonly ticket: number;
}

export class HeldReplies {
  readonly #durability: Durability;
  readonly #release: (text: Bytes) => void;
  #runs: Run[] = [];
  #bytes = 0;
  #isWaiting = false;

  /** @param release is given what may leave */
  constructor(durability: Durability, release: (text: Bytes) => void) {
    this.#durability = durability;
    this.#release = release;
  }

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
   * @param isWrite whether it is the reply to a write
   * @returns whether it does
   */
  hold(text: Bytes, isWrite: boolean): boolean {
    if (!isWrite && this.isEmpty) return false;
    if (text === "") return true;
    this.#bytes += text.length;
    const last = this.#runs.at(-1);
    const ticket = isWrite ? this.#durability.ticket : (last?.ticket ?? 0);
    if (last?.ticket === ticket && last.writes > 0 === isWrite) {
      last.text += text;
      last.writes += isWrite ? 1 : 0;
    } else {
      this.#runs.push({ text, writes: isWrite ? 1 : 0, ticket });
    }
    this.#wait();
    return true;
  }

  clear(): void {
    this.#runs = [];
    this.#bytes = 0;
  }

  #wait(): void {
    const first = this.#runs[0];
    if (first === undefined || this.#isWaiting) return;
    this.#isWaiting = true;
    this.#durability.onDurable(first.ticket, (failure) => {
      this.#isWaiting = false;
      if (failure === undefined) this.#letGo();
      else this.#fail(failure);
      this.#wait();
    });
  }

  #letGo(): void {
    const { durable } = this.#durability;
    const firstHeld = this.#runs.findIndex(({ ticket }) => ticket > durable);
    this.#hand(this.#runs.splice(0, firstHeld === -1 ? this.#runs.length : firstHeld));
  }

  /** A failure voids all tickets. */
  #fail(failure: LankvError): void {
    const error = encode(new ErrorReply(toErrorText(failure)), 2);
    const runs = this.#runs.splice(0);
    this.#hand(runs.map((run) => (run.writes === 0 ? run : { ...run, text: error.repeat(run.writes) })));
    this.#bytes = 0;
  }

  #hand(runs: readonly Run[]): void {
    const text = runs.map((run) => run.text).join("");
    this.#bytes -= text.length;
    if (text !== "") this.#release(text);
  }
}
