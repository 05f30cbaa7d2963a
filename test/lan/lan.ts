import { mkdtemp, readdir, rm } from "node:fs/promises";
import { must } from "./command.js";
import type { Daemon, DaemonOptions } from "./daemon.js";
import { Host } from "./host.js";
import { assertInside } from "./namespace.js";
import { Programs } from "./program.js";
import { type Network, Switch } from "./switch.js";

/**
 * A LAN on this machine: hosts in network namespaces, each with a cable to a switch in another.
 *
 *     h1 10.77.0.1/24 ----+
 *     h2 10.77.0.2/24 ----+---- sw: net0        no host has a default route, nothing leads outside
 *     h3 10.77.0.3/24 ----+
 *
 * One at a time: the names of namespaces are those of the hosts.
 */
export class Lan implements AsyncDisposable {
  readonly hosts: Host[] = [];
  #hostsBegun = 0;

  private constructor(
    private readonly at: Switch,
    readonly programs: Programs,
    readonly network: Network,
  ) {}

  static async create(): Promise<Lan> {
    assertInside();
    const directory = await mkdtemp("/run/lan-");
    const at = await Switch.create();
    return new Lan(at, new Programs(directory), await at.addNetwork());
  }

  /** A host on the first network, or on another one. Default name: h1, h2, ... */
  async host({ name, network = this.network }: { name?: string; network?: Network } = {}): Promise<Host> {
    this.#hostsBegun += 1;
    const host = await Host.create(name ?? `h${String(this.#hostsBegun)}`, network, this.at, this.programs);
    this.hosts.push(host);
    return host;
  }

  /** A daemon on a host of its own, the ordinary case. */
  async daemon(options: DaemonOptions & { network?: Network } = {}): Promise<Daemon> {
    const { network, ...rest } = options;
    const host = await this.host(network === undefined ? {} : { network });
    return host.daemon(rest);
  }

  get daemons(): Daemon[] {
    return this.hosts.flatMap(({ daemons }) => daemons);
  }

  /** A second network, with no way from one to the other but through a host that is on both. */
  async addNetwork(): Promise<Network> {
    return this.at.addNetwork();
  }

  /** Divides the first network: these hosts reach each other only, and so do all the others. */
  async partition(...apart: Host[]): Promise<void> {
    const island = await this.at.addBridge("island");
    for (const { cable } of apart) await cable.moveTo(island);
  }

  async heal(): Promise<void> {
    for (const { cable } of this.hosts) await cable.moveTo(cable.network.bridge);
    await this.at.ip("link", "del", "dev", "island");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.programs.endAll();
    for (const namespace of await readdir("/run/netns")) await must("ip", "netns", "del", namespace);
    await rm(this.programs.directory, { recursive: true });
  }
}
