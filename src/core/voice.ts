/** What this node says of itself, in beacons and ticks. The announcer knows when. */
import type { Effect, Now } from "./effect.js";
import type { Identity } from "./identity.js";
import type { State, TickMessage, Vitals } from "./message.js";
import type { Presence } from "./presence.js";
import type { RecordMap } from "./record-map.js";
import type { OutStream } from "./stream.js";

export class Voice {
  /** What the last tick said. */
  #told: Vitals | undefined;

  constructor(
    private readonly identity: Identity,
    private readonly map: RecordMap,
    private readonly stream: OutStream,
    private readonly presence: Presence,
    private readonly state: () => State,
  ) {}

  /** Whether the last tick still tells what there is to tell of this node. */
  get isStill(): boolean {
    const { root, head, state } = this.#told ?? {};
    return root === this.map.root && head === this.stream.head && state === this.state();
  }

  /** @param callDeparted whether it also goes to where nodes that are gone have been */
  beacon(kind: "hello" | "plain" | "goodbye", callDeparted: boolean, now: Now): Effect {
    const { cluster, name, port, advertise, software } = this.identity.self;
    const hosts = [...this.presence.peers.values()].map((peer) => peer.host);
    if (callDeparted) for (const departed of this.presence.departed) hosts.push(...departed.hosts);
    const hello = kind === "hello";
    const goodbye = kind === "goodbye";
    const beacon = { ...this.#vitals(now), cluster, name, port, advertise, software, hello, goodbye };
    return { type: "beacon", beacon, hosts: [...new Set(hosts)] };
  }

  /** The caller has sent everything that was written. */
  tick(now: Now): TickMessage {
    const vitals = this.#vitals(now);
    this.#told = vitals;
    return { type: "tick", from: vitals.writer, vitals };
  }

  #vitals({ wallMs }: Now): Vitals {
    const { nodeId, writer } = this.identity.self;
    const { root, values: keys } = this.map;
    return { nodeId, writer, wallMs, head: this.stream.head, root, keys, state: this.state() };
  }
}
