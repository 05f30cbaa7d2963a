/**
 * Real frames: what nodes that hold different things say to each other until they hold the same. The replicas are the
 * program's own; between them is a network that delivers everything at once.
 */
import type { Effect, Input, Now } from "../../src/core/effect.js";
import { Replica } from "../../src/core/replica.js";
import { encodeBeacon } from "../../src/wire/beacon.js";
import { encodeMessage } from "../../src/wire/message.js";
import { Chance } from "./wire-chance.js";

export const CLUSTER = 0x1d872b41;
const NODES = 3;
const KEYS = 400;
const WALL_MS = 1_767_225_600_000;
const UNTIL_MS = 12_000;

interface RealFrames {
  readonly beacons: readonly [Buffer, ...Buffer[]];
  readonly messages: readonly [Buffer, ...Buffer[]];
}

class Conversation {
  readonly beacons: Buffer[] = [];
  readonly messages: Buffer[] = [];
  readonly #replicas: Replica[];
  #monoMs = 0;

  constructor(chance: Chance) {
    const id = () => chance.bytes(8).toString("hex");
    this.#replicas = Array.from({ length: NODES }, (_, i) => {
      const name = `node ${i}`;
      const where = { cluster: CLUSTER, port: 40_000 + i, advertise: i === 1 ? "node-1.lan" : "" };
      return new Replica({
        ...where,
        nodeId: id(),
        writer: id(),
        name,
        software: "0.1.0",
        random: () => chance.fraction(),
        ringKeysMax: 50,
      });
    });
  }

  hold(chance: Chance): void {
    for (const replica of this.#replicas) {
      for (let i = 0; i < KEYS; i += 1) {
        const key = chance.bytes(1 + chance.below(3)).toString("latin1");
        const value = chance.below(5) === 0 ? undefined : chance.bytes(chance.below(60)).toString("latin1");
        const expiresAtMs = value !== undefined && chance.below(3) === 0 ? WALL_MS + i : undefined;
        replica.write(key, value, expiresAtMs, WALL_MS);
      }
      this.#step(replica, { type: "flush" });
    }
    const [first] = this.#replicas;
    if (first === undefined) return;
    first.write("large", "x".repeat(70_000), undefined, WALL_MS);
    this.#step(first, { type: "flush" });
  }

  run(): void {
    for (const replica of this.#replicas) this.#step(replica, { type: "start", online: true });
    const [first] = this.#replicas;
    if (first !== undefined) {
      first.step({ type: "seek", key: "nobody has it", untilMs: 1_000 }, this.#now);
      first.publish("channel", "payload");
      this.#step(first, { type: "confirm", seq: first.head });
    }
    while (this.#monoMs < UNTIL_MS) {
      this.#monoMs = Math.max(this.#monoMs + 1, Math.min(...this.#replicas.map((node) => node.wakeAtMs)));
      for (const replica of this.#replicas) this.#step(replica, { type: "wake" });
    }
    for (const replica of this.#replicas) this.#step(replica, { type: "stop" });
  }

  get roots(): ReadonlySet<string> {
    return new Set(this.#replicas.map((replica) => replica.map.root));
  }

  get #now(): Now {
    return { monoMs: this.#monoMs, wallMs: WALL_MS + this.#monoMs };
  }

  /** Carries out one input and all that follows from it. */
  #step(replica: Replica, input: Input): void {
    const inputs: { readonly replica: Replica; readonly input: Input }[] = [{ replica, input }];
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      for (const effect of next.replica.step(next.input, this.#now)) {
        for (const follows of this.#carryOut(next.replica, effect)) inputs.push(follows);
      }
    }
  }

  *#carryOut(from: Replica, effect: Effect): Generator<{ readonly replica: Replica; readonly input: Input }> {
    const others = this.#replicas.filter((replica) => replica !== from);
    switch (effect.type) {
      case "beacon":
        this.beacons.push(encodeBeacon(effect.beacon));
        for (const replica of others)
          yield { replica, input: { type: "beacon", beacon: effect.beacon, from: "10.0.0.1" } };
        return;
      case "publish":
        this.messages.push(encodeMessage(effect.message, effect.to));
        for (const replica of others) {
          if (effect.to !== undefined && effect.to !== replica.self.writer) continue;
          yield { replica, input: { type: "message", message: effect.message } };
        }
        return;
      case "connect":
        for (const replica of others) {
          if (!effect.endpoint.endsWith(String(replica.self.port))) continue;
          yield { replica, input: { type: "subscription", writer: from.self.writer, present: true } };
        }
        return;
      default:
        return;
    }
  }
}

/** What was said in one conversation. */
export function realFrames(seed: number): RealFrames {
  const chance = new Chance(seed);
  const conversation = new Conversation(chance);
  conversation.hold(chance);
  conversation.run();
  const [beacon, ...beacons] = conversation.beacons;
  const [message, ...messages] = conversation.messages;
  if (beacon === undefined || message === undefined || conversation.roots.size !== 1) {
    throw new Error(`the conversation of seed ${seed} did not end with equal roots`);
  }
  return { beacons: [beacon, ...beacons], messages: [message, ...messages] };
}
