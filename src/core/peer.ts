/** A peer: one other process of the cluster, as this node sees it. */
import type { Beacon, NodeId, Vitals } from "./message.js";
import type { InStream } from "./stream.js";
import type { Writer } from "./version.js";

/** How many questions in a row a peer may leave unanswered before others are asked rather than it. */
const LOST_MAX = 3;
/** For how long after the last of them. Then it is tried once more: a peer that nobody asks cannot show that it answers. */
const LOST_MS = 32_000;
/** Of so many readings of its clock, the one that was least delayed counts. */
const CLOCK_READINGS_MAX = 8;
/** How many addresses of one peer are remembered. */
const HOSTS_MAX = 8;

/** A receipt that is given when the ticket is durable; void when a step of saving failed meanwhile. */
export interface OwedReceipt {
  readonly seq: number;
  readonly ticket: number;
  readonly failures: number;
}

export class Peer {
  readonly writer: Writer;
  name: string;
  software: string;
  port: number;
  vitals: Vitals;
  presence: "up" | "quiet" = "up";
  /** The address that this node is connected to. */
  host: string;
  /** Whether it has said goodbye, and only what it had sent before is awaited. */
  isLeaving = false;
  /** Questions in a row that it left unanswered, and when the last of them was given up. */
  lost = 0;
  lostAtMs = -Infinity;
  /** Time of a question and the first part of its answer; undefined before the first. */
  rttMs: number | undefined;
  /** Its stream; undefined until its first message. */
  stream: InStream | undefined;
  /** Number up to which it has confirmed that it holds the own stream; 0 = nothing yet. */
  confirmed = 0;
  /** Receipts for its stream that wait until what they speak of is durable here, the older first. */
  owed: readonly OwedReceipt[] = [];
  /** How many of its questions were answered. */
  answers = 0;
  /** When it was last asked to confirm, and the head of the own stream then. */
  confirmAskedAtMs = -Infinity;
  confirmAskedHead = 0;
  /** Whether it has subscribed to what is for it: what it is asked, it hears. */
  subscribed = false;
  /** When a subscription of it last made this node ask it again, monotonic; -Infinity = never. */
  askedAgainAtMs = -Infinity;
  /**
   * Ticks in a row at which the roots differed though nothing was known to be missing; some count for less than one. Infinity =
   * the difference is known not to be in flight.
   */
  differingTicks = 0;
  /** The head of the own stream at its last tick; undefined before the first. */
  headAtTick: number | undefined;
  /** When its stream was first seen to lack something; undefined = it lacks nothing. */
  lackingSinceMs: number | undefined;
  /** How long silence is borne before a question is asked again. */
  patienceMs: number;
  /** When its last part of an answer came; 0 = none. */
  answeredAtMs = 0;
  heardAtMs: number;
  connectedAtMs: number;
  /** When its last message came over the mesh; 0 = none since connecting. */
  messageAtMs = 0;
  /** Whether the own addresses have changed since its last message: the connection may have gone with them. */
  isConnectionDoubtful = false;
  /** Whether any message of it ever came: a beacon alone can come from anybody. */
  hasTalked = false;
  readonly #clockReadingsMs: number[] = [];
  readonly #hosts = new Map<string, KnownHost>();

  constructor(beacon: Beacon, from: string, nowMs: number, patienceMs: number) {
    this.writer = beacon.writer;
    this.name = beacon.name;
    this.software = beacon.software;
    this.port = beacon.port;
    this.vitals = beacon;
    this.host = beacon.advertise === "" ? from : beacon.advertise;
    this.heardAtMs = nowMs;
    this.connectedAtMs = nowMs;
    this.patienceMs = patienceMs;
    this.heardFrom(this.host, nowMs);
    this.connectedTo(this.host, nowMs);
  }

  get nodeId(): NodeId {
    return this.vitals.nodeId;
  }

  get endpoint(): string {
    return `tcp://${this.host.includes(":") ? `[${this.host}]` : this.host}:${String(this.port)}`;
  }

  /** Whether questions reach it and answers come back: it subscribed here, and its messages arrive. */
  get isLinked(): boolean {
    return this.subscribed && this.messageAtMs > 0;
  }

  /** Whether what it lacks is lacking for good, as far as it knows. */
  get isSettled(): boolean {
    return this.vitals.state === "live" || this.vitals.state === "offline";
  }

  /** Whether it answers what it is asked, as far as is known. */
  get isResponsive(): boolean {
    return this.lost < LOST_MAX;
  }

  /** What it left unanswered long ago does not count for ever. */
  forgiveLosses(nowMs: number): void {
    if (!this.isResponsive && nowMs >= this.lostAtMs + LOST_MS) this.lost = LOST_MAX - 1;
  }

  /**
   * Peer's wall clock less the own, milliseconds; positive = the peer is ahead. A reading that waited on its way shows
   * the peer's clock behind by so much, so the greatest of the latest readings is the truest.
   */
  get clockOffsetMs(): number {
    return this.#clockReadingsMs.length === 0 ? 0 : Math.max(...this.#clockReadingsMs);
  }

  /** The peer's wall clock and the own at the moment of hearing it, Unix milliseconds. */
  readClock(itsWallMs: number, ownWallMs: number): void {
    this.#clockReadingsMs.push(itsWallMs - ownWallMs);
    if (this.#clockReadingsMs.length > CLOCK_READINGS_MAX) this.#clockReadingsMs.shift();
  }

  /** The own wall clock was set: what was read by it means nothing any more. */
  forgetClock(): void {
    this.#clockReadingsMs.length = 0;
  }

  /** Every address that it was heard from, the latest last. */
  get hosts(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  heardFrom(host: string, nowMs: number): void {
    const { connectedAtMs = -Infinity } = this.#hosts.get(host) ?? {};
    this.#hosts.delete(host);
    this.#hosts.set(host, { heardAtMs: nowMs, connectedAtMs });
    const oldest = this.#hosts.keys().next();
    if (this.#hosts.size > HOSTS_MAX && oldest.done !== true) this.#hosts.delete(oldest.value);
  }

  /** When it was last heard from the address that this node is connected to. */
  get hostHeardAtMs(): number {
    return this.#hosts.get(this.host)?.heardAtMs ?? 0;
  }

  /** A connection is made to the address. */
  connectedTo(host: string, nowMs: number): void {
    this.host = host;
    this.connectedAtMs = nowMs;
    const known = this.#hosts.get(host);
    if (known !== undefined) known.connectedAtMs = nowMs;
  }

  /**
   * Where to connect to next when the connection does not work: of the addresses that it was heard from since, the one
   * whose last turn is longest ago.
   */
  nextHost(sinceMs: number): string {
    let next = this.host;
    let triedAtMs = Infinity;
    for (const [host, { heardAtMs, connectedAtMs }] of this.#hosts) {
      if (heardAtMs < sinceMs || connectedAtMs >= triedAtMs) continue;
      next = host;
      triedAtMs = connectedAtMs;
    }
    return next;
  }
}

interface KnownHost {
  readonly heardAtMs: number;
  /** When this node last made a connection to it; -Infinity = never. */
  connectedAtMs: number;
}
