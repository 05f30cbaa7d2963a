/**
 * One client's connection: requests in, replies and messages out.
 *
 * Requests are carried out one after another, one that comes alone with those of other clients (round.ts), and replies leave
 * in their order. While one waits for something, while the socket has more to send than it should hold, or when the end has
 * come, no further request is carried out: who pipelines much or reads slowly costs a bounded amount of memory. Who sends
 * much at once gives way to the others after a turn. Who does not read messages of channels is cut off.
 *
 * Nothing is read from the socket while there is more to do than should be. One that is not read does not show its
 * end, so that whoever waits for something that may never come is read on, up to a bound.
 */
import type { Socket } from "node:net";
import createDebug from "debug";
import { LIMITS, type Bytes } from "../core/bytes.js";
import { Activity } from "./activity.js";
import { toAddress } from "./address.js";
import type { Client, Context, QueuedCommand, ReplyMode } from "./command.js";
import type { Limits } from "./limits.js";
import { Output } from "./output.js";
import { takeOver } from "./incoming.js";
import { Access } from "./password.js";
import type { SessionParts } from "./session-parts.js";
import { encodeBounded, ErrorReply, Push, Several, type Protocol, type Reply } from "./reply.js";
import { bytesOf, ProtocolError, RequestParser, type Request } from "./request.js";
import type { Member, Round } from "./round.js";
import { Subscriptions, type Subscriber } from "./subscriptions.js";
import { execute } from "./table.js";
import { Transaction } from "./transaction.js";
import { Turn } from "./turn.js";

const debug = createDebug("lankv:resp");

export class Session implements Client, Subscriber, Member {
  readonly id: number;
  readonly address: string;
  readonly localAddress: string;
  name: Bytes = "";
  libraryName: Bytes = "";
  libraryVersion: Bytes = "";
  protocol: Protocol = 2;
  replies: ReplyMode = "on";
  lastCommand = "";
  isWaiting = false;
  readonly transaction = new Transaction<QueuedCommand>();
  readonly subscriptions: Subscriptions;
  readonly #socket: Socket;
  readonly #limits: Limits;
  readonly #round: Round;
  readonly #access: Access;
  readonly #onHeld: (delta: number) => void;
  readonly #parser: RequestParser;
  readonly #context: Context;
  readonly #aborter = new AbortController();
  readonly #activity = new Activity();
  readonly #output: Output;
  #heldBytes = 0;
  #isRunning = false;
  /** Has given way, and goes on by itself. */
  #isYielding = false;
  #withdraw = (): void => undefined;
  readonly #turn = new Turn();
  /** Waits for something that may never come, not for its own work to end. */
  #isBlocked = false;
  /** Nothing is read from the socket. */
  #isPaused = false;
  /** Nothing more will come. */
  #hasSentAll = false;
  #isEnding = false;
  /** Is served at the end of the round. */
  #isInRound = false;
  /** The request that is carried out in the round. */
  #expected: Request | undefined;

