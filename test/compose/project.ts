/** A compose project of nodes: what scripts/docker/compose.yaml makes, under a name and ports of its own. */
import { Container } from "./container.js";
import { compose, docker, image } from "./engine.js";

const env = { LANKV_IMAGE: image, LANKV_PORTS: "7600-7699" };

export class Project {
  /** In the order in which they were made. */
  nodes: readonly Container[] = [];

  constructor(readonly name: string) {}

  /** The network that compose makes for the project. */
  get network(): string {
    return `${this.name}_default`;
  }

  /** Makes it so many nodes, more or fewer than there are. Those that stay are the same containers. */
  async scale(count: number, ...flags: string[]): Promise<readonly Container[]> {
    await compose(
      this.name,
      env,
      "up",
      "--detach",
      "--no-build",
      "--scale",
      `node=${String(count)}`,
      ...flags,
    );
    const listed = await docker(
      ...["ps", "--no-trunc", "--filter", `label=com.docker.compose.project=${this.name}`],
      ...["--format", '{{.Label "com.docker.compose.container-number"}} {{.ID}}'],
    );
    const known = new Map(this.nodes.map((node) => [node.id, node]));
    this.nodes = listed
      .split("\n")
      .map((line) => line.split(" "))
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, id = ""]) => known.get(id) ?? new Container(id));
    for (const node of known.values()) if (!this.nodes.includes(node)) node.hangUp();
    return this.nodes;
  }

  /** What the nodes have said of late. */
  async logs(): Promise<string> {
    return compose(this.name, env, "logs", "--no-color", "--tail=30");
  }

  /** Removes its containers, volumes and network, also those of a run before that was cut short. */
  async remove(): Promise<void> {
    for (const node of this.nodes) node.hangUp();
    this.nodes = [];
    await compose(this.name, env, "down", "--volumes", "--remove-orphans", "--timeout=5");
  }
}
