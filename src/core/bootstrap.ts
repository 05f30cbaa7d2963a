/**
 * Bootstrap: from having just started, or having been cut off, to being as good as the others.
 *
 *     seeking -> pulling -> live         (no network: -> offline -> seeking)
 *
 * seeking: hello beacons are out; wait until every peer heard is linked, at most 1.5 s, and when none is heard
 *   for so long, this node is alone: live.
 * pulling: a node with nothing asks everybody for everything; then, or at once, one round of fingerprints with the
 *   freshest peer, so that everything that peer had at the start of the round is here. When that peer was itself loading
 *   its copy, and another one can be asked by now, there is a round with that one, too. A tick with an equal root is no
 *   substitute: it may have waited in the socket while this process was blocked.
 * live: the round is done.
 *
 * Reads and writes work in every state, and streams are applied in every state; bootstrap only decides what to
 * pull first and when to say that it is done.
 *
 * While the own copy is being loaded nothing is decided: it is not known yet what is lacking, and pulling it all would be
 * the alternative. Peers may be heard and connected meanwhile, and time counts.
 */
import type { Copy } from "./copy.js";
import type { State } from "./message.js";
import type { Peer } from "./peer.js";
import { responsive, type Reconcile } from "./reconcile.js";
import { RECORDS_MAX } from "./record-map.js";

/** How long a node looks for peers before it takes itself to be alone. */
export const SEEK_MS = 1_500;
/** How long it waits for peers that are heard but cannot be reached over the mesh. */
export const LINK_MS = 5_000;

export class Bootstrap {
  #state: State = "offline";
  #sinceMs = 0;
  /** How long after that there is something to decide. */
  #waitMs = SEEK_MS;
  #hasAskedForAll = false;
  /** Rounds that reconcile had completed when the one of this bootstrap started; undefined = not started. */
  #roundsBefore: number | undefined;
  /** Whether the peer of that round knew more than was loaded so far: it was not seeking, or loading. */
  #isSourceSound = false;

  constructor(
    private readonly copy: Copy,
    private readonly reconcile: Reconcile,
    private readonly onState: (state: State) => void,
  ) {}

  get state(): State {
    return this.#state;
  }

  /** What others are told: a copy that is being loaded is not worth comparing with, be there a network or not. */
  get toldState(): State {
    return this.copy.isLoading ? "seeking" : this.#state;
  }

  /** Whether it is over: live, or offline, where there may still be other nodes on this host. */
  get isSettled(): boolean {
    return !this.copy.isLoading && (this.#state === "live" || this.#state === "offline");
  }

  /** There is a network, perhaps another than before. */
  seek(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#waitMs = SEEK_MS;
    this.#hasAskedForAll = false;
    this.#roundsBefore = undefined;
    this.reconcile.abandon();
    this.#become("seeking");
  }

  /** There is no network. */
  goOffline(): void {
    this.reconcile.abandon();
    this.#become("offline");
  }

  /** @param peers everybody who is up; those among them that are linked can be asked */
  advance(peers: ReadonlyMap<string, Peer>, linked: readonly Peer[], nowMs: number): void {
    if (this.copy.isLoading) return;
    if (this.#state === "seeking") this.#advanceSeeking(peers, linked, nowMs);
    if (this.#state === "pulling") this.#advancePulling(linked, nowMs);
  }

  /** When `advance` has something to decide though nothing came. */
  get wakeAtMs(): number {
    return this.#state === "seeking" && !this.copy.isLoading ? this.#sinceMs + this.#waitMs : Infinity;
  }

  #advanceSeeking(peers: ReadonlyMap<string, Peer>, linked: readonly Peer[], nowMs: number): void {
    const hasSought = nowMs >= this.#sinceMs + SEEK_MS;
    if (linked.length > 0 && (linked.length === peers.size || hasSought)) this.#become("pulling");
    else if (nowMs >= this.#sinceMs + (peers.size === 0 ? SEEK_MS : LINK_MS)) this.#become("live");
    else this.#waitMs = hasSought ? LINK_MS : SEEK_MS;
  }

  #advancePulling(linked: readonly Peer[], nowMs: number): void {
    const source = freshest(responsive(linked));
    if (source === undefined) this.seek(nowMs);
    else if (this.reconcile.isIdle) this.#pullNext(source, nowMs);
  }

  #pullNext(source: Peer, nowMs: number): void {
    if (this.copy.map.records === 0 && !this.#hasAskedForAll) {
      this.#hasAskedForAll = true;
      this.reconcile.pullAll(nowMs);
      return;
    }
    const isDone = this.#roundsBefore !== undefined && this.reconcile.rounds > this.#roundsBefore;
    // What a peer that loads has to give is only a part; whoever has come meanwhile may have the rest.
    if (isDone && (this.#isSourceSound || isSeeking(source))) this.#become("live");
    else {
      this.#roundsBefore = this.reconcile.rounds;
      this.#isSourceSound = !isSeeking(source);
      this.reconcile.compareWith(source, nowMs);
    }
  }

  #become(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    this.onState(state);
  }
}

/** A live peer before one that is still pulling itself, and that before one that is seeking or loading; then the one that holds most. */
function freshest(linked: readonly Peer[]): Peer | undefined {
  let best: Peer | undefined;
  for (const peer of linked) {
    if (best === undefined || rank(peer) > rank(best)) best = peer;
  }
  return best;
}

function rank(peer: Peer): number {
  const worth = peer.isSettled ? 2 : isSeeking(peer) ? 0 : 1;
  return peer.vitals.keys + worth * RECORDS_MAX;
}

/** One that loads its own copy says the same. */
function isSeeking({ vitals }: Peer): boolean {
  return vitals.state === "seeking";
}
