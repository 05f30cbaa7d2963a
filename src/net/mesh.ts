/**
 * The PUB/SUB mesh: one PUB bound, one SUB connected to every peer.
 *
 * The PUB is an XPUB, which is a PUB that tells who subscribes: a message to a peer is lost until it has. Sends are never
 * awaited (`sendTimeout: 0`); a slow peer's messages are dropped at the high-water mark, which the stream numbers
 * show and repair. What is to be sent waits in a queue, unencoded, and leaves it a few messages a turn of the
 * event loop, so that a burst of a million sets neither blocks the loop nor overruns the mark by itself.
 *
 * No ZeroMQ heartbeats: with a finite receive mark they abort the process when JavaScript stalls. Liveness is
 * the core's. No `maxMessageSize` on SUB: exceeding it disconnects for good; the decoder bounds what comes. On PUB, where
 * anybody may connect and only subscriptions come in, it keeps a stranger from filling the memory.
 *
 * libzmq is given IPv4 addresses only; a peer that is advertised by name is looked up first.
 */
import { isIPv4 } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import createDebug from "debug";
import { Subscriber, XPublisher } from "zeromq";
import { LankvError } from "../core/error.js";
import type { Message, ReceivedMessage } from "../core/message.js";
import type { Writer } from "../core/version.js";
import { decodeMessage, encodeMessage, topicsOf } from "../wire/message.js";
import { callListener } from "./listener.js";
import { Resolver } from "./resolver.js";
import { Subscribers } from "./subscribers.js";

const debug = createDebug("lankv:mesh");

/** Messages that PUB keeps for a slow peer: 32 MiB of batches, shared by all that are slow. */
const SEND_MESSAGES_MAX = 512;
/** Messages that SUB keeps for this process. */
const RECEIVE_MESSAGES_MAX = 512;
/** Messages sent in one turn of the event loop, at least; and the share of a long queue. */
const SENDS_PER_TURN = 16;
const QUEUE_SHARE = 8;
/** Messages that wait for a turn: 64 MiB of batches. More are dropped, as PUB drops what a slow peer does not take. */
const QUEUE_MESSAGES_MAX = 1_024;
/** How long received messages are worked on before the event loop gets its turn. */
const WORK_MS = 8;
/** Reconnecting a dead endpoint costs little this way: from 100 ms, doubling to 2 s. */
const RECONNECT_MS = 100;
const RECONNECT_MAX_MS = 2_000;
/** Nothing longer comes in at PUB: the longest topic has 29 bytes, a handshake less than 100. */
const SUBSCRIPTION_BYTES_MAX = 256;
/** How often another free port is tried when that of one address is taken on the next. */
const FREE_PORT_TRIES = 10;
/** How long closing waits for what was sent to leave. */
const LINGER_MS = 500;
/** A connection that says nothing is dropped after so long. */
const HANDSHAKE_MS = 5_000;

export interface MeshOptions {
  /** This process: it subscribes to what is for it. */
  readonly writer: Writer;
  /** TCP port of the PUB socket; 0 = a free one. */
  readonly port: number;
  /** Addresses to bind; undefined = all of the machine. */
  readonly hosts: readonly string[] | undefined;
  /** Monotonic milliseconds. */
  readonly monoMs: () => number;
}

/** What the mesh tells. */
export interface MeshListener {
  onMessage(message: ReceivedMessage): void;
  /** A peer subscribed to what is for it, perhaps not for the first time, or the last of its subscriptions ended. */
  onSubscription(writer: Writer, present: boolean): void;
  /** A frame was malformed. */
  onMalformed(): void;
}

interface NamedEndpoint {
  resolved: string | undefined;
}

interface Outgoing {
  readonly message: Message;
  readonly to: Writer | undefined;
}

export class Mesh {
  readonly #pub: XPublisher;
  readonly #sub: Subscriber;
  readonly #listener: MeshListener;
  readonly #monoMs: () => number;
  readonly #resolver: Resolver;
  /** Endpoints that have a name instead of an address, and what they stand for once that is looked up. */
  readonly #named = new Map<string, NamedEndpoint>();
  readonly #subscribers = new Subscribers();
  readonly #bound = new Set<string>();
  readonly #loops: Promise<void>[] = [];
  #queue: Outgoing[] = [];
  #isDraining = false;
  /** Settles when the binding under way is over; undefined = there is none. */
  #binding: Promise<unknown> | undefined;
  #isClosed = false;
  #port: number;

