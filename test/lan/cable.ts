import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { must } from "./command.js";
import { listFrom, member, numberMember } from "./json.js";
import type { Program, Programs } from "./program.js";
import type { Network, Switch } from "./switch.js";
import { until } from "./until.js";
import type { WireQuality } from "./wire-quality.js";

const poorWire = fileURLToPath(new URL("poor-wire.js", import.meta.url));

/** How many bytes went over a cable, as the host counts them. */
interface Traffic {
  sentBytes: number;
  receivedBytes: number;
}

/**
 * A cable, with the host's network device at one end and a port of the switch at the other.
 *
 *     host: eth0 ---- v1: switch: net0                               a good wire
 *     host: eth0 ---- v1: switch: seg1 - near1 = program = far1 - net0    a poor wire
 */
export class Cable {
  readonly #port: string;
  readonly #number: number;
  #bridge: string;
  #address: string;
  #isCut = false;
  #poor: Program | undefined;

  constructor(
    private readonly at: Switch,
    private readonly programs: Programs,
    private readonly namespace: string,
    readonly device: string,
    readonly network: Network,
  ) {
    this.#number = at.nextPort();
    this.#port = `v${String(this.#number)}`;
    this.#bridge = network.bridge;
    this.#address = network.nextAddress();
  }

  async lay(): Promise<void> {
    const peer = ["peer", "name", this.device, "netns", this.namespace];
    await this.at.ip("link", "add", "name", this.#port, "type", "veth", ...peer);
    await this.mend();
    await this.plugIn();
    await this.#hostIp("addr", "add", `${this.address}/24`, "brd", "+", "dev", this.device);
    await this.deviceUp();
  }

  get address(): string {
    return this.#address;
  }

  /** Cuts the cable beyond the next switch, so to say: nothing gets through, and the host still sees its link. */
  async cut(): Promise<void> {
    await this.at.ip("link", "set", "dev", this.#farEnd, "nomaster");
    this.#isCut = true;
  }

  async mend(): Promise<void> {
    await this.at.ip("link", "set", "dev", this.#farEnd, "master", this.#bridge);
    this.#isCut = false;
  }

  /** Pulls the plug at the switch: the host sees that it has no carrier. */
  async unplug(): Promise<void> {
    await this.at.ip("link", "set", "dev", this.#port, "down");
  }

  async plugIn(): Promise<void> {
    await this.at.ip("link", "set", "dev", this.#port, "up");
  }

  /** Switches the host's network device off, as its operator would. */
  async deviceDown(): Promise<void> {
    await this.#hostIp("link", "set", "dev", this.device, "down");
  }

  async deviceUp(): Promise<void> {
    await this.#hostIp("link", "set", "dev", this.device, "up");
  }

  async changeAddress(address: string): Promise<void> {
    await this.#hostIp("addr", "del", `${this.address}/24`, "dev", this.device);
    await this.#hostIp("addr", "add", `${address}/24`, "brd", "+", "dev", this.device);
    this.#address = address;
  }

  /** Leads the cable to another bridge of the switch. */
  async moveTo(bridge: string): Promise<void> {
    this.#bridge = bridge;
    if (!this.#isCut) await this.mend();
  }

  /** Makes the wire a poor one, in both directions, instead of what it was. */
  async impair(quality: WireQuality): Promise<void> {
    await this.improve();
    const { here, there, namespace } = await this.at.trunk();
    const [nearPort, farPort] = [20_000 + 2 * this.#number, 20_001 + 2 * this.#number];
    const ends = ["local", here, "remote", there];
    for (const [end, port] of [
      [this.#near, nearPort],
      [this.#far, farPort],
    ] as const) {
      // The program carries whole frames: none larger than the MTU, none with its checksum left for later.
      const limits = ["mtu", "1500", "gso_max_segs", "1"];
      const vxlan = ["type", "vxlan", "id", "1", ...ends, "dstport", String(port)];
      await this.at.ip("link", "add", "name", end, ...limits, ...vxlan);
      await must("ip", "netns", "exec", this.at.namespace, "ethtool", "-K", end, "tx", "off");
      await this.at.ip("link", "set", "dev", end, "up");
    }
    const args = [poorWire, there, here, String(nearPort), String(farPort), JSON.stringify(quality)];
    const program = this.programs.start(`wire-${this.#port}`, args, { namespace });
    await until("the wire is laid", () => assert.match(program.log, /ready\n$/));

    await this.at.addBridge(this.#segment);
    await this.at.ip("link", "set", "dev", this.#near, "master", this.#segment);
    await this.at.ip("link", "set", "dev", this.#port, "master", this.#segment);
    this.#poor = program;
    if (!this.#isCut) await this.mend();
  }

  /** Makes the wire a good one again. */
  async improve(): Promise<void> {
    if (this.#poor === undefined) return;
    await this.#poor.end();
    this.#poor = undefined;
    for (const device of [this.#near, this.#far, this.#segment])
      await this.at.ip("link", "del", "dev", device);
    if (!this.#isCut) await this.mend();
  }

  async traffic(): Promise<Traffic> {
    const [link] = listFrom(await this.#hostIp("-json", "-stats", "link", "show", "dev", this.device));
    const stats = member(link, "stats64");
    return {
      sentBytes: numberMember(member(stats, "tx"), "bytes"),
      receivedBytes: numberMember(member(stats, "rx"), "bytes"),
    };
  }

  get #near(): string {
    return `near${String(this.#number)}`;
  }

  get #far(): string {
    return `far${String(this.#number)}`;
  }

  get #segment(): string {
    return `seg${String(this.#number)}`;
  }

  /** What is attached to the network's bridge: the port itself, or the far end of the poor wire behind it. */
  get #farEnd(): string {
    return this.#poor === undefined ? this.#port : this.#far;
  }

  async #hostIp(...args: string[]): Promise<string> {
    return must("ip", "-n", this.namespace, ...args);
  }
}
