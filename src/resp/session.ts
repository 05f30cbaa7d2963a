/**
 * One client's connection: requests in, replies and messages out.
 *
 * Requests are carried out one after another, and replies leave in their order. While one waits for something, while
 * the socket has more to send than it should hold, or when the end has come, no further request is carried out: a
 * client that pipelines much or reads slowly costs a bounded amount of memory. One that sends much at once gives way
 * to the others after a turn. The replies of a turn leave in one write. Messages of channels are not asked for: who
 * does not read them is cut off.
 *
 * Nothing is read from the socket while there is more to do than should be. One that is not read does not show its
 * end, so that whoever waits for something that may never come is read on, up to a bound.
 */
import type { Socket } from "node:net";
import createDebug from "debug";
import type { Bytes } from "../core/bytes.js";
import { Activity } from "./activity.js";
import { toAddress } from "./address.js";
import type { Client, Context, QueuedCommand, ReplyMode } from "./command.js";
import { HeldReplies } from "./held-replies.js";
import type { Limits } from "./limits.js";
import { mayEnter, type Password } from "./password.js";
import type { SessionParts } from "./session-parts.js";
import type { PendingWrites } from "./pending-writes.js";
import { encodeBounded, ErrorReply, Push, Several, type Protocol, type Reply } from "./reply.js";
import { ProtocolError, RequestParser, type Request } from "./request.js";
import { Subscriptions, type Subscriber } from "./subscriptions.js";
import { execute } from "./table.js";
import { Transaction } from "./transaction.js";
import { Turn } from "./turn.js";

const debug = createDebug("lankv:resp");

/** Replies are handed to the socket when so many bytes are there. */
const OUTPUT_BYTES = 262_144;
/** While the socket holds more than so many bytes, no request is carried out. */
const UNSENT_BYTES_MAX = 1_048_576;

export class Session implements Client, Subscriber {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  name: Bytes = "";
  libraryName: Bytes = "";
  libraryVersion: Bytes = "";
  protocol: Protocol = 2;
  replies: ReplyMode = "on";
  lastCommand = "";
  isAuthenticated: boolean;
  isWaiting = false;
  readonly transaction = new Transaction<QueuedCommand>();
  readonly subscriptions: Subscriptions;
  readonly #socket: Socket;
  readonly #limits: Limits;
  readonly #writes: PendingWrites;
  readonly #password: Password | undefined;
  readonly #path: string | undefined;
  readonly #onHeld: (delta: number) => void;
  readonly #parser: RequestParser;
  readonly #context: Context;
  readonly #aborter = new AbortController();
  readonly #activity = new Activity();
  #output = "";
  /** Replies that wait for the disk; undefined = none ever does. */
  readonly #held: HeldReplies | undefined;
  /** Messages that follow the reply to the transaction that is being carried out. */
  #afterExec = "";
  #heldBytes = 0;
  #isRunning = false;
  /** Has given way, and goes on by itself. */
  #isYielding = false;
  readonly #turn = new Turn();
  /** Waits for something that may never come, not for its own work to end. */
  #isBlocked = false;
  /** Nothing is read from the socket. */
  #isPaused = false;
  /** Nothing more will come. */
  #hasSentAll = false;
  #isEnding = false;
  #willWrite = false;

