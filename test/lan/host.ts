import { join } from "node:path";
import { Cable } from "./cable.js";
import { must, type Outcome, run } from "./command.js";
import { Daemon, type DaemonOptions } from "./daemon.js";
import type { Program, Programs } from "./program.js";
import type { Network, Switch } from "./switch.js";

/** A host of the LAN: a network namespace with a cable to the switch, and with what runs in it. */
export class Host {
  readonly daemons: Daemon[] = [];
  readonly cables: Cable[] = [];

  private constructor(
    readonly name: string,
    readonly cable: Cable,
    private readonly at: Switch,
    private readonly programs: Programs,
  ) {
    this.cables.push(cable);
  }

  static async create(name: string, network: Network, at: Switch, programs: Programs): Promise<Host> {
    // First of all, so that hosts that are made at once have their addresses in the order of their names.
    const cable = new Cable(at, programs, name, "eth0", network);
    await must("ip", "netns", "add", name);
    await must("ip", "-n", name, "link", "set", "dev", "lo", "up");
    await cable.lay();
    return new Host(name, cable, at, programs);
  }

  get address(): string {
    return this.cable.address;
  }

  /** A second cable, usually to another network. */
  async plug(network: Network): Promise<Cable> {
    const cable = new Cable(this.at, this.programs, this.name, `eth${String(this.cables.length)}`, network);
    await cable.lay();
    this.cables.push(cable);
    return cable;
  }

  /** A route to a gateway that does not exist: enough for programs that look for a default route. */
  async addDefaultRoute(): Promise<void> {
    await this.#ip("route", "add", "default", "via", `${this.cable.network.prefix}.254`);
  }

  async removeDefaultRoute(): Promise<void> {
    await this.#ip("route", "del", "default");
  }

  /** Starts `lankv serve` and waits until it answers. */
  async daemon(options: DaemonOptions = {}): Promise<Daemon> {
    const daemon = new Daemon(this, options);
    this.daemons.push(daemon);
    await daemon.start();
    return daemon;
  }

  /** Starts a Node program that runs until it is ended. */
  start(name: string, args: readonly string[], env: Record<string, string> = {}): Program {
    return this.programs.start(name, args, { namespace: this.name, env });
  }

  /** Runs a program on this host to its end, whatever its exit code. */
  async run(program: string, ...args: string[]): Promise<Outcome> {
    return run("ip", ["netns", "exec", this.name, program, ...args]);
  }

  /** Whether the other host answers a ping. */
  async reaches(other: Host): Promise<boolean> {
    const { code } = await this.run("ping", "-c", "1", "-W", "1", other.address);
    return code === 0;
  }

  /** The TCP ports on which this host accepts connections from others, by the kernel's own list. */
  async openPorts(): Promise<number[]> {
    const { stdout } = await this.run("cat", "/proc/net/tcp", "/proc/net/tcp6");
    const ports = stdout
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = "", , state]) => state === "0A" && !local.startsWith("0100007F"))
      .map(([, local = ""]) => Number.parseInt(local.split(":")[1] ?? "", 16));
    return [...new Set(ports)];
  }

  /** Where a file of this name is: all hosts share one directory, which goes with the LAN. */
  path(file: string): string {
    return join(this.programs.directory, file);
  }

  async #ip(...args: string[]): Promise<string> {
    return must("ip", "-n", this.name, ...args);
  }
}
