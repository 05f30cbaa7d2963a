/**
 * Presence: who is there, and over which connection.
 *
 * A peer is up at its first beacon, quiet after 2.5 s of silence and gone after 4 s. Any valid message from
 * it is a sign of life, so lost broadcasts do not make it flap. Silence is counted only while this process
 * was listening: after it was stopped or blocked, everybody gets the full time again, because what they
 * said meanwhile is still in the socket.
 *
 * Invariants: at most {@link PEERS_MAX} peers; one connection a peer, made when it comes up, dropped when it is gone
 * and made afresh when its messages stop though its beacons come (TCP does not notice a cut cable). A
 * beacon can come from anybody, so it never moves a connection whose messages still arrive. One that has brought
 * none is made afresh at the next of the addresses that its peer is heard from: what relays datagrams, such as a
 * container engine, shows its own address in place of the sender's.
 */
import type { Emit, Now } from "./effect.js";
import type { Beacon, NodeId, Vitals } from "./message.js";
import { Peer } from "./peer.js";
import type { Writer } from "./version.js";

/** Silence after which a peer is quiet. */
export const QUIET_AFTER_MS = 2_500;
/** Silence after which a peer is gone. */
export const GONE_AFTER_MS = 4_000;
/** How long a connection may be silent, though its peer is heard, before it is made afresh. */
export const RECONNECT_AFTER_MS = 4_000;
/** The same for a peer that is slow to answer: enough for 1 MiB at 1.1 Mbit/s. A dead connection waits as long. */
const RECONNECT_SLOW_AFTER_MS = 8_000;
/** The process that a restarted node replaces is gone after this much more silence. */
const REPLACED_AFTER_MS = 1_500;
/** How long the rest of what a peer sent before its goodbye is waited for, after each message of it. */
const LEAVING_MS = 500;
export const PEERS_MAX = 256;
/** How many subscribers are remembered, those included that are not yet heard. */
const SUBSCRIBED_MAX = 2 * PEERS_MAX;
/** How many departed nodes are remembered and called. */
export const ROSTER_MAX = 256;
const PATIENCE_MS = 1_000;

/** A node that was here and is gone without a goodbye. */
export interface Departed {
  readonly nodeId: NodeId;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly vitals: Vitals;
  readonly goneAtMs: number;
}

