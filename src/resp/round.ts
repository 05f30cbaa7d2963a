/**
 * Clients are served together: those that sent one request each have them carried out one after another, and the replies of all
 * leave after that, when everything that the sockets had to be read is carried out, or as soon as so many clients are there.
 *
 * A reply that is written at once wakes its client, which on a busy machine takes the processor from the server between
 * two requests. Redis keeps replies until the end of its loop's turn for the same reason. But while fifty clients are read none of
 * them could go on, though another processor had nothing else to do. Not where clients send many requests at once: a turn is long then,
 * and those that are read last would wait for nearly two.
 *
 * The keys of requests that are carried out together are looked for together: each of them would wait for memory by itself.
 */
import type { Bytes } from "../core/bytes.js";

/** So many clients wait for each other, unless they have sent more requests than this for each. */
const TOGETHER_MAX = 16;
const REQUESTS_EACH_MAX = 2;

export interface Member {
  /** The key that its request looks for, if any, and if it is still to be carried out. */
  readonly nextKey: Bytes | undefined;
  /** Carries out the request, if there is one. */
  carryOut(): void;
  /** Hands to the socket what is to be sent. */
  writePending(): void;
}

export class Round {
  readonly #expect: (keys: readonly Bytes[]) => void;
  #members: Member[] = [];
  #requests = 0;
  #isPlanned = false;

  /** @param expect is told which keys will be looked for next, in their order */
  constructor(expect: (keys: readonly Bytes[]) => void) {
    this.#expect = expect;
  }

  /** The member is served by the end of this turn of the event loop, but not before this returns. It joins once until then. */
  join(member: Member): void {
    const mayEnd = this.#requests <= REQUESTS_EACH_MAX * this.#members.length;
    if (this.#members.length >= TOGETHER_MAX && mayEnd) this.end();
    if (!this.#isPlanned) {
      this.#isPlanned = true;
      setImmediate(() => {
        this.#isPlanned = false;
        this.end();
      });
    }
    this.#members.push(member);
  }

  /** A member has carried out so many requests. */
  count(requests: number): void {
    this.#requests += requests;
  }

  /** All members are served now. */
  end(): void {
    const members = this.#members;
    this.#members = [];
    const keys: Bytes[] = [];
    for (const { nextKey } of members) if (nextKey !== undefined) keys.push(nextKey);
    if (keys.length > 1) this.#expect(keys);
    for (const member of members) member.carryOut();
    if (keys.length > 1) this.#expect([]);
    this.#requests = 0;
    for (const member of members) member.writePending();
  }
}
