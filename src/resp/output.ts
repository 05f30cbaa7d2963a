/**
 * What goes to one client: replies and messages, in the order in which they came.
 *
 * It gathers here until it is flushed, so that the replies of a turn leave in one write. A reply to a write may have to wait
 * for the disk, and what comes behind it waits with it. What the client has not read yet is kept by the socket.
 */
import type { Socket } from "node:net";
import type { Bytes } from "../core/bytes.js";
import { HeldReplies } from "./held-replies.js";
import type { Durability } from "./keyspace.js";

/** It is handed to the socket unasked when so many bytes are there. */
const GATHERED_BYTES_MAX = 262_144;
/** While the socket holds more than so many bytes, or so many wait for the disk, there should come no more. */
const UNSENT_BYTES_MAX = 1_048_576;

export class Output {
  readonly #socket: Socket;
  /** Undefined = nothing ever waits for the disk. */
  readonly #held: HeldReplies | undefined;
  #text = "";
  /** Messages that follow the reply to the transaction that is being carried out. */
  #afterExec = "";

  /** @param onReleased called when something that waited for the disk waits no longer */
  constructor(socket: Socket, durability: Durability | undefined, onReleased: () => void) {
    this.#socket = socket;
    if (durability === undefined) return;
    this.#held = new HeldReplies(durability, (text) => {
      this.#text += text;
      onReleased();
    });
  }

  /** Of all that the client has not read. */
  get bytes(): number {
    const held = this.#held?.bytes ?? 0;
    return this.#socket.writableLength + this.#text.length + this.#afterExec.length + held;
  }

  /** Whether there is something to flush. */
  get isWaiting(): boolean {
    return this.#text !== "";
  }

  /** Whether something waits for the disk. */
  get isHeld(): boolean {
    return this.#held?.isEmpty === false;
  }

  /** Counts the writes of all clients that may have to wait; undefined = none has to. */
  get writes(): number | undefined {
    return this.#held?.writes;
  }

  /** @returns whether more should come; if not, it may when the socket drains, or when what waited for the disk is released */
  makeRoom(): boolean {
    if (this.#text.length >= GATHERED_BYTES_MAX) this.flush();
    return this.#socket.writableLength < UNSENT_BYTES_MAX && (this.#held?.bytes ?? 0) < UNSENT_BYTES_MAX;
  }

  /** @param isWrite whether it is the reply to a write */
  put(text: Bytes, isWrite = false): void {
    if (this.#held?.hold(text, isWrite) !== true) this.#text += text;
  }

  putAfterExec(text: Bytes): void {
    this.#afterExec += text;
  }

  /** The transaction has its reply. */
  endExec(): void {
    if (this.#afterExec === "") return;
    this.put(this.#afterExec);
    this.#afterExec = "";
  }

  flush(): void {
    if (this.#text === "" || this.#socket.destroyed) return;
    this.#socket.write(this.#text, "latin1");
    this.#text = "";
  }

  clear(): void {
    this.#text = "";
    this.#afterExec = "";
    this.#held?.clear();
  }
}
