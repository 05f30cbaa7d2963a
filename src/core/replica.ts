/**
 * A node's replica: the pure core, put together.
 *
 *     step(input, now) -> effects
 *
 * Everything that a node knows and decides is here or below; sockets, timers, clocks and chance are outside and come
 * in as inputs, as `now`, and as `random`. The same inputs give the same effects, so the simulator runs the very code
 * that the daemon runs.
 *
 * Local reads and writes are methods, not inputs, because they are the hot path and answer at once; what they
 * wrote goes out with the next `flush`.
 *
 * The driver calls `step({ type: "wake" }, now)` when `wakeAtMs` has come. There are no other timers.
 */
import { absenceOf } from "./absence.js";
import { Announcer } from "./announcer.js";
import { answersTo } from "./answer.js";
import { Bootstrap } from "./bootstrap.js";
import type { Bytes } from "./bytes.js";
import { Clock } from "./clock.js";
import type { Conflicts } from "./conflicts.js";
import { Copy } from "./copy.js";
import type { Effect, Input, Now } from "./effect.js";
import { Identity, type Self } from "./identity.js";
import type { AnswerMessage, Beacon, Message, ReceivedMessage, State, Vitals } from "./message.js";
import { Outbox } from "./outbox.js";
import type { Peer } from "./peer.js";
import { Presence } from "./presence.js";
import { Questions, questionToMessage, type Question } from "./questions.js";
import { Receipts } from "./receipts.js";
import { Reconcile } from "./reconcile.js";
import type { RecordMap } from "./record-map.js";
import type { KvRecord, StoredRecord } from "./record.js";
import { Repair } from "./repair.js";
import type { FsyncPolicy, Saving } from "./saving.js";
import { Seeks } from "./seeks.js";
import { RING_KEYS_MAX } from "./stream.js";
import type { Writer } from "./version.js";
import { Timekeeper } from "./timekeeper.js";
import { Voice } from "./voice.js";

export interface ReplicaOptions extends Self {
  /** Uniform in 0 <= x < 1. */
  readonly random: () => number;
  /** How many keys the ring of the own stream remembers. Default {@link RING_KEYS_MAX}. */
  readonly ringKeysMax?: number;
  /** When changes become durable. Default: nothing is saved. */
  readonly fsync?: FsyncPolicy;
}

export class Replica {
  /** What is held. */
  readonly map: RecordMap;
  /** Who is there. */
  readonly presence: Presence;
  readonly #effects: Effect[] = [];
  readonly #clock = new Clock();
  readonly #copy: Copy;
  readonly #outbox: Outbox;
  readonly #timekeeper: Timekeeper;
  readonly #questions = new Questions();
  readonly #reconcile: Reconcile;
  readonly #repair: Repair;
  readonly #receipts: Receipts;
  readonly #seeks: Seeks;
  readonly #bootstrap: Bootstrap;
  readonly #announcer: Announcer;
  readonly #identity: Identity;
  readonly #voice: Voice;
  #now: Now = { monoMs: 0, wallMs: 0 };
  #isStarted = false;

