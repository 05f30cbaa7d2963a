/**
 * A stage for transcripts: a few nodes of the real core on a simulated LAN without chance faults, and a record of who
 * said what to whom. Beacons and ticks are left out of the record; they never stop.
 */
import type { Message } from "../../src/core/message.js";
import type { KvRecord } from "../../src/core/record.js";
import type { FsyncPolicy } from "../../src/core/saving.js";
import { Checkers, type Published, type Stepped } from "../sim/checker.js";
import type { Disk } from "../sim/disk.js";
import { NO_FAULTS } from "../sim/faults.js";
import { Host } from "../sim/host.js";
import { Log } from "../sim/log.js";
import { Network } from "../sim/network.js";
import { Process } from "../sim/process.js";
import { Random } from "../sim/random.js";
import { Schedule } from "../sim/schedule.js";
import { Tallies } from "../sim/tallies.js";
import type { ReadEffect } from "../received.js";

interface NodeOptions {
  readonly nodeId?: string;
  /** The id of the process. Default: the name, repeated. */
  readonly writer?: string;
  readonly records?: readonly KvRecord[];
  /** Where it saves, and how. Default: nowhere. */
  readonly disk?: Disk;
  readonly fsync?: FsyncPolicy;
  readonly ringKeysMax?: number;
  /** How far its host's wall clock is off. */
  readonly skewMs?: number;
}

export class Stage {
  readonly #schedule = new Schedule();
  readonly network = new Network(this.#schedule, new Random(1), new Log(false), new Tallies(), NO_FAULTS);
  readonly #names = new Map<string, string>();
  readonly #checkers: Checkers;
  #lines: string[] = [];

  constructor() {
    this.#checkers = new Checkers([
      {
        name: "transcript",
        published: (event) => {
          this.#handlePublished(event);
        },
        stepped: (event) => {
          this.#handleStepped(event);
        },
      },
    ]);
  }

  get nowMs(): number {
    return this.#schedule.nowMs;
  }

  /** Starts a node on a host of its own. */
  start(name: string, options: NodeOptions = {}): Process {
    const { hosts, processes } = this.network;
    const number = processes.length + 1;
    const host = new Host(name, `10.0.0.${String(number)}`, this.#schedule);
    host.skewMs = options.skewMs ?? 0;
    host.fsync = options.fsync;
    hosts.push(host);
    const writer = options.writer ?? Buffer.from(name.padEnd(8, "-")).toString("hex").slice(0, 16);
    const process = new Process(
      {
        name,
        nodeId: options.nodeId ?? writer,
        writer,
        port: 20_000 + number,
        ringKeysMax: options.ringKeysMax ?? 1_000,
        disk: options.disk,
      },
      host,
      this.network,
      this.#checkers,
    );
    this.#names.set(writer, name);
    processes.push(process);
    process.start(options.records ?? []);
    return process;
  }

  /** Writes one key, or deletes it, and ends the turn of the event loop. */
  write(process: Process, key: string, value: string | undefined): void {
    process.write([{ key, value, expiresAtMs: undefined }]);
    process.flush();
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.#schedule.runUntil(this.#schedule.nowMs + ms);
  }

  /** Whether what is published from now on is dropped, as PUB does at its high-water mark. */
  dropMessages(isDropping: boolean): void {
    this.network.faults = {
      ...NO_FAULTS,
      highWaterMarkMessages: isDropping ? 0 : NO_FAULTS.highWaterMarkMessages,
    };
  }

  /** How long frames are on their way, at most. */
  delay(ms: number): void {
    this.network.faults = { ...NO_FAULTS, linkDelayMsMax: ms };
  }

  cut(a: Process, b: Process): void {
    this.network.cut(a.host, b.host);
    this.network.cut(b.host, a.host);
  }

  mend(a: Process, b: Process): void {
    this.network.uncut(a.host, b.host);
    this.network.uncut(b.host, a.host);
  }

  /** What was said since the last call. */
  transcript(): readonly string[] {
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #handlePublished({ process, message, to }: Published): void {
    if (message.type === "tick") return;
    const receiver = to === undefined ? "all" : this.#nameOf(to);
    this.#lines.push(`${process.name} -> ${receiver}: ${messageToText(message)}`);
  }

  #handleStepped({ process, effects }: Stepped): void {
    for (const effect of effects) {
      const text = this.#effectToText(effect);
      if (text !== undefined) this.#lines.push(`${process.name}: ${text}`);
    }
  }

  #effectToText(effect: ReadEffect): string | undefined {
    switch (effect.type) {
      case "state":
        return effect.state;
      case "peer":
        return `${this.#nameOf(effect.peer.writer)} is ${effect.change}`;
      case "conflict":
        return `conflict over ${effect.loser.key}`;
      case "identity":
        return "takes a new node id";
      default:
        return undefined;
    }
  }

  #nameOf(writer: string): string {
    return this.#names.get(writer) ?? writer;
  }
}

function messageToText(message: Message): string {
  switch (message.type) {
    case "set":
      return `set ${String(message.seq)} ${keysOf(message.records)}`;
    case "tick":
    case "list":
      return message.type;
    case "question": {
      const { ask } = message;
      if (ask.of === "stream") return `question stream ${String(ask.range.from)}..${String(ask.range.to)}`;
      return `question ${ask.of}`;
    }
    case "answer":
      return `answer ${keysOf(message.records)}`;
    case "list_answer":
      return `list_answer ${String(message.groups.length)} groups`;
    case "publish":
      return `publish ${message.publications.map(({ channel }) => channel).join(" ")}`;
    case "confirm":
      return `confirm ${String(message.head)}`;
    case "receipt":
      return `receipt ${String(message.seq)}`;
  }
}

function keysOf(records: readonly KvRecord[]): string {
  return records.length === 0 ? "nothing" : records.map(({ key }) => key).join(" ");
}
