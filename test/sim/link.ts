/**
 * One connection from a SUB socket to a PUB socket, as TCP and ZeroMQ make it: in order; it stalls while the path
 * is cut and resends after; what is in flight is lost when it breaks; beyond the high-water mark PUB drops without a
 * word; each end learns on its own, and maybe late, that the other is gone; SUB reconnects until it is told not to.
 */
import type { Frame, Network } from "./network.js";
import type { Process } from "./process.js";

const RECONNECT_MS = 150;
/** How often a stalled connection tries again. */
const RETRY_MS = 100;
/** After how long a PUB that hears nothing gives the connection up. */
const LINGER_MS = 25_000;

export class Link {
  #publisher: Process | undefined;
  #subscriberAddress = "";
  #publisherAddress = "";
  /** Whether each end believes in the connection. */
  #isOpenHere = false;
  #isOpenThere = false;
  #isWanted = true;
  #queue: { readonly frame: Frame; readonly readyAtMs: number }[] = [];
  #isPumping = false;
  #lineFreeAtMs = 0;

  constructor(
    private readonly subscriber: Process,
    readonly endpoint: string,
    private readonly network: Network,
  ) {
    this.#connectLater(0);
  }

  get writer(): string {
    return this.subscriber.writer;
  }

  /** Whether messages of this process come through it. */
  isFrom(publisher: Process): boolean {
    return this.#isOpenHere && this.#isOpenThere && this.#publisher === publisher;
  }

  /** The publisher has something for the subscriber. */
  offer(frame: Frame): void {
    const { faults, schedule, tallies } = this.network;
    if (this.#queue.length >= faults.highWaterMarkMessages) {
      tallies.add("dropped at the high-water mark");
      return;
    }
    const sentAtMs = Math.max(schedule.nowMs, this.#lineFreeAtMs);
    this.#lineFreeAtMs = sentAtMs + frame.bytes.length / faults.linkBytesPerMs;
    const delayMs = this.network.random.between(0.05, faults.linkDelayMsMax);
    this.#queue.push({ frame, readyAtMs: this.#lineFreeAtMs + delayMs });
    this.#pump();
  }

  /** SUB was told to disconnect, or its process ended. */
  disconnect(): void {
    this.#isWanted = false;
    this.#closeHere();
  }

  /** The connection breaks: in-flight messages are lost. */
  break(): void {
    if (!this.#isOpenHere) return;
    this.network.tallies.add("connection broke");
    this.#closeHere();
    this.#reconnectLater();
  }

  /** The publisher's process ended. */
  publisherEnded(): void {
    this.#isOpenThere = false;
    this.#queue = [];
    const openedAs = this.#opening;
    this.#noticeLater(() => {
      if (!this.#isOpenHere || openedAs !== this.#opening) return;
      this.#isOpenHere = false;
      this.#reconnectLater();
    });
  }

  #closeHere(): void {
    if (!this.#isOpenHere) return;
    this.#isOpenHere = false;
    this.#queue = [];
    const publisher = this.#publisher;
    const openedAs = this.#opening;
    this.#noticeLater(() => {
      if (openedAs === this.#opening) this.#closeThere(publisher);
      else publisher?.removeSubscriber(this.writer);
    }, LINGER_MS);
  }

  /** Counts connections made, so that late news about an earlier one is told apart. */
  #opening = 0;

  #closeThere(publisher: Process | undefined): void {
    if (!this.#isOpenThere) return;
    this.#isOpenThere = false;
    publisher?.removeLink(this);
    publisher?.removeSubscriber(this.writer);
  }

  /** Runs when the other end learns of it: once a packet gets through, or when it gives up waiting. */
  #noticeLater(action: () => void, limitMs = Infinity): void {
    const { schedule } = this.network;
    const [here, there] = [this.#subscriberAddress, this.#publisherAddress];
    const untilMs = schedule.nowMs + limitMs;
    const attempt = () => {
      if (this.network.connects(here, there) || schedule.nowMs >= untilMs) action();
      else if (this.#isWanted || limitMs !== Infinity) schedule.after(RETRY_MS * 5, attempt);
    };
    schedule.after(this.network.random.between(0.1, 5), attempt);
  }

  #reconnectLater(): void {
    if (this.#isWanted) this.#connectLater(this.network.random.between(RECONNECT_MS / 2, RECONNECT_MS * 2));
  }

  #connectLater(delayMs: number): void {
    const { faults, random, schedule } = this.network;
    schedule.after(delayMs + random.between(0.1, faults.linkDelayMsMax), () => {
      if (!this.#isWanted || this.#isOpenHere || !this.subscriber.isAlive) return;
      const publisher = this.network.listenerAt(this.endpoint);
      const canOpen =
        publisher !== undefined &&
        !publisher.isBlocked &&
        !this.subscriber.isBlocked &&
        this.network.connects(this.subscriber.host.address, publisher.host.address);
      if (canOpen) this.#open(publisher);
      else this.#reconnectLater();
    });
  }

  #open(publisher: Process): void {
    // The former connection may still be half open at the publisher's: then that ends first there.
    if (this.#isOpenThere) {
      this.#isOpenThere = false;
      this.#publisher?.removeLink(this);
    }
    this.#opening += 1;
    this.#publisher = publisher;
    this.#subscriberAddress = this.subscriber.host.address;
    this.#publisherAddress = publisher.host.address;
    this.#isOpenHere = true;
    this.#isOpenThere = true;
    this.#queue = [];
    publisher.addLink(this);
    publisher.addSubscriber(this.writer);
  }

  #pump(): void {
    const head = this.#queue[0];
    if (this.#isPumping || head === undefined) return;
    this.#isPumping = true;
    this.network.schedule.at(head.readyAtMs, () => {
      this.#deliver();
    });
  }

  #deliver(): void {
    this.#isPumping = false;
    const head = this.#queue[0];
    if (head === undefined || !this.#isOpenHere) return;
    if (head.readyAtMs > this.network.schedule.nowMs) {
      this.#pump();
      return;
    }
    const isThrough = this.network.connects(this.#subscriberAddress, this.#publisherAddress);
    if (!isThrough || this.subscriber.isBlocked) {
      this.#isPumping = true;
      this.network.schedule.after(RETRY_MS, () => {
        this.#deliver();
      });
      return;
    }
    this.#queue.shift();
    this.subscriber.handleFrame(head.frame);
    this.#pump();
  }
}
