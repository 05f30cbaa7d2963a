/**
 * A node in this process: the replica, driven by sockets and the clock.
 *
 * It passes inputs to the core and carries out the effects: first what goes to the network, in order, then what listeners
 * are told, in order, so that nothing a listener does comes in between. Keys and values are byte strings here; the text
 * view is in lankv.ts.
 */
import { EventEmitter } from "node:events";
import createDebug from "debug";
import type { Bytes } from "../core/bytes.js";
import type { Effect, Input } from "../core/effect.js";
import { LankvError } from "../core/error.js";
import { isAlive, type KvRecord } from "../core/record.js";
import type { RecordMap } from "../core/record-map.js";
import type { Replica } from "../core/replica.js";
import type { BeaconSocket } from "../net/beacon-socket.js";
import { callListener } from "../net/listener.js";
import type { Mesh } from "../net/mesh.js";
import { encodeBeacon } from "../wire/beacon.js";
import { EXPIRES_MAX_MS } from "../wire/records.js";
import { Alarm } from "./alarm.js";
import { monoMs, now, wallMs } from "./ambient.js";
import type { DataDir } from "./data-dir.js";
import { Departure } from "./departure.js";
import type { Disk } from "./disk.js";
import { handOver } from "./hand-over.js";
import { Networks } from "./networks.js";
import { NEWS, type NodeEvents } from "./node-events.js";
import type { NodeOptions } from "./options.js";
import { openParts, type Parts } from "./parts.js";
import { ReceiptWaits } from "./receipt-waits.js";
import { cannotWrite, checkPublication, checkWrite, diskRefusal } from "./refusals.js";

const debug = createDebug("lankv:node");

/** Writes in one turn of the event loop after which a writer should let the loop turn. */
const WRITES_PER_TURN = 1_024;

/** Closing waits for the peers only after a write that is younger: they held an older one long ago. */
const WRITTEN_LATELY_MS = 5_000;
/** How long closing waits for PUB to take what waits. */
const DRAIN_MS = 500;

