/**
 * The addresses of hosts that are given by name.
 *
 * libzmq and dgram look a name up whenever they need it, libzmq in the one thread that moves all messages: a name that
 * nobody answers for would hold up everything. So they are given addresses only. A look-up runs beside
 * everything else, once for all who ask, and few at a time, because each holds a thread of the pool that files need too.
 */
import { lookup } from "node:dns/promises";
import { isIPv4 } from "node:net";
import createDebug from "debug";

const debug = createDebug("lankv:resolver");

/** How long the address of a host is taken to be what it was. */
const FRESH_MS = 10_000;
/** How long a host that has no address is not looked up again. */
const FAILED_MS = 3_000;
/** How many hosts are remembered. */
export const HOSTS_MAX = 256;
/** How many look-ups run at a time; the others wait. */
const LOOKUPS_AT_ONCE = 2;

interface Host {
  /** What the last look-up that succeeded found. */
  address: string | undefined;
  lookUpAtMs: number;
  lookup: Promise<void> | undefined;
}

export class Resolver {
  readonly #monoMs: () => number;
  readonly #hosts = new Map<string, Host>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @param monoMs monotonic milliseconds */
  constructor(monoMs: () => number) {
    this.#monoMs = monoMs;
  }

  /** The IPv4 address as far as it is known without waiting; asks for it when that is due. */
  known(name: string): string | undefined {
    return isIPv4(name) ? name : this.#refreshed(name).address;
  }

  /** The IPv4 address, or undefined when there is none. Never rejects. */
  async resolve(name: string): Promise<string | undefined> {
    if (isIPv4(name)) return name;
    const host = this.#refreshed(name);
    await host.lookup;
    return host.address;
  }

  #refreshed(name: string): Host {
    const host = this.#hosts.get(name) ?? this.#remember(name);
    if (host.lookup === undefined && this.#monoMs() >= host.lookUpAtMs) {
      host.lookup = this.#lookUp(name, host).finally(() => {
        host.lookup = undefined;
      });
    }
    return host;
  }

  #remember(name: string): Host {
    const host = { address: undefined, lookUpAtMs: -Infinity, lookup: undefined };
    this.#hosts.set(name, host);
    const oldest = this.#hosts.keys().next();
    if (this.#hosts.size > HOSTS_MAX && oldest.done !== true) this.#hosts.delete(oldest.value);
    return host;
  }

  async #lookUp(name: string, host: Host): Promise<void> {
    if (this.#running < LOOKUPS_AT_ONCE) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      // Of one that was forgotten while it waited, nobody wants to know any more.
      if (this.#hosts.get(name) !== host) return;
      const { address } = await lookup(name, { family: 4 });
      if (!isIPv4(address)) throw new Error(`${address} is not an IPv4 address`);
      host.address = address;
      host.lookUpAtMs = this.#monoMs() + FRESH_MS;
    } catch (error) {
      debug("look-up of %s: %O", name, error);
      host.lookUpAtMs = this.#monoMs() + FAILED_MS;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
