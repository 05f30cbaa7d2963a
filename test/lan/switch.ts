import { must } from "./command.js";

/**
 * The switch of a LAN: one bridge a network, all in a namespace of their own, where no firewall rule of the
 * machine sees their frames.
 */
export class Switch {
  readonly namespace = "sw";
  #networks = 0;
  #ports = 0;
  #trunk: Promise<Trunk> | undefined;

  static async create(): Promise<Switch> {
    const made = new Switch();
    await must("ip", "netns", "add", made.namespace);
    return made;
  }

  /** Works on the switch's interfaces, as `ip` does. */
  async ip(...args: string[]): Promise<string> {
    return must("ip", "-n", this.namespace, ...args);
  }

  async addBridge(name: string): Promise<string> {
    await this.ip("link", "add", "name", name, "type", "bridge");
    await this.ip("link", "set", "dev", name, "up");
    return name;
  }

  async addNetwork(): Promise<Network> {
    const number = this.#networks++;
    return new Network(await this.addBridge(`net${String(number)}`), `10.${String(77 + number)}.0`);
  }

  nextPort(): number {
    this.#ports += 1;
    return this.#ports;
  }

  /** The way to the namespace of the poor wires: made once, by the first that needs it. */
  async trunk(): Promise<Trunk> {
    this.#trunk ??= this.#layTrunk();
    return this.#trunk;
  }

  async #layTrunk(): Promise<Trunk> {
    const trunk = { namespace: "wires", here: "10.76.0.1", there: "10.76.0.2" };
    const { namespace, here, there } = trunk;
    await must("ip", "netns", "add", namespace);
    // Larger frames than a host's, for each carries a host's frame and the headers around it.
    const peer = ["peer", "name", "eth0", "netns", namespace, "mtu", "9000"];
    await this.ip("link", "add", "name", "trunk", "mtu", "9000", "type", "veth", ...peer);
    await this.ip("addr", "add", `${here}/24`, "dev", "trunk");
    await this.ip("link", "set", "dev", "trunk", "up");
    await must("ip", "-n", namespace, "addr", "add", `${there}/24`, "dev", "eth0");
    await must("ip", "-n", namespace, "link", "set", "dev", "eth0", "up");
    return trunk;
  }
}

/** Where the processes run that carry the frames of poor wires, and the addresses of both ends of the way there. */
interface Trunk {
  namespace: string;
  here: string;
  there: string;
}

/** One broadcast domain: a bridge and its addresses. */
export class Network {
  #hosts = 0;

  constructor(
    readonly bridge: string,
    readonly prefix: string,
  ) {}

  get broadcast(): string {
    return `${this.prefix}.255`;
  }

  nextAddress(): string {
    this.#hosts += 1;
    return `${this.prefix}.${String(this.#hosts)}`;
  }
}