export class Presence {
  readonly #peers = new Map<Writer, Peer>();
  readonly #departed = new Map<NodeId, Departed>();
  /** Subscriptions seen before the peer's first beacon. */
  readonly #subscribed = new Set<Writer>();
  readonly #emit: Emit;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  get peers(): ReadonlyMap<Writer, Peer> {
    return this.#peers;
  }

  get departed(): readonly Departed[] {
    return [...this.#departed.values()];
  }

  /** Peers that can be asked. */
  get linked(): readonly Peer[] {
    return [...this.#peers.values()].filter((peer) => peer.isLinked);
  }

  /** Whether some peer waits for a receipt, until more is durable. */
  get owesReceipts(): boolean {
    for (const { owed } of this.#peers.values()) if (owed.length > 0) return true;
    return false;
  }

  /** @returns whether the peer is new here */
  handleBeacon(beacon: Beacon, from: string, now: Now): boolean {
    const known = this.#peers.get(beacon.writer);
    if (beacon.goodbye) {
      if (known?.hosts.includes(hostOf(beacon, from)) === true) this.#letGo(known, beacon, now.monoMs);
      return false;
    }
    if (known !== undefined) {
      if (!known.isLeaving) this.#refresh(known, beacon, from, now);
      return false;
    }
    return this.#admit(beacon, from, now);
  }

  /** A message of the mesh came: a sign of life of its sender, if that is known. */
  handleMessage(writer: Writer, nowMs: number): Peer | undefined {
    const peer = this.#peers.get(writer);
    if (peer === undefined) return undefined;
    if (peer.messageAtMs === 0) peer.lost = 0;
    peer.messageAtMs = nowMs;
    peer.isConnectionDoubtful = false;
    peer.hasTalked = true;
    this.#heard(peer, nowMs);
    return peer;
  }

  /**
   * A subscription to what is for the peer was made, or the last of them has ended.
   * @returns the peer, if it is known
   */
  handleSubscription(writer: Writer, present: boolean): Peer | undefined {
    const peer = this.#peers.get(writer);
    if (peer !== undefined) peer.subscribed = present;
    this.#subscribed.delete(writer);
    if (present) this.#subscribed.add(writer);
    this.#forgetStrangers();
    return peer;
  }

  /** Of too many subscribers, those that were never heard go first, the oldest before the latest. */
  #forgetStrangers(): void {
    for (const writer of this.#subscribed) {
      if (this.#subscribed.size <= SUBSCRIBED_MAX) return;
      if (!this.#peers.has(writer)) this.#subscribed.delete(writer);
    }
  }

  /** This process was stopped or blocked for so long: nobody's silence counts for that time. */
  forgiveSilence(blockedMs: number): void {
    for (const peer of this.#peers.values()) {
      peer.heardAtMs += blockedMs;
      peer.connectedAtMs += blockedMs;
      if (peer.messageAtMs > 0) peer.messageAtMs += blockedMs;
    }
  }

  /** The own addresses have changed. */
  doubtConnections(): void {
    for (const peer of this.#peers.values()) peer.isConnectionDoubtful = true;
  }

  handleWake(now: Now): void {
    for (const peer of this.#peers.values()) {
      peer.forgiveLosses(now.monoMs);
      const silenceMs = now.monoMs - peer.heardAtMs;
      if (peer.isLeaving) {
        if (silenceMs >= LEAVING_MS || !lacks(peer)) this.#drop(peer, "said goodbye", now.monoMs);
      } else if (silenceMs >= GONE_AFTER_MS) this.#drop(peer, "silent", now.monoMs);
      else if (silenceMs >= QUIET_AFTER_MS && peer.presence === "up") {
        peer.presence = "quiet";
        this.#emit({ type: "peer", change: "quiet", peer });
      } else this.#mendConnection(peer, now.monoMs);
    }
  }

  /** When the next peer turns quiet or gone; Infinity when there is none. */
  get wakeAtMs(): number {
    let at = Infinity;
    for (const peer of this.#peers.values()) {
      const bearMs = peer.isLeaving ? LEAVING_MS : peer.presence === "up" ? QUIET_AFTER_MS : GONE_AFTER_MS;
      at = Math.min(at, peer.heardAtMs + bearMs);
    }
    return at;
  }

  #admit(beacon: Beacon, from: string, now: Now): boolean {
    const peer = new Peer(beacon, from, now.monoMs, PATIENCE_MS);
    if (this.#isTaken(peer, now.monoMs)) return false;
    if (this.#peers.size >= PEERS_MAX && !this.#makeRoom(now.monoMs)) return false;
    peer.readClock(beacon.wallMs, now.wallMs);
    peer.subscribed = this.#subscribed.has(peer.writer);
    for (const other of this.#peers.values()) {
      if (other.endpoint === peer.endpoint) this.#drop(other, "replaced", now.monoMs);
      else if (other.nodeId === peer.nodeId) {
        other.heardAtMs = Math.min(other.heardAtMs, now.monoMs - GONE_AFTER_MS + REPLACED_AFTER_MS);
      }
    }
    this.#departed.delete(peer.nodeId);
    this.#peers.set(peer.writer, peer);
    this.#emit({ type: "connect", endpoint: peer.endpoint });
    this.#emit({ type: "peer", change: "up", peer });
    return true;
  }

  /** Another process talks from there. Only a new run of the same node may take its place at once. */
  #isTaken({ endpoint, nodeId }: Peer, nowMs: number): boolean {
    for (const other of this.#peers.values()) {
      if (other.endpoint === endpoint && other.nodeId !== nodeId && this.#isTalking(other, nowMs))
        return true;
    }
    return false;
  }

  /** What it had sent before its goodbye may still be on its way, and is waited for. */
  #letGo(peer: Peer, beacon: Beacon, nowMs: number): void {
    peer.stream?.observeHead(beacon.head);
    peer.isLeaving = true;
    peer.heardAtMs = nowMs;
    if (!lacks(peer)) this.#drop(peer, "said goodbye", nowMs);
  }

  /** Somebody floods the port with made-up peers: those that never spoke over the mesh go first. */
  #makeRoom(nowMs: number): boolean {
    for (const peer of this.#peers.values()) {
      if (peer.hasTalked) continue;
      this.#drop(peer, "never connected", nowMs);
      return true;
    }
    return false;
  }

  #refresh(peer: Peer, beacon: Beacon, from: string, now: Now): void {
    peer.name = beacon.name;
    peer.software = beacon.software;
    peer.readClock(beacon.wallMs, now.wallMs);
    // What the mesh says of its stream and root is newer and not from strangers.
    if (!this.#isTalking(peer, now.monoMs)) peer.vitals = beacon;
    const host = hostOf(beacon, from);
    peer.heardFrom(host, now.monoMs);
    this.#heard(peer, now.monoMs);
    const isElsewhere = peer.port !== beacon.port || now.monoMs - peer.hostHeardAtMs >= QUIET_AFTER_MS;
    if (isElsewhere && !this.#isTalking(peer, now.monoMs)) {
      this.#emit({ type: "disconnect", endpoint: peer.endpoint });
      peer.port = beacon.port;
      this.#connect(peer, host, now.monoMs);
    }
  }

  #isTalking(peer: Peer, nowMs: number): boolean {
    return peer.messageAtMs > 0 && nowMs - peer.messageAtMs < QUIET_AFTER_MS;
  }

  #heard(peer: Peer, nowMs: number): void {
    peer.heardAtMs = nowMs;
    if (peer.presence === "up") return;
    peer.presence = "up";
    this.#emit({ type: "peer", change: "back", peer });
  }

  /**
   * A message counts when it is whole, and a large one that was asked for may be long on its way over a slow link. So
   * a peer that left questions unanswered is borne with for longer than it takes to ask it once more. Not so when this
   * node's addresses have changed: its connections may be dead without a sign.
   */
  #mendConnection(peer: Peer, nowMs: number): void {
    const slowMs = peer.isConnectionDoubtful ? 0 : Math.min(2 * peer.patienceMs, RECONNECT_SLOW_AFTER_MS);
    const bearMs = Math.max(RECONNECT_AFTER_MS, slowMs);
    if (nowMs - Math.max(peer.connectedAtMs, peer.messageAtMs) < bearMs) return;
    this.#emit({ type: "disconnect", endpoint: peer.endpoint });
    const host = peer.messageAtMs > 0 ? peer.host : peer.nextHost(nowMs - QUIET_AFTER_MS);
    this.#connect(peer, host, nowMs);
  }

  #connect(peer: Peer, host: string, nowMs: number): void {
    peer.connectedTo(host, nowMs);
    peer.isConnectionDoubtful = false;
    peer.messageAtMs = 0;
    this.#emit({ type: "connect", endpoint: peer.endpoint });
  }

  #drop(peer: Peer, why: "silent" | "replaced" | "said goodbye" | "never connected", nowMs: number): void {
    this.#peers.delete(peer.writer);
    if (why === "silent" && !this.#hasProcessOf(peer.nodeId)) this.#remember(peer, nowMs);
    this.#emit({ type: "disconnect", endpoint: peer.endpoint });
    this.#emit({ type: "peer", change: "gone", peer });
  }

  #hasProcessOf(nodeId: NodeId): boolean {
    return [...this.#peers.values()].some((peer) => peer.nodeId === nodeId);
  }

  #remember({ nodeId, name, hosts, vitals, hasTalked }: Peer, nowMs: number): void {
    if (!hasTalked) return;
    this.#departed.delete(nodeId);
    this.#departed.set(nodeId, { nodeId, name, hosts, vitals, goneAtMs: nowMs });
    const oldest = this.#departed.keys().next();
    if (this.#departed.size > ROSTER_MAX && oldest.done !== true) this.#departed.delete(oldest.value);
  }
}

/** The address to connect to. */
function hostOf(beacon: Beacon, from: string): string {
  return beacon.advertise === "" ? from : beacon.advertise;
}

/** Whether something of its stream has not arrived. */
function lacks(peer: Peer): boolean {
  return peer.stream?.missing() !== undefined;
}
