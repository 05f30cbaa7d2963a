/** The simulated LAN: who reaches whom, datagrams, and the sockets that listen. */
import type { Beacon, Message, ReceivedMessage } from "../../src/core/message.js";
import { decodeBeacon } from "../../src/wire/beacon.js";
import { decodeMessage } from "../../src/wire/message.js";
import { readMessage } from "../received.js";
import type { Faults } from "./faults.js";
import type { Host } from "./host.js";
import type { Log } from "./log.js";
import { Packet } from "./packet.js";
import type { Process } from "./process.js";
import type { Random } from "./random.js";
import type { Schedule } from "./schedule.js";
import type { Tallies } from "./tallies.js";

export const CLUSTER = 0x1234_5678;

/** A beacon, or what is wrong with it. */
export type Datagram = Packet<Beacon | string>;
/** A message as the core gets it, and as the checkers read it. */
export interface Decoded {
  readonly received: ReceivedMessage;
  readonly message: Message;
}
/** A message, or none. */
export type Frame = Packet<Decoded | undefined>;

export function toDatagram(bytes: Buffer): Datagram {
  return new Packet(bytes, (encoded) => decodeBeacon(encoded, CLUSTER));
}

export function toFrame(bytes: Buffer): Frame {
  return new Packet(bytes, (encoded) => {
    const received = decodeMessage(encoded);
    return received === undefined ? undefined : { received, message: readMessage(received) };
  });
}

export class Network {
  readonly processes: Process[] = [];
  readonly hosts: Host[] = [];
  /** Directions that are cut: "from>to", by names of hosts. */
  readonly #cuts = new Map<string, number>();
  #isUdpOut = false;
  /** The last datagrams, for somebody hostile to replay. */
  readonly overheard: Datagram[] = [];
  readonly overheardFrames: Frame[] = [];

  constructor(
    readonly schedule: Schedule,
    readonly random: Random,
    readonly log: Log,
    readonly tallies: Tallies,
    public faults: Faults,
  ) {}

  get alive(): readonly Process[] {
    return this.processes.filter((process) => process.isAlive);
  }

  cut(from: Host, to: Host): void {
    const way = `${from.name}>${to.name}`;
    this.#cuts.set(way, (this.#cuts.get(way) ?? 0) + 1);
  }

  uncut(from: Host, to: Host): void {
    const way = `${from.name}>${to.name}`;
    const cuts = (this.#cuts.get(way) ?? 0) - 1;
    if (cuts > 0) this.#cuts.set(way, cuts);
    else this.#cuts.delete(way);
  }

  heal(): void {
    this.#cuts.clear();
    this.#isUdpOut = false;
  }

  setUdpOut(isOut: boolean): void {
    this.#isUdpOut = isOut;
  }

  reaches(from: Host, to: Host): boolean {
    if (from === to) return true;
    return from.isOnline && to.isOnline && !this.#cuts.has(`${from.name}>${to.name}`);
  }

  /** Whether packets go both ways between two addresses, which TCP needs. */
  connects(a: string, b: string): boolean {
    const from = this.hostAt(a);
    const to = this.hostAt(b);
    return from !== undefined && to !== undefined && this.reaches(from, to) && this.reaches(to, from);
  }

  hostAt(address: string): Host | undefined {
    return this.hosts.find((host) => host.address === address);
  }

  listenerAt(endpoint: string): Process | undefined {
    return this.processes.find(
      (process) => process.isAlive && `tcp://${process.host.address}:${String(process.port)}` === endpoint,
    );
  }

  /** Sends a datagram to everybody, the own host included. */
  broadcast(from: Process, datagram: Datagram): void {
    remember(this.overheard, datagram);
    const fromAddress = from.host.address;
    for (const to of this.processes) {
      if (to === from || !to.isAlive || !this.reaches(from.host, to.host)) continue;
      if (this.#isUdpOut || this.random.chance(this.faults.udpLoss)) {
        this.tallies.add("datagram lost");
        continue;
      }
      this.#deliverLater(to, datagram, fromAddress);
      if (!this.random.chance(this.faults.udpDuplicates)) continue;
      this.tallies.add("datagram came twice");
      this.#deliverLater(to, datagram, fromAddress);
    }
  }

  #deliverLater(to: Process, datagram: Datagram, from: string): void {
    this.schedule.after(this.random.between(0.05, this.faults.udpDelayMsMax), () => {
      to.handleDatagram(datagram, from);
    });
  }
}

const OVERHEARD_MAX = 32;

export function remember<Heard>(list: Heard[], heard: Heard): void {
  list.push(heard);
  if (list.length > OVERHEARD_MAX) list.shift();
}
