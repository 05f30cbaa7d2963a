/**
 * One process of lankv: the real core and the real codecs, driven as the daemon drives them. Inputs go in with
 * the time, effects are carried out in order, and the next wake is planned by `wakeAtMs`.
 */
import type { Bytes } from "../../src/core/bytes.js";
import type { Effect, Input, Now } from "../../src/core/effect.js";
import type { Message } from "../../src/core/message.js";
import type { KvRecord } from "../../src/core/record.js";
import type { Saving } from "../../src/core/saving.js";
import { Replica } from "../../src/core/replica.js";
import { encodeBeacon } from "../../src/wire/beacon.js";
import { encodeMessage } from "../../src/wire/message.js";
import { readEffect, type ReadInput } from "../received.js";
import type { Checkers } from "./checker.js";
import { heldOf } from "./contents.js";
import type { Disk } from "./disk.js";
import type { Host } from "./host.js";
import { Link } from "./link.js";
import {
  CLUSTER,
  remember,
  toDatagram,
  toFrame,
  type Datagram,
  type Frame,
  type Network,
} from "./network.js";
import { Saver, type Saved } from "./saver.js";
import { effectToText, inputToText } from "./step-text.js";

const NO_RECORDS: readonly KvRecord[] = [];
const NOTHING: ReadonlyMap<string, KvRecord | undefined> = new Map();
/** How many datagrams a blocked process finds in its socket at the most. */
const DATAGRAMS_MAX = 256;

interface ProcessOptions {
  readonly name: string;
  readonly nodeId: string;
  readonly writer: string;
  readonly port: number;
  readonly ringKeysMax: number;
  /** Where it saves; undefined = nowhere. */
  readonly disk?: Disk | undefined;
}

export class Process {
  readonly replica: Replica;
  readonly name: string;
  readonly writer: string;
  readonly port: number;
  readonly disk: Disk | undefined;
  readonly #saver: Saver | undefined;
  isAlive = false;
  isBlocked = false;
  readonly startedAtMs: number;
  readonly #monoOffsetMs: number;
  readonly #links = new Map<string, Link>();
  readonly #subscribers = new Map<string, number>();
  readonly #readers = new Set<Link>();
  #waiting: (() => void)[] = [];
  #datagramsWaiting = 0;
  /** Counts waits for receipts, so that the end of an earlier one is told apart. */
  #waits = 0;
  #cancelWake = (): void => undefined;

  constructor(
    options: ProcessOptions,
    readonly host: Host,
    private readonly network: Network,
    private readonly checkers: Checkers,
  ) {
    const { name, nodeId, writer, port, ringKeysMax, disk } = options;
    const fsync = disk === undefined ? undefined : host.fsync;
    this.name = name;
    this.writer = writer;
    this.port = port;
    this.startedAtMs = network.schedule.nowMs;
    this.#monoOffsetMs = network.random.below(1_000_000);
    this.replica = new Replica({
      nodeId,
      writer,
      name,
      cluster: CLUSTER,
      port,
      advertise: "",
      software: "0.1.0",
      random: network.random.unit,
      ringKeysMax,
      ...(fsync === undefined ? {} : { fsync }),
    });
    this.disk = disk;
    if (disk !== undefined && this.replica.saving !== undefined)
      this.#saver = new Saver(disk, this.replica.saving, this.#saved(this.replica.saving), network);
  }