  private constructor(options: MeshOptions, listener: MeshListener) {
    this.#listener = listener;
    this.#monoMs = options.monoMs;
    this.#resolver = new Resolver(options.monoMs);
    this.#port = options.port;
    this.#pub = new XPublisher({
      linger: LINGER_MS,
      sendTimeout: 0,
      sendHighWaterMark: SEND_MESSAGES_MAX,
      verbosity: "allSubsUnsubs",
      maxMessageSize: SUBSCRIPTION_BYTES_MAX,
      handshakeInterval: HANDSHAKE_MS,
    });
    this.#sub = new Subscriber({
      linger: 0,
      receiveHighWaterMark: RECEIVE_MESSAGES_MAX,
      reconnectInterval: RECONNECT_MS,
      reconnectMaxInterval: RECONNECT_MAX_MS,
      handshakeInterval: HANDSHAKE_MS,
    });
    this.#sub.subscribe(...topicsOf(options.writer));
  }

  /**
   * Binds the PUB socket and starts to listen.
   * @throws {LankvError} LANKV_PORT: the port is taken
   */
  static async open(options: MeshOptions, listener: MeshListener): Promise<Mesh> {
    const mesh = new Mesh(options, listener);
    try {
      await mesh.#bindFirst(options.hosts ?? ["0.0.0.0"]);
    } catch (error) {
      mesh.#pub.close();
      mesh.#sub.close();
      throw error;
    }
    mesh.#loops.push(mesh.#readMessages(), mesh.#readSubscriptions());
    return mesh;
  }

  /** The PUB socket's TCP port. */
  get port(): number {
    return this.#port;
  }

  /**
   * Binds exactly these addresses, all to the same port. ZeroMQ refuses to send or receive meanwhile, so what is to be
   * sent waits.
   */
  async bind(hosts: readonly string[]): Promise<void> {
    const done = (this.#binding ?? Promise.resolve()).then(() => this.#rebind(hosts));
    const settled = done.catch(() => undefined);
    this.#binding = settled;
    await settled;
    if (this.#binding === settled) {
      this.#binding = undefined;
      this.#drain();
    }
    await done;
  }

  async #rebind(hosts: readonly string[]): Promise<void> {
    for (const host of [...this.#bound]) {
      if (hosts.includes(host)) continue;
      this.#bound.delete(host);
      await this.#pub.unbind(`tcp://${host}:${String(this.#port)}`);
    }
    for (const host of hosts) {
      if (this.#bound.has(host)) continue;
      await this.#bindOne(host);
      this.#bound.add(host);
    }
  }

  connect(endpoint: string): void {
    if (this.#isClosed) return;
    const [, host, port] = ENDPOINT.exec(endpoint) ?? [];
    if (host === undefined || port === undefined || isIPv4(host)) {
      this.#connectNow(endpoint);
      return;
    }
    const named: NamedEndpoint = { resolved: undefined };
    this.#named.set(endpoint, named);
    void this.#resolver.resolve(host).then((address) => {
      // Without an address the core tries again: it connects afresh to a peer whose messages do not come.
      if (address === undefined || this.#named.get(endpoint) !== named) return;
      named.resolved = `tcp://${address}:${port}`;
      this.#connectNow(named.resolved);
    });
  }

  /** Also ends an attempt to connect whose name is still being looked up. */
  disconnect(endpoint: string): void {
    const named = this.#named.get(endpoint);
    this.#named.delete(endpoint);
    if (named === undefined) this.#disconnectNow(endpoint);
    else if (named.resolved !== undefined) this.#disconnectNow(named.resolved);
  }

  /**
   * Sends in the order of the calls. What was written is not even encoded while nobody would hear it; everything else is sent to
   * nobody, too, for PUB notices as it sends who has gone.
   * @param to undefined = to all
   */
  publish(message: Message, to: Writer | undefined): void {
    if (this.#isClosed) return;
    if (message.type === "set" && !this.#subscribers.hearSets) return;
    if (!this.#isDraining && this.#binding === undefined && this.#sentThisTurn < SENDS_PER_TURN) {
      this.#send({ message, to });
      return;
    }
    this.#isDraining = true;
    if (this.#queue.length < QUEUE_MESSAGES_MAX) this.#queue.push({ message, to });
    else debug("a %s message is dropped: too many wait", message.type);
  }

  /** Waits until PUB has taken all that waits to be sent, or the time is up. */
  async drained(timeoutMs: number): Promise<void> {
    const untilMs = this.#monoMs() + timeoutMs;
    while (this.#queue.length > 0 && !this.#isClosed && this.#monoMs() < untilMs) await nextTurn();
  }

  /** Frees the sockets. What PUB has taken is sent; what still waits is not: see {@link drained}. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#sub.close();
    this.#pub.close();
    await Promise.all(this.#loops);
  }

  #connectNow(endpoint: string): void {
    if (this.#isClosed) return;
    debug("connect %s", endpoint);
    try {
      this.#sub.connect(endpoint);
    } catch (error) {
      // A beacon may advertise an address that is none.
      debug("connect %s: %O", endpoint, error);
    }
  }

  #disconnectNow(endpoint: string): void {
    if (this.#isClosed) return;
    debug("disconnect %s", endpoint);
    try {
      this.#sub.disconnect(endpoint);
    } catch (error) {
      debug("disconnect %s: %O", endpoint, error);
    }
  }

  #sentThisTurn = 0;

  #send({ message, to }: Outgoing): void {
    if (this.#sentThisTurn === 0) setImmediate(() => this.#drain());
    this.#sentThisTurn += 1;
    this.#pub.send(encodeMessage(message, to)).catch((error: unknown) => {
      debug("send: %O", error);
    });
  }

  /** A new turn of the event loop. */
  #drain(): void {
    this.#sentThisTurn = 0;
    if (this.#isClosed || this.#binding !== undefined) return;
    const count = Math.max(SENDS_PER_TURN, Math.ceil(this.#queue.length / QUEUE_SHARE));
    for (const outgoing of this.#queue.splice(0, count)) this.#send(outgoing);
    this.#isDraining = this.#queue.length > 0;
  }

  /** A port that is free on the first address may be taken on another. */
  async #bindFirst(hosts: readonly string[]): Promise<void> {
    const isChosen = this.#port !== 0;
    for (let triesLeft = FREE_PORT_TRIES - 1; ; triesLeft -= 1) {
      try {
        await this.bind(hosts);
        return;
      } catch (error) {
        if (isChosen || this.#bound.size === 0 || triesLeft === 0) throw error;
        debug("port %d is not free everywhere", this.#port);
        await this.bind([]);
        this.#port = 0;
      }
    }
  }

  async #bindOne(host: string): Promise<void> {
    const port = this.#port === 0 ? "*" : String(this.#port);
    try {
      await this.#pub.bind(`tcp://${host}:${port}`);
    } catch (cause) {
      throw new LankvError(
        "LANKV_PORT",
        `TCP port ${port} of ${host} cannot be bound: another program uses it, or the address is not this ` +
          "machine's. Choose another with --port, or leave it out for a free one.",
        { cause },
      );
    }
    this.#port = Number(this.#pub.lastEndpoint?.split(":").at(-1));
  }

  async #readMessages(): Promise<void> {
    let sinceMs = this.#monoMs();
    for await (const [frame] of this.#sub) {
      if (frame === undefined) continue;
      const message = decodeMessage(frame);
      callListener(() => {
        if (message === undefined) this.#listener.onMalformed();
        else this.#listener.onMessage(message);
      });
      // Messages that have already arrived are handed over without a turn of the event loop between them.
      if (this.#monoMs() - sinceMs < WORK_MS) continue;
      await nextTurn();
      sinceMs = this.#monoMs();
    }
  }

  async #readSubscriptions(): Promise<void> {
    while (!this.#isClosed) {
      await this.#binding;
      try {
        const [frame] = await this.#pub.receive();
        if (frame !== undefined) this.#handleSubscription(frame);
      } catch (error) {
        // Closed, or an address is just being bound.
        debug("receive: %O", error);
        await nextTurn();
      }
    }
  }

  #handleSubscription(frame: Buffer): void {
    const change = this.#subscribers.handle(frame);
    if (change === undefined) return;
    callListener(() => {
      this.#listener.onSubscription(change.writer, change.present);
    });
  }
}

const ENDPOINT = /^tcp:\/\/(.+):(\d+)$/;