  constructor(options: ReplicaOptions) {
    this.#identity = new Identity(options, options.random);
    this.#copy = new Copy(this.#clock, (effect) => this.#effects.push(effect), options.fsync);
    this.map = this.#copy.map;
    this.#outbox = new Outbox(options.ringKeysMax ?? RING_KEYS_MAX);
    this.#announcer = new Announcer(options.random, () => this.#voice.isStill && this.isSynced);
    this.presence = new Presence((effect) => this.#effects.push(effect));
    this.#timekeeper = new Timekeeper(this.#clock, this.presence);
    const ask = this.#ask.bind(this);
    this.#reconcile = new Reconcile(this.map, this.#questions, ask, options.random);
    this.#repair = new Repair(this.#questions, ask, this.#reconcile);
    this.#receipts = new Receipts(this.#copy, this.#repair, this.#reconcile, (told, { writer }) =>
      this.#send({ ...told, from: this.self.writer }, writer),
    );
    this.#seeks = new Seeks(this.map, this.#questions, ask, (key) =>
      this.#effects.push({ type: "sought", key }),
    );
    this.#bootstrap = new Bootstrap(this.#copy, this.#reconcile, (state) => {
      const { size } = this.presence.peers;
      if (state === "live" && size === 0) this.#clock.trust(this.#now.monoMs);
      if (state === "live") this.#announcer.tickSoon(size, this.#now);
      this.#effects.push({ type: "state", state });
    });
    this.#voice = new Voice(
      this.#identity,
      this.map,
      this.#outbox.stream,
      this.presence,
      () => this.#bootstrap.toldState,
    );
  }

  get conflicts(): Conflicts {
    return this.#copy.conflicts;
  }

  /** What is to be saved, and when; undefined = nothing is. */
  get saving(): Saving | undefined {
    return this.#copy.saving;
  }

  get state(): State {
    return this.#bootstrap.state;
  }

  /** Number of the last `set` message. */
  get head(): number {
    return this.#outbox.stream.head;
  }

  get self(): Self {
    return this.#identity.self;
  }

  /** Milliseconds by which the own wall clock is corrected. */
  get clockOffsetMs(): number {
    return this.#clock.offsetMs;
  }

  /** Whether bootstrap is over: live, or offline, where there may still be other nodes on this host. */
  get isSettled(): boolean {
    return this.#bootstrap.isSettled;
  }

  /** Whether nothing is known to be missing here: this node and everybody who is up are settled, and hold the same root. */
  get isSynced(): boolean {
    if (!this.isSettled || this.#questions.size > 0) return false;
    for (const peer of this.presence.peers.values()) {
      const isEqual = peer.vitals.root === this.map.root && peer.stream?.missing() === undefined;
      if (peer.presence === "up" && !(isEqual && peer.isSettled)) return false;
    }
    return true;
  }

  /** The corrected wall clock, by which expiry is decided. */
  correctedMs(wallMs: number): number {
    return this.#clock.correctedMs(wallMs);
  }

  /** What is held of a key: a value (maybe one whose time has run out), a tombstone, or nothing. */
  get(key: Bytes): KvRecord | undefined {
    return this.map.get(key);
  }

  /**
   * Writes a value, or a tombstone when `value` is undefined. The caller has checked the sizes, and calls
   * `step({ type: "flush" })` when the turn of its event loop is over.
   * @param expiresAtMs corrected Unix milliseconds, or undefined; of a value whose time has passed only remains are kept
   * @param wallMs the machine's wall clock, Unix milliseconds
   * @returns the record, or undefined when nothing was written: the map is full, or a forged record has used up the key's stamps
   */
  write(
    key: Bytes,
    value: Bytes | undefined,
    expiresAtMs: number | undefined,
    wallMs: number,
  ): KvRecord | undefined {
    const record = this.#copy.write(key, value, expiresAtMs, { writer: this.self.writer, wallMs });
    if (record !== undefined) this.#outbox.add(record, this.map.slotOf(key) ?? 0);
    return record;
  }

  /** Gives a message to the peers that are connected; it leaves with the next flush. The caller has checked the sizes. */
  publish(channel: Bytes, payload: Bytes): void {
    this.#outbox.publish(channel, payload);
  }

  /** Whether so much waits to be sent that the caller should flush now, and not only when the turn is over. */
  get isFlushDue(): boolean {
    return this.#outbox.isFull;
  }

  /** Whether records are still to be restored. */
  get isLoading(): boolean {
    return this.#copy.isLoading;
  }

  /** Takes over records from storage, before the start or until `loaded`: neither changes nor writes, and told to nobody. */
  restore(records: readonly StoredRecord[], now: Now): void {
    this.#copy.restore(records, now);
  }

  /** Whether a write has brought something to tell, which the next step hands out. */
  get hasNews(): boolean {
    return this.#effects.length > 0;
  }

  /** Whether a step would let values expire now. */
  isExpiryDue(now: Now): boolean {
    return this.#copy.wakeAtMs(now) <= now.monoMs;
  }

  /** Monotonic time at which `step` wants to be called though nothing came; Infinity before the start and after the end. */
  get wakeAtMs(): number {
    if (!this.#isStarted) return Infinity;
    const linked = this.presence.linked;
    return Math.min(
      this.#announcer.wakeAtMs,
      this.presence.wakeAtMs,
      this.#questions.wakeAtMs,
      this.#repair.wakeAtMs(linked),
      this.#receipts.wakeAtMs(linked),
      this.#bootstrap.wakeAtMs,
      this.#seeks.wakeAtMs,
      this.#copy.wakeAtMs(this.#now),
      this.isSettled ? this.#reconcile.wakeAtMs(linked) : Infinity,
    );
  }

  step(input: Input, now: Now): readonly Effect[] {
    this.#noticeAbsence(now);
    this.#now = now;
    this.#handle(input, now);
    if (this.#isStarted) this.#advance(now);
    return this.#effects.splice(0);
  }

  #handle(input: Input, now: Now): void {
    switch (input.type) {
      case "start":
        this.#isStarted = true;
        this.#copy.isLoading = input.loading === true;
        this.#clock.doubt(now.monoMs);
        this.#announcer.hello(now);
        if (input.online) this.#bootstrap.seek(now.monoMs);
        return;
      case "loaded":
        this.#copy.isLoading = false;
        if (this.isSettled) this.#announcer.tickSoon(this.presence.peers.size, now);
        return;
      case "saved":
        this.#receipts.handleSaved(this.presence.peers.values());
        return;
      case "network":
        this.#announcer.hello(now);
        this.presence.doubtConnections();
        if (!input.online) this.#bootstrap.goOffline();
        else if (this.state === "offline") this.#bootstrap.seek(now.monoMs);
        return;
      case "beacon":
        this.#handleBeacon(input.beacon, input.from, now);
        return;
      case "message":
        this.#handleMessage(input.message, now);
        return;
      case "subscription": {
        const peer = this.presence.handleSubscription(input.writer, input.present);
        if (!input.present) return;
        if (peer !== undefined) this.#questions.handleSubscription(peer, now.monoMs);
        this.#announcer.tickSoon(this.presence.peers.size, now);
        return;
      }
      case "flush":
        this.#flush();
        return;
      case "seek":
        this.#seeks.add(input.key, input.untilMs);
        return;
      case "confirm":
        this.#receipts.want(input.seq);
        return;
      case "wake":
        return;
      case "stop":
        this.#flush();
        this.#effects.push(this.#voice.beacon("goodbye", false, now));
        this.#isStarted = false;
    }
  }

  /** What time alone brings, and what the input has made possible. */
  #advance(now: Now): void {
    this.presence.handleWake(now);
    const { peers, linked } = this.presence;
    for (const question of this.#questions.takeOverdue(peers, now.monoMs)) {
      this.#reconcile.handleLost(question);
      this.#seeks.handleLost(question);
    }
    this.#reconcile.handleLinks(linked);
    this.#bootstrap.advance(peers, linked, now.monoMs);
    this.#copy.expire(now);
    if (this.isSettled) this.#reconcile.startDue(linked, now.monoMs);
    this.#seeks.pump(linked, this.isSettled, now.monoMs);
    this.#repair.pump(linked, now.monoMs);
    this.#reconcile.pump(linked, now.monoMs);
    this.#receipts.pump(linked, this.head, now.monoMs);
    this.#announce(now);
  }

  /** This process did not run for a while, or the wall clock was set. */
  #noticeAbsence(now: Now): void {
    if (!this.#isStarted) return;
    const { blockedMs, isReturn, hasJumped } = absenceOf(this.#now, now);
    if (blockedMs > 0) this.presence.forgiveSilence(blockedMs);
    if (hasJumped) this.#timekeeper.handleJump(now);
    if (isReturn || hasJumped) this.#announcer.hello(now);
    if (isReturn && this.state === "live" && this.presence.peers.size > 0) this.#bootstrap.seek(now.monoMs);
  }

  #handleBeacon(beacon: Beacon, from: string, now: Now): void {
    if (beacon.writer === this.self.writer) return;
    const isLinked = this.presence.peers.get(beacon.writer)?.isLinked === true;
    const identity = isLinked ? this.#identity.handleBeacon(beacon, now.monoMs) : undefined;
    if (identity !== undefined) this.#effects.push({ type: "identity", nodeId: identity });
    const isNew = this.presence.handleBeacon(beacon, from, now);
    if (isNew || beacon.hello) this.#announcer.answerBeacon(this.presence.peers.size, now);
    this.#timekeeper.correct(now);
  }

  #handleMessage(message: ReceivedMessage, now: Now): void {
    const peer = this.presence.handleMessage(message.from, now.monoMs);
    if (peer === undefined) return;
    switch (message.type) {
      case "set":
        this.#repair.handleSet(message, peer);
        this.#copy.apply(message.records, now);
        return;
      case "tick":
        this.#handleTick(message.vitals, peer, now);
        return;
      case "question":
      case "list":
        peer.answers += 1;
        for (const part of answersTo(message, this.self.writer, this.map, this.#outbox.stream))
          this.#send(part, peer.writer);
        return;
      case "answer":
        this.#handleAnswer(message, peer, now);
        return;
      case "list_answer":
        peer.answeredAtMs = now.monoMs;
        this.#reconcile.handleSums(message, this.#questions.handlePart(message, now.monoMs));
        return;
      case "publish":
        this.#effects.push({ type: "published", publications: message.publications });
        return;
      case "confirm":
        this.#receipts.handleConfirm(message, peer);
        return;
      case "receipt":
        if (this.#receipts.handleReceipt(message, peer, this.head))
          this.#effects.push({ type: "confirmed", peer });
    }
  }

  #handleTick(vitals: Vitals, peer: Peer, now: Now): void {
    peer.vitals = vitals;
    this.#timekeeper.handleVitals(vitals, peer, now);
    const isEqual = vitals.root === this.map.root;
    this.#repair.handleHead(vitals.head, isEqual, peer);
    this.#reconcile.handleRoot(isEqual, peer, this.head);
  }

  #handleAnswer(message: AnswerMessage<StoredRecord>, peer: Peer, now: Now): void {
    peer.answeredAtMs = now.monoMs;
    this.#copy.apply(message.records, now);
    const question = this.#questions.handlePart(message, now.monoMs);
    if (question === undefined) return;
    this.#repair.handleAnswered(question, peer, message);
    this.#reconcile.handleAnswered(question);
    this.#seeks.handleAnswered(question, peer);
  }

  #flush(): void {
    for (const message of this.#outbox.take(this.self.writer)) this.#send(message, undefined);
  }

  #announce(now: Now): void {
    const { beacon, tick, callDeparted } = this.#announcer.due(now);
    if (beacon !== undefined) this.#effects.push(this.#voice.beacon(beacon, callDeparted, now));
    // Also to nobody: whoever has just subscribed may not be known yet, and PUB reaps dead connections as it sends.
    if (!tick) return;
    // A tick tells the head: what was written before it must be on its way before it.
    this.#flush();
    this.#send(this.#voice.tick(now), undefined);
  }

  #ask(peer: Peer, ask: Question["ask"], nowMs: number): Question {
    const question = this.#questions.open(peer, ask, nowMs);
    this.#send(questionToMessage(question, this.self.writer, this.map), peer.writer);
    return question;
  }

  #send(message: Message, to: Writer | undefined): void {
    this.#effects.push({ type: "publish", message, to });
  }
}