  get now(): Now {
    return { monoMs: this.network.schedule.nowMs + this.#monoOffsetMs, wallMs: this.host.wallMs };
  }

  get links(): readonly Link[] {
    return [...this.#links.values()];
  }

  /** @param records what it holds from the first, besides what its disk gives later */
  start(records: readonly KvRecord[] = []): void {
    this.isAlive = true;
    const { address, fsync = "memory" } = this.host;
    this.#log(`start at ${address}:${String(this.port)} with ${String(records.length)} records, ${fsync}`);
    this.replica.restore(records, this.now);
    this.#step({ type: "start", online: this.host.isOnline, loading: this.#saver !== undefined });
    this.#saver?.load();
  }

  /** The process ends between two instructions: nothing is said, nothing is written. */
  crash(): void {
    this.#log("crash");
    this.#end();
  }

  /** And the machine with it. */
  losePower(): void {
    this.#log("power cut");
    this.network.tallies.add("process without power");
    this.#end();
    this.disk?.cutPower();
  }

  stop(): void {
    this.#log("stop");
    this.#step({ type: "stop" });
    this.#saver?.finish(this.host.fsync !== "never");
    this.#end();
  }

  #end(): void {
    this.isAlive = false;
    this.#saver?.end();
    this.#cancelWake();
    for (const link of this.#links.values()) link.disconnect();
    for (const link of this.#readers) link.publisherEnded();
    this.#links.clear();
    this.#readers.clear();
    this.#waiting = [];
    this.checkers.ended(this);
  }

  block(): void {
    this.isBlocked = true;
    this.#log("blocked");
  }

  unblock(): void {
    if (!this.isAlive || !this.isBlocked) return;
    this.isBlocked = false;
    this.#log("goes on");
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#datagramsWaiting = 0;
    if (this.network.random.chance(0.5)) this.#step({ type: "wake" });
    for (const action of waiting) action();
    this.#step({ type: "wake" });
  }

  /** Whether it takes writes: not while it loads, and not while its disk fails. */
  get #isReady(): boolean {
    return this.isAlive && !this.isBlocked && this.#saver?.isReady !== false;
  }

  /** Writes some keys in one turn of the event loop. */
  write(
    writes: readonly {
      readonly key: Bytes;
      readonly value: Bytes | undefined;
      readonly expiresAtMs: number | undefined;
    }[],
  ): void {
    if (!this.#isReady) return;
    const written: KvRecord[] = [];
    for (const { key, value, expiresAtMs } of writes) {
      const held = this.replica.get(key);
      const record = this.replica.write(key, value, expiresAtMs, this.now.wallMs);
      this.checkers.wrote({
        process: this,
        key,
        value,
        expiresAtMs,
        held,
        record,
        atMs: this.network.schedule.nowMs,
      });
      if (record !== undefined) written.push(record);
      if (this.replica.isFlushDue) this.#step({ type: "flush" });
    }
    this.#saver?.await(written);
    this.#saver?.pump();
  }

  /** Everything that was written so far is to be durable, whatever the policy. */
  demand(): void {
    const { saving } = this.replica;
    if (!this.#isReady || saving === undefined) return;
    saving.demand(saving.ticket);
    this.#saver?.pump();
  }

  /** Publishes something to a channel in the same turn. */
  publish(channel: Bytes, payload: Bytes): void {
    if (!this.isAlive || this.isBlocked) return;
    this.checkers.posted({ process: this, channel, payload });
    this.replica.publish(channel, payload);
    if (this.replica.isFlushDue) this.#step({ type: "flush" });
  }

  /** Somebody waits for so long until everybody has confirmed what was written so far. */
  confirm(forMs: number): void {
    this.#whenRunning(() => {
      this.#waits += 1;
      const wait = this.#waits;
      this.#step({ type: "confirm", seq: this.replica.head });
      this.network.schedule.after(forMs, () => {
        this.#whenRunning(() => {
          if (wait === this.#waits) this.#step({ type: "confirm", seq: 0 });
        });
      });
    });
  }

  flush(): void {
    this.#whenRunning(() => {
      this.#step({ type: "flush" });
    });
  }

  seek(key: Bytes, forMs: number): void {
    this.#whenRunning(() => {
      this.#step({ type: "seek", key, untilMs: this.now.monoMs + forMs });
    });
  }

  networkChanged(): void {
    this.#whenRunning(() => {
      this.#step({ type: "network", online: this.host.isOnline });
    });
  }

  handleDatagram(datagram: Datagram, from: string): void {
    if (this.isBlocked) {
      if (this.#datagramsWaiting >= DATAGRAMS_MAX) return;
      this.#datagramsWaiting += 1;
    }
    this.#whenRunning(() => {
      const beacon = datagram.content;
      if (typeof beacon !== "string") this.#step({ type: "beacon", beacon, from });
    });
  }

  /** @param isForged whether it is somebody hostile's */
  handleFrame(frame: Frame, isForged = false): void {
    this.#whenRunning(() => {
      if (frame.content === undefined) return;
      const { received, message } = frame.content;
      this.#step({ type: "message", message }, isForged, { type: "message", message: received });
    });
  }

  addLink(link: Link): void {
    this.#readers.add(link);
  }

  removeLink(link: Link): void {
    this.#readers.delete(link);
  }

  /** The mesh tells each subscription of a node, and the end of the last. */
  addSubscriber(writer: string): void {
    const count = (this.#subscribers.get(writer) ?? 0) + 1;
    this.#subscribers.set(writer, count);
    this.#subscription(writer, true);
  }

  removeSubscriber(writer: string): void {
    const count = (this.#subscribers.get(writer) ?? 0) - 1;
    if (count > 0) {
      this.#subscribers.set(writer, count);
      return;
    }
    this.#subscribers.delete(writer);
    if (count === 0) this.#subscription(writer, false);
  }

  #subscription(writer: string, present: boolean): void {
    this.#whenRunning(() => {
      this.#step({ type: "subscription", writer, present });
    });
  }

  #whenRunning(action: () => void): void {
    if (!this.isAlive) return;
    if (this.isBlocked) this.#waiting.push(action);
    else action();
  }

  /** @param taken the input as the core gets it */
  #step(input: ReadInput, isForged = false, taken: Input = input): void {
    if (!this.isAlive) return;
    const { now } = this;
    const records =
      input.type === "message" && "records" in input.message ? input.message.records : NO_RECORDS;
    const before = records.length === 0 ? NOTHING : heldOf(this.replica, records);
    const isKnown = input.type === "message" && this.replica.presence.peers.has(input.message.from);
    const correctedBeforeMs = this.replica.correctedMs(now.wallMs);
    const effects = this.replica.step(taken, now);
    this.#logStep(input, effects);
    this.checkers.stepped({
      process: this,
      input,
      effects: effects.map(readEffect),
      before,
      isKnown,
      correctedBeforeMs,
      isForged,
      now,
      atMs: this.network.schedule.nowMs,
    });
    for (const effect of effects) this.#carryOut(effect);
    this.#planWake();
    this.#saver?.pump();
  }

  #saved(saving: Saving): Saved {
    const { map } = this.replica;
    return {
      memory: {
        get records() {
          return map.records;
        },
        get bytes() {
          return map.bytes;
        },
        isSuperseded: (record) => saving.isSuperseded(record),
        slots: {
          of: (record) => saving.slotOf(record),
          at: (slot) => map.storedAt(slot),
          bytesAt: (slot) => map.bytesAt(slot),
        },
      },
      monoMs: () => this.now.monoMs,
      whenRunning: (action) => {
        this.#whenRunning(action);
      },
      restore: (records) => {
        this.#restore(records);
      },
      loaded: () => {
        this.#step({ type: "loaded" });
      },
      saved: (records) => {
        if (records.length > 0) this.checkers.durable({ process: this, records });
        this.#step({ type: "saved" });
      },
    };
  }

  #restore(records: readonly KvRecord[]): void {
    const before = heldOf(this.replica, records);
    this.replica.restore(records, this.now);
    this.#log(`restored ${String(records.length)} records [${this.replica.map.root}]`);
    this.checkers.restored({ process: this, records, before });
  }

  #planWake(): void {
    this.#cancelWake();
    const atMs = this.replica.wakeAtMs - this.#monoOffsetMs;
    if (!this.isAlive || atMs === Infinity) return;
    const { schedule } = this.network;
    // Like setTimeout, never sooner than in a millisecond.
    this.#cancelWake = schedule.at(Math.max(atMs, schedule.nowMs + 1), () => {
      if (!this.isBlocked) this.#step({ type: "wake" });
    });
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case "beacon":
        this.network.broadcast(this, toDatagram(encodeBeacon(effect.beacon)));
        return;
      case "publish":
        this.#publish(effect.message, effect.to);
        return;
      case "connect":
        if (!this.#links.has(effect.endpoint))
          this.#links.set(effect.endpoint, new Link(this, effect.endpoint, this.network));
        return;
      case "disconnect":
        this.#links.get(effect.endpoint)?.disconnect();
        this.#links.delete(effect.endpoint);
        return;
      case "applied":
      case "expired":
      case "conflict":
      case "state":
      case "peer":
      case "identity":
      case "sought":
      case "published":
      case "confirmed":
    }
  }

  #publish(message: Message, to: string | undefined): void {
    const frame = toFrame(encodeMessage(message, to));
    remember(this.network.overheardFrames, frame);
    this.checkers.published({
      process: this,
      message,
      to,
      frame,
      atMs: this.network.schedule.nowMs,
    });
    for (const link of [...this.#readers]) {
      if (to !== undefined && link.writer !== to) continue;
      this.network.tallies.add("messages");
      link.offer(frame);
    }
  }

  #log(what: string): void {
    this.network.log.add(this.network.schedule.nowMs, this.name, what);
  }

  #logStep(input: ReadInput, effects: readonly Effect[]): void {
    if (!this.network.log.isWanted) return;
    const did = effects.map(effectToText).join("; ");
    this.#log(`${inputToText(input)} -> ${did} [${this.replica.state} ${this.replica.map.root}]`);
  }
}