  constructor(socket: Socket, parts: SessionParts) {
    const { id, limits, hub, writes, password, path, onHeld } = parts;
    this.id = id;
    this.address = path === undefined ? toAddress(socket.remoteAddress, socket.remotePort) : `${path}:0`;
    this.localAddress = path === undefined ? toAddress(socket.localAddress, socket.localPort) : `${path}:0`;
    this.#socket = socket;
    this.#limits = limits;
    this.#writes = writes;
    this.#password = password;
    this.#path = path;
    this.#onHeld = onHeld;
    this.#parser = new RequestParser(limits);
    this.isAuthenticated = this.#needsNoPassword;
    this.#parser.isTrusted = this.isAuthenticated;
    this.subscriptions = new Subscriptions(hub, this);
    this.#context = parts.toContext(this);
    const { durability } = this.#context.keyspace;
    if (durability !== undefined) this.#held = new HeldReplies(durability, (text) => this.#release(text));
    socket.on("data", (chunk: Buffer) => {
      this.#activity.note();
      this.#parser.push(chunk);
      if (this.isWaiting || this.#isYielding) {
        this.#queue();
        return;
      }
      // Asked for first, so that replies do not wait for what their requests set going.
      this.#writeSoon();
      this.#run();
    });
    // What came before the end of its requests is answered.
    socket.allowHalfOpen = true;
    socket.on("end", () => {
      this.#hasSentAll = true;
      if (this.#isBlocked) this.#finish();
      else if (!this.#isYielding && !this.isWaiting) this.#run();
    });
    socket.on("drain", () => {
      this.#activity.note();
      if (this.#isEnding) return;
      if (this.isWaiting || this.#isYielding) this.#regulate();
      else this.#run();
    });
    socket.on("error", (error) => {
      debug("client %d: %s", id, error.message);
    });
    socket.on("close", () => {
      this.#isEnding = true;
      this.#held?.clear();
      this.subscriptions.clear();
      this.transaction.close();
      this.#aborter.abort();
      this.#account(0);
    });
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get hasPassword(): boolean {
    return this.#password !== undefined;
  }

  get isTrusted(): boolean {
    return this.#path !== undefined || (this.hasPassword && this.isAuthenticated);
  }

  get ageSeconds(): number {
    return this.#activity.ageSeconds;
  }

  get idleSeconds(): number {
    return this.#activity.idleSeconds;
  }

  get unreadBytes(): number {
    return this.#parser.heldBytes;
  }

  get unsentBytes(): number {
    const held = this.#held?.bytes ?? 0;
    return this.#socket.writableLength + this.#output.length + this.#afterExec.length + held;
  }

  /** Bytes of all its buffers. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  authenticate(user: Bytes, password: Bytes): boolean {
    if (!mayEnter(this.#password, user, password)) return false;
    this.isAuthenticated = true;
    this.#parser.isTrusted = true;
    return true;
  }

  reset(): void {
    this.transaction.close();
    this.subscriptions.clear();
    this.protocol = 2;
    this.replies = "on";
    this.name = "";
    this.isAuthenticated = this.#needsNoPassword;
    this.#parser.isTrusted = this.isAuthenticated;
  }

  closeAfterReply(): void {
    this.#isEnding = true;
    if (!this.#isRunning) this.#finish();
  }

  kill(): void {
    this.#isEnding = true;
    this.#output = "";
    this.#afterExec = "";
    this.#held?.clear();
    this.#socket.destroy();
    this.#account(0);
  }

  push(frame: Bytes): void {
    if (this.#isEnding) return;
    // A message must not come before the reply to the transaction that subscribed to it, nor in its middle.
    if (this.#isRunning && this.lastCommand === "exec") this.#afterExec += frame;
    else this.#put(frame, false);
    if (this.unsentBytes > this.#limits.unsentBytesMax) {
      debug("client %d: cut off, it does not read what it listens to", this.id);
      this.kill();
    } else {
      this.#writeSoon();
    }
  }

  writePending(): void {
    this.#willWrite = false;
    this.#flush();
    this.#measure();
  }

  /** Ends the connection if it has been silent for too long, in the middle of a request, or while it should end. */
  checkSilence(): void {
    const { idleSecondsMax, stallSecondsMax } = this.#limits;
    const idle = this.#activity.look();
    const mayBeSilent = this.isWaiting || this.subscriptions.count > 0;
    const isIdle = idleSecondsMax > 0 && idle > idleSecondsMax && !mayBeSilent;
    const isUnfinished = this.unreadBytes > 0 && !this.isWaiting && !this.#isPaused;
    const isStalled = idle > stallSecondsMax && (isUnfinished || this.#isEnding || this.#hasSentAll);
    if (!isIdle && !isStalled) return;
    debug("client %d: ended after %d s of silence", this.id, idle);
    this.kill();
  }

  get #needsNoPassword(): boolean {
    return this.#password === undefined || this.#path !== undefined;
  }

  #run(): void {
    this.#isRunning = true;
    this.#turn.begin();
    try {
      while (!this.isWaiting && !this.#isEnding && this.#hasRoom()) {
        const request = this.#parser.next();
        if (request === undefined) {
          this.#isEnding ||= this.#hasSentAll;
          break;
        }
        this.#handle(request);
        if (this.#turn.count()) {
          this.#giveWay();
          break;
        }
      }
      if (this.#output !== "") this.#writeSoon();
    } catch (error) {
      this.#fail(error);
    }
    this.#isRunning = false;
    if (this.#isEnding || (this.#isBlocked && this.#hasSentAll)) this.#finish();
    else this.#regulate();
    this.#measure();
  }

  /** Ends the connection once everything is written, and what waits for the disk may be. */
  #finish(): void {
    this.#isEnding = true;
    this.#flush();
    if (this.#held?.isEmpty === false) return;
    this.#socket.destroySoon();
  }

  #giveWay(): void {
    if (this.isWaiting) return;
    this.#isYielding = true;
    setImmediate(() => {
      this.#isYielding = false;
      if (this.#isEnding) return;
      this.#activity.note();
      this.#run();
    });
  }

  /** What came while a command waits is kept for later. */
  #queue(): void {
    if (this.unreadBytes > this.#limits.requestBytesMax) {
      debug("client %d: cut off, it sends too much while it waits", this.id);
      this.kill();
    } else {
      this.#measure();
    }
  }

  /** Reads from the socket, or does not. */
  #regulate(): void {
    const isBusy = this.#isYielding || (this.isWaiting && !this.#isBlocked);
    const mustPause = isBusy || !this.#mayGather;
    if (mustPause === this.#isPaused) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Whatever went wrong ends this connection, and no other. */
  #fail(error: unknown): void {
    this.#isEnding = true;
    if (error instanceof ProtocolError) {
      this.#answer(new ErrorReply(`ERR ${error.message}`));
    } else {
      debug("client %d: failed: %O", this.id, error);
      this.#socket.destroy();
    }
  }

  #handle(request: Request): void {
    const writes = this.#held?.writes;
    const reply = execute(request, this.#context);
    if (reply instanceof Promise) this.#wait(reply);
    else this.#answer(reply, this.#held?.writes !== writes);
    if (this.#afterExec !== "") {
      this.#put(this.#afterExec, false);
      this.#afterExec = "";
    }
  }

  #wait(reply: Promise<Reply>): void {
    this.isWaiting = true;
    const flags = this.#context.table.get(this.lastCommand)?.flags ?? [];
    this.#isBlocked = flags.includes("blocking");
    reply
      .then((settled) => {
        this.isWaiting = false;
        this.#isBlocked = false;
        if (this.#socket.destroyed) return;
        this.#activity.note();
        this.#answer(settled, this.#held !== undefined && flags.includes("write"));
        this.#run();
      })
      .catch((error: unknown) => {
        this.#fail(error);
      });
  }

  #answer(reply: Reply, isWrite = false): void {
    if (this.replies === "on") {
      this.#put(encodeBounded(reply, this.protocol), isWrite);
      return;
    }
    // What comes of a subscription is no reply.
    if (reply instanceof Several && reply.replies.every((each) => each instanceof Push)) {
      this.#put(encodeBounded(reply, this.protocol), false);
    }
    if (this.replies === "skip") this.replies = "on";
    else if (this.replies === "skip-next") this.replies = "skip";
  }

  #put(text: Bytes, isWrite: boolean): void {
    if (this.#held?.hold(text, isWrite) !== true) this.#output += text;
  }

  /** What waited for the disk leaves, and what waited for room goes on. */
  #release(text: Bytes): void {
    this.#output += text;
    if (this.#isEnding) this.#finish();
    else if (this.isWaiting || this.#isYielding) this.#writeSoon();
    else this.#run();
  }

  /** Whether more is taken; if not, what is left goes on with the socket's `drain`, or when the disk has answered. */
  #hasRoom(): boolean {
    if (this.#output.length >= OUTPUT_BYTES) this.#flush();
    return this.#mayGather;
  }

  get #mayGather(): boolean {
    return this.#socket.writableLength < UNSENT_BYTES_MAX && (this.#held?.bytes ?? 0) < UNSENT_BYTES_MAX;
  }

  #writeSoon(): void {
    if (this.#willWrite) return;
    this.#willWrite = true;
    this.#writes.add(this);
  }

  #flush(): void {
    if (this.#output === "" || this.#socket.destroyed) return;
    this.#socket.write(this.#output, "latin1");
    this.#output = "";
  }

  #measure(): void {
    if (this.#socket.destroyed) return;
    this.#account(this.unreadBytes + this.unsentBytes + this.transaction.bytes + this.subscriptions.bytes);
  }

  #account(bytes: number): void {
    const delta = bytes - this.#heldBytes;
    if (delta === 0) return;
    this.#heldBytes = bytes;
    this.#onHeld(delta);
  }
}