  constructor(accepted: Socket, parts: SessionParts) {
    const { id, limits, hub, round, password, path, onHeld } = parts;
    const socket = takeOver(accepted, (buffer, length) => {
      this.#handleBytes(buffer, length);
    });
    this.id = id;
    this.address = path === undefined ? toAddress(socket.remoteAddress, socket.remotePort) : `${path}:0`;
    this.localAddress = path === undefined ? toAddress(socket.localAddress, socket.localPort) : `${path}:0`;
    this.#socket = socket;
    this.#limits = limits;
    this.#round = round;
    this.#access = new Access(password, path !== undefined);
    this.#onHeld = onHeld;
    this.subscriptions = new Subscriptions(hub, this);
    this.#context = parts.toContext(this);
    this.#parser = new RequestParser(limits);
    this.#parser.isTrusted = this.isAuthenticated;
    this.#output = new Output(socket, this.#context.keyspace.durability, () => {
      this.#goOn();
    });
    // What came before the end of its requests is answered.
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
      this.#output.clear();
      this.subscriptions.clear();
      this.transaction.close();
      this.#aborter.abort();
      this.#withdraw();
      this.#account(0);
    });
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  get isAuthenticated(): boolean {
    return this.#access.isAuthenticated;
  }

  get hasPassword(): boolean {
    return this.#access.hasPassword;
  }

  get isTrusted(): boolean {
    return this.#access.isTrusted;
  }

  get ageSeconds(): number {
    return this.#activity.ageSeconds;
  }

  get idleSeconds(): number {
    return this.#activity.idleSeconds;
  }

  get unreadBytes(): number {
    return this.#parser.heldBytes + (this.#expected === undefined ? 0 : bytesOf(this.#expected));
  }

  get unsentBytes(): number {
    return this.#output.bytes;
  }

  /** Bytes of all its buffers. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  authenticate(user: Bytes, password: Bytes): boolean {
    const mayEnter = this.#access.enter(user, password);
    this.#parser.isTrusted = this.isAuthenticated;
    return mayEnter;
  }

  reset(): void {
    this.transaction.close();
    this.subscriptions.clear();
    this.protocol = 2;
    this.replies = "on";
    this.name = "";
    this.#access.reset();
    this.#parser.isTrusted = this.isAuthenticated;
  }

  closeAfterReply(): void {
    this.#isEnding = true;
    if (!this.#isRunning) this.#finish();
  }

  kill(): void {
    this.#isEnding = true;
    this.#output.clear();
    this.#socket.destroy();
    this.#account(0);
  }

  push(frame: Bytes): void {
    if (this.#isEnding) return;
    // A message must not come before the reply to the transaction that subscribed to it, nor in its middle.
    if (this.#isRunning && this.lastCommand === "exec") this.#output.putAfterExec(frame);
    else this.#output.put(frame);
    if (this.unsentBytes > this.#limits.unsentBytesMax) {
      debug("client %d: cut off, it does not read what it listens to", this.id);
      this.kill();
    } else {
      this.#writeSoon();
    }
  }

  get nextKey(): Bytes | undefined {
    const key = this.#expected?.[1];
    return key === undefined || key.length > LIMITS.keyBytesMax ? undefined : key;
  }

  carryOut(): void {
    if (this.#expected !== undefined) this.#run();
  }

  writePending(): void {
    this.#isInRound = false;
    this.#output.flush();
    this.#measure();
  }

  /**
   * Ends the connection if it has been silent for too long, in the middle of a request, or while it should end. A client
   * that waits for the disk need not say anything, unless it has said that it is done: it may not be there any more.
   */
  checkSilence(): void {
    const { idleSecondsMax, stallSecondsMax } = this.#limits;
    const idle = this.#activity.look();
    const isServed = this.isWaiting || this.#output.isHeld;
    const mayBeSilent = isServed || this.subscriptions.count > 0;
    const isIdle = idleSecondsMax > 0 && idle > idleSecondsMax && !mayBeSilent;
    const isUnfinished = this.unreadBytes > 0 && !isServed && !this.#isPaused;
    const isStalled = idle > stallSecondsMax && (isUnfinished || this.#isEnding || this.#hasSentAll);
    if (!isIdle && !isStalled) return;
    debug("client %d: ended after %d s of silence", this.id, idle);
    this.kill();
  }

  #handleBytes(buffer: Buffer, length: number): void {
    // What comes behind the last request is nobody's, while the replies to those before wait for the disk or the client.
    if (this.#isEnding) return;
    this.#activity.note();
    this.#parser.push(buffer, length);
    if (this.isWaiting || this.#isYielding) {
      this.#parser.keep();
      this.#queue();
      return;
    }
    // Asked for first, so that replies do not wait for what their requests set going.
    this.#writeSoon();
    this.#run(true);
  }

  /** @param mayExpect whether what has come may be left for the round, if it is one request */
  #run(mayExpect = false): void {
    this.#isRunning = true;
    this.#turn.begin();
    try {
      while (!this.isWaiting && !this.#isEnding && this.#output.makeRoom()) {
        const request = this.#expected ?? this.#parser.next();
        this.#expected = undefined;
        if (request === undefined) {
          this.#isEnding ||= this.#hasSentAll;
          break;
        }
        if (mayExpect && this.#turn.requests === 0 && this.#parser.isEmpty) {
          this.#expected = request;
          break;
        }
        this.#handle(request);
        if (this.#turn.count() || this.#mustRest()) {
          this.#giveWay();
          break;
        }
      }
      if (this.#output.isWaiting) this.#writeSoon();
    } catch (error) {
      this.#fail(error);
    }
    this.#isRunning = false;
    this.#round.count(this.#turn.requests);
    this.#parser.keep();
    if (this.#isEnding || (this.#isBlocked && this.#hasSentAll)) this.#finish();
    else this.#regulate();
    if (!this.#isInRound) this.#measure();
  }

  /** Ends the connection once everything is written, and what waits for the disk may be. */
  #finish(): void {
    this.#isEnding = true;
    this.#output.flush();
    if (!this.#output.isHeld) this.#socket.destroySoon();
  }

  #giveWay(): void {
    if (this.isWaiting) return;
    this.#isYielding = true;
    const goOn = () => {
      this.#isYielding = false;
      if (this.#isEnding) return;
      this.#activity.note();
      this.#run();
    };
    if (this.#mustRest()) this.#withdraw = this.#context.keyspace.onCaughtUp(goOn);
    else setImmediate(goOn);
  }

  /** Whether it has just written while saving is behind. */
  #mustRest(): boolean {
    if (!this.#context.keyspace.isBehind) return false;
    const flags = this.#context.table.get(this.lastCommand)?.flags;
    return this.lastCommand === "exec" || flags?.includes("write") === true;
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
    const mustPause = isBusy || !this.#output.makeRoom();
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
    const { writes } = this.#output;
    const reply = execute(request, this.#context);
    if (reply instanceof Promise) this.#wait(reply);
    else this.#answer(reply, this.#output.writes !== writes);
    this.#output.endExec();
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
        this.#answer(settled, flags.includes("write"));
        this.#run();
      })
      .catch((error: unknown) => {
        this.#fail(error);
      });
  }

  #answer(reply: Reply, isWrite = false): void {
    if (this.replies === "on") {
      this.#output.put(encodeBounded(reply, this.protocol), isWrite);
      return;
    }
    // What comes of a subscription is no reply.
    const isPush = reply instanceof Several && reply.replies.every((each) => each instanceof Push);
    this.#output.put(isPush ? encodeBounded(reply, this.protocol) : "", isWrite);
    if (this.replies === "skip") this.replies = "on";
    else if (this.replies === "skip-next") this.replies = "skip";
  }

  /** What waited for the disk leaves, and what waited for room goes on. */
  #goOn(): void {
    this.#activity.note();
    if (this.#isEnding) this.#finish();
    else if (this.isWaiting || this.#isYielding) this.#writeSoon();
    else this.#run();
  }

  #writeSoon(): void {
    if (this.#isInRound) return;
    this.#isInRound = true;
    this.#round.join(this);
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
