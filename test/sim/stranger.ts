/**
 * Somebody hostile on the LAN: garbage and mutated datagrams, forged and replayed beacons, mutated frames. The one
 * thing it does not do is write: a frame whose mutation is a valid record would be a write like any other.
 */
import { encodeBeacon } from "../../src/wire/beacon.js";
import { STATES, type Beacon } from "../../src/core/message.js";
import { CLUSTER, toDatagram, toFrame, type Network } from "./network.js";

const DATAGRAM_BYTES_MAX = 600;
const HELLOS_OF_FLOOD = 100;
const ADDRESS = "10.0.66.6";
/** A process that is never there, and smaller than every other. */
const PHANTOM = "0000000000000001";

export class Stranger {
  #isOver = false;

  constructor(private readonly network: Network) {
    if (network.faults.hostileEveryMs > 0) this.#next();
  }

  end(): void {
    this.#isOver = true;
  }

  #next(): void {
    const { faults, random, schedule } = this.network;
    schedule.after(random.waitMs(faults.hostileEveryMs), () => {
      if (this.#isOver) return;
      this.network.tallies.add("hostile");
      if (random.chance(0.01)) this.#flood();
      else if (random.chance(0.3)) this.#sendFrame();
      else this.#sendDatagram();
      this.#next();
    });
  }

  #sendDatagram(): void {
    const { random, overheard } = this.network;
    const kind = random.below(4);
    const replayed = random.pick(overheard)?.bytes ?? Buffer.alloc(0);
    const bytes =
      kind === 0
        ? random.bytes(random.below(DATAGRAM_BYTES_MAX))
        : kind === 1
          ? this.#mutate(replayed)
          : kind === 2
            ? replayed
            : encodeBeacon(this.#forgedBeacon());
    const datagram = toDatagram(bytes);
    const from = random.chance(0.3) ? (random.pick(this.network.hosts)?.address ?? ADDRESS) : ADDRESS;
    for (const process of this.network.alive) {
      if (random.chance(0.5)) process.handleDatagram(datagram, from);
    }
  }

  /** Says hello over and over again. */
  #flood(): void {
    const beacon = { ...this.#forgedBeacon(), writer: PHANTOM, hello: true, goodbye: false };
    const datagram = toDatagram(encodeBeacon(beacon));
    for (let i = 0; i < HELLOS_OF_FLOOD; i += 1) {
      for (const process of this.network.alive) process.handleDatagram(datagram, ADDRESS);
    }
  }

  #forgedBeacon(): Beacon {
    const { random } = this.network;
    const victim = random.pick(this.network.alive);
    return {
      nodeId: random.chance(0.3) ? (victim?.replica.self.nodeId ?? random.id()) : random.id(),
      writer: random.chance(0.3)
        ? (victim?.writer ?? random.id())
        : random.chance(0.3)
          ? PHANTOM
          : random.id(),
      wallMs: random.below(2 ** 48),
      head: random.below(Number.MAX_SAFE_INTEGER),
      root: random.id(),
      keys: random.below(Number.MAX_SAFE_INTEGER),
      state: random.pick(STATES) ?? "live",
      cluster: CLUSTER,
      name: "stranger",
      port: random.chance(0.3) ? (victim?.port ?? 1) : random.wholeBetween(1, 65_535),
      advertise: random.chance(0.3) ? (victim?.host.address ?? "") : "",
      software: "0",
      hello: random.chance(0.5),
      goodbye: random.chance(0.2),
    };
  }

  #sendFrame(): void {
    const { random, overheardFrames } = this.network;
    const frame = toFrame(
      random.chance(0.2)
        ? random.bytes(random.below(200))
        : this.#mutate(random.pick(overheardFrames)?.bytes),
    );
    const message = frame.content?.message;
    if (message !== undefined && "records" in message && message.records.length > 0) return;
    random.pick(this.network.alive)?.handleFrame(frame, true);
  }

  #mutate(original: Buffer | undefined): Buffer {
    const { random } = this.network;
    const mutated = Buffer.from(original ?? Buffer.alloc(0));
    for (let flips = random.wholeBetween(1, 4); flips > 0 && mutated.length > 0; flips -= 1)
      mutated[random.below(mutated.length)] = random.below(256);
    return random.chance(0.2) ? mutated.subarray(0, random.below(mutated.length + 1)) : mutated;
  }
}