export class Node extends EventEmitter<NodeEvents> {
  readonly options: NodeOptions;
  readonly startedAtMs: number;
  /** What was not for this node, by reason. */
  readonly ignored: ReadonlyMap<string, number>;
  readonly #replica: Replica;
  readonly #mesh: Mesh;
  readonly #beacons: BeaconSocket;
  readonly #dataDir: DataDir | undefined;
  readonly #networks: Networks;
  /** Undefined = nothing is kept on disk. */
  readonly disk: Disk | undefined;
  #loaded: Promise<void> = Promise.resolve();
  #writesThisTurn = 0;
  #wroteAtMs = -Infinity;
  #written: KvRecord[] | undefined;
  readonly #alarm = new Alarm(() => this.#wake());
  readonly #waits = new ReceiptWaits(
    () => this.#replica.presence.linked.map(({ confirmed }) => confirmed),
    (seq) => this.step({ type: "confirm", seq }),
  );
  readonly #departure = new Departure(() => this.step({ type: "flush" }));
  #isTurnPlanned = false;
  #turn: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #isStopped = false;

  private constructor({ options, replica, mesh, beacons, dataDir, disk, ignored, hosts }: Parts) {
    super();
    // Everybody who waits for a key listens.
    this.setMaxListeners(0);
    this.options = options;
    this.ignored = ignored;
    this.#replica = replica;
    this.#mesh = mesh;
    this.#beacons = beacons;
    beacons.onUnreadable = (error) => this.#report(error);
    this.#dataDir = dataDir;
    this.disk = disk;
    if (disk !== undefined) {
      disk.saver.onStep = () => {
        if (this.#replica.presence.owesReceipts) this.step({ type: "saved" });
      };
      disk.saver.onDamage = (damages) => this.emit("damage", damages);
      disk.saver.onTurn = (failure) => this.#handleDisk(failure);
    }
    this.#networks = new Networks({
      ...{ beacons, mesh, hosts, interfaces: options.interfaces },
      report: (error) => this.#report(error),
    });
    this.startedAtMs = monoMs();
  }

  /**
   * Binds the sockets, starts to look for peers, and to load what is on disk: {@link Node.loaded}. Fails whole: what
   * was opened is closed again.
   * @throws {LankvError} LANKV_PORT, LANKV_DATA_DIR, LANKV_DATA_FORMAT, LANKV_DATA_CLUSTER, LANKV_IN_USE
   */
  static async open(options: NodeOptions): Promise<Node> {
    const late: { node?: Node } = {};
    const node = new Node(await openParts(options, (input) => late.node?.step(input)));
    late.node = node;
    node.step({ type: "start", online: node.#networks.isOnline, loading: node.disk !== undefined });
    if (node.disk !== undefined) {
      node.#loaded = node.#load(node.disk);
      node.#loaded.catch((error: unknown) => node.#report(error));
    }
    return node;
  }

  /**
   * Fulfilled when all that is on disk is here, or the node was closed before; reads find only a part of it until then, and
   * nothing must be written.
   * @throws {LankvError} LANKV_DATA_DIR: it cannot be read
   */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  get replica(): Replica {
    return this.#replica;
  }

  get map(): RecordMap {
    return this.#replica.map;
  }

  /** The machine's addresses on the networks in use. */
  get addresses(): readonly string[] {
    return this.#networks.addresses;
  }

  /** Corrected wall clock, Unix milliseconds: what expiry goes by. */
  nowMs(): number {
    return Math.round(this.#replica.correctedMs(wallMs()));
  }

  /** The record of a key unless it is missing, deleted or expired. */
  read(key: Bytes): KvRecord | undefined {
    const record = this.#replica.get(key);
    if (record === undefined || record.kind === "tombstone") return undefined;
    if (record.expiresAtMs === undefined || isAlive(record, this.nowMs())) return record;
    // Whoever finds nothing has been told why.
    if (this.#replica.isExpiryDue(now())) this.step({ type: "wake" });
    return undefined;
  }

  /**
   * Writes a value, or a tombstone when `value` is undefined. Visible here at once; it leaves with the end of
   * this turn of the event loop.
   * @throws {RangeError} the key or value is outside its bounds
   * @throws {LankvError} LANKV_CLOSED; LANKV_DISK: it could not be saved; LANKV_FULL: too many keys; LANKV_STAMPS: the
   * key was spoilt by a forged record
   */
  write(key: Bytes, value: Bytes | undefined, expiresAtMs?: number): KvRecord {
    this.#checkOpen();
    if (this.disk?.saver.failure !== undefined) throw diskRefusal(this.disk.saver.failure);
    this.checkSize(key, value);
    // The LAN's clocks, which this node may follow, can be anywhere.
    const atMs = expiresAtMs === undefined ? undefined : Math.min(Math.max(0, expiresAtMs), EXPIRES_MAX_MS);
    const record = this.#replica.write(key, value, atMs, wallMs());
    if (record === undefined) throw cannotWrite(this.map.records);
    this.#writesThisTurn += 1;
    if (this.#writesThisTurn === 1) {
      this.#wroteAtMs = monoMs();
      this.#planTurn();
      this.#written = this.listenerCount("changed") > 0 ? [] : undefined;
    }
    this.#written?.push(record);
    // What was overwritten after its time is told before this write.
    if (this.#replica.hasNews) this.step({ type: "wake" });
    if (this.#replica.isFlushDue) this.step({ type: "flush" });
    return record;
  }

  /** @throws {RangeError} the key or value is outside its bounds */
  checkSize(key: Bytes, value: Bytes | undefined): void {
    checkWrite(key, value, this.options.valueBytesMax);
  }

  /** Whether so much was written, in this turn or since what is the oldest unsaved, that the writer should await {@link Node.room}. */
  get isTurnFull(): boolean {
    return this.#writesThisTurn >= WRITES_PER_TURN || this.disk?.saver.isBehind === true;
  }

  /** Waits until there is room for more writes: in this turn of the event loop, and in what a killed process may lose. */
  async room(): Promise<void> {
    if (this.#writesThisTurn >= WRITES_PER_TURN) await this.turn();
    const saver = this.disk?.saver;
    while (saver?.isBehind === true) await new Promise<void>((resolve) => void saver.onCaughtUp(resolve));
  }

  /**
   * Gives a message to the peers that are connected now; whoever is not, or is too slow, misses it. It leaves with
   * the end of this turn of the event loop, behind everything written in it.
   * @throws {RangeError} the channel has more than 1 024 bytes, or the payload more than 1 MiB
   * @throws {LankvError} LANKV_CLOSED
   */
  publish(channel: Bytes, payload: Bytes): void {
    this.#checkOpen();
    checkPublication(channel, payload);
    this.#replica.publish(channel, payload);
    if (this.#replica.isFlushDue) this.step({ type: "flush" });
    else this.#planTurn();
  }

  /**
   * Waits until so many linked peers have confirmed that they hold everything written here so far, or newer records of
   * the same keys; or the time is up, the signal is aborted or the node closed. They hold it in memory, and no longer than
   * they run.
   * @param timeoutMs 0 = no limit but the signal
   * @returns how many have; may be more than were asked for
   * @throws {LankvError} LANKV_CLOSED
   */
  async confirmed(peers: number, timeoutMs: number, signal: AbortSignal): Promise<number> {
    this.#checkOpen();
    this.#departure.now();
    return this.#waits.until(this.#replica.head, peers, timeoutMs, signal);
  }

  /** The end of the turn of the event loop in which something was written. */
  turn(): Promise<void> {
    this.#turn ??= new Promise((resolve) => this.once("turn", resolve));
    return this.#turn;
  }

  /**
   * Asks the peers for a key that is missing here; the event `sought` says when that is over.
   * @throws {RangeError} the key is outside its bounds
   * @throws {LankvError} LANKV_CLOSED
   */
  seek(key: Bytes, timeoutMs: number): void {
    this.#checkOpen();
    this.checkSize(key, undefined);
    this.step({ type: "seek", key, untilMs: monoMs() + timeoutMs });
  }

  /**
   * Lets the peers take what was written here lately, says goodbye and frees everything. Idempotent.
   * @throws what went wrong first; everything is closed nevertheless
   */
  close(): Promise<void> {
    // Nothing is written any more before the rest begins.
    this.#closed ??= Promise.resolve().then(() => this.#close());
    return this.#closed;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  step(input: Input): void {
    if (this.#isStopped) return;
    const effects = this.#replica.step(input, now());
    for (const effect of effects) if (!NEWS.has(effect.type)) this.#carryOut(effect);
    this.#alarm.set(this.#replica.wakeAtMs);
    for (const effect of effects) {
      if (!NEWS.has(effect.type)) continue;
      callListener(() => {
        this.#carryOut(effect);
      });
    }
    this.#waits.look();
    this.disk?.saver.wake();
  }

  async #load(disk: Disk): Promise<void> {
    const report = await disk.load({
      expect: (records) => this.map.reserve(records),
      take: (records) => this.#replica.restore(records, now()),
      onTurn: (loading) => this.emit("loading", loading),
    });
    if (report === undefined) return;
    this.step({ type: "loaded" });
    disk.start();
    debug("loaded: %o", report);
    this.emit("loaded", report);
    const { damages } = disk.status();
    if (damages.length > 0) this.emit("damage", damages);
  }

  #handleDisk(failure: Error | undefined): void {
    if (failure !== undefined) this.#report(diskRefusal(failure));
    callListener(() => this.emit("storage", failure));
  }

  #checkOpen(): void {
    if (this.isClosed) throw new LankvError("LANKV_CLOSED", "This node is closed; open another.");
  }

  #planTurn(): void {
    if (this.#isTurnPlanned) return;
    this.#isTurnPlanned = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    // Who is told of something below may write: that is another turn's.
    const [writes, written] = [this.#writesThisTurn, this.#written];
    this.#isTurnPlanned = false;
    this.#writesThisTurn = 0;
    this.#written = undefined;
    if (!this.#departure.endTurn(writes)) this.#look();
    if (written !== undefined) callListener(() => this.emit("changed", written));
    this.#turn = undefined;
    this.emit("turn");
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case "beacon":
        this.#beacons.send(encodeBeacon(effect.beacon), effect.hosts);
        return;
      case "publish":
        this.#mesh.publish(effect.message, effect.to);
        return;
      case "connect":
        this.#mesh.connect(effect.endpoint);
        return;
      case "disconnect":
        this.#mesh.disconnect(effect.endpoint);
        return;
      case "applied":
        this.emit("changed", effect.records);
        this.emit("applied", effect.records, effect.replaced);
        return;
      case "expired":
        this.emit("expired", effect.records);
        return;
      case "published":
        for (const { channel, payload } of effect.publications)
          callListener(() => this.emit("published", channel, payload));
        return;
      case "confirmed":
        return;
      case "conflict":
        this.emit("conflict", effect.winner, effect.loser);
        return;
      case "state":
        debug("state: %s", effect.state);
        this.emit("state", effect.state);
        return;
      case "peer":
        debug("peer %s: %s", effect.peer.name, effect.change);
        this.emit("peer", effect.change, effect.peer);
        return;
      case "identity":
        debug("another process runs with this node's id; the new one is %s", effect.nodeId);
        this.#dataDir?.writeNodeId(effect.nodeId).catch((error: unknown) => this.#report(error));
        return;
      case "sought":
        this.emit("sought", effect.key);
    }
  }

  /** Something was written: a value may run out sooner than another, and has to be saved. */
  #look(): void {
    this.#alarm.set(this.#replica.wakeAtMs);
    this.disk?.saver.wake();
  }

  #wake(): void {
    if (this.#networks.look()) this.step({ type: "network", online: this.#networks.isOnline });
    this.step({ type: "wake" });
  }

  /** An error that no caller awaits. Without a listener it is only logged: a node outlives its troubles. */
  #report(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    debug("error: %O", error);
    if (this.listenerCount("error") > 0) callListener(() => this.emit("error", error));
  }

  async #close(): Promise<void> {
    this.step({ type: "flush" });
    this.#waits.end();
    if (monoMs() - this.#wroteAtMs < WRITTEN_LATELY_MS) {
      this.step({ type: "confirm", seq: this.#replica.head });
      await handOver(this.#replica);
    }
    await this.#mesh.drained(DRAIN_MS);
    this.step({ type: "stop" });
    this.#isStopped = true;
    this.#alarm.clear();
    const failures: unknown[] = [];
    for (const part of [this.disk, this.#mesh, this.#beacons]) {
      await part?.close().catch((error: unknown) => failures.push(error));
    }
    // While the disk has not answered, something may still be written.
    if (this.disk?.isFree === false) this.disk.onFree = () => void this.#dataDir?.close();
    else await this.#dataDir?.close();
    this.emit("turn");
    this.emit("closed");
    if (failures.length > 0) throw failures[0];
  }
}
