/** A container with a node, asked over its published port as any Redis client asks. */
import assert from "node:assert/strict";
import { run, type Outcome } from "../lan/command.js";
import { peersFrom, statusFrom } from "../lan/daemon.js";
import { member, numberMember } from "../lan/json.js";
import { RespClient, type Command, type Reply } from "../lan/resp-client.js";
import { docker } from "./engine.js";

export class Container {
  /** Of the node: its host's name, which is how the container's id begins. */
  readonly name: string;
  #client: RespClient | undefined;

  constructor(readonly id: string) {
    this.name = id.slice(0, 12);
  }

  /** A connection to the port of this machine that leads to the container; it may be another after each start. */
  async connect(): Promise<RespClient> {
    const published = await docker("port", this.id, "7379/tcp");
    const [, host, port] = /^([\d.]+):(\d+)$/m.exec(published) ?? [];
    assert(host !== undefined && port !== undefined, `${this.name} has a published port: ${published}`);
    return RespClient.connect({ host, port: Number(port) });
  }

  async call(...command: Command): Promise<Reply> {
    if (this.#client === undefined || this.#client.isClosed) this.#client = await this.connect();
    return this.#client.call(...command);
  }

  /** Drops the connection: one to a container that was cut off may hang. */
  hangUp(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  async set(key: string, value: string): Promise<void> {
    assert.equal(String(await this.call("SET", key, value)), "OK");
  }

  async get(key: string): Promise<string | undefined> {
    const value = await this.call("GET", key);
    return Buffer.isBuffer(value) ? value.toString() : undefined;
  }

  async keyCount(): Promise<number> {
    return Number(await this.call("DBSIZE"));
  }

  async status(): Promise<ReturnType<typeof statusFrom>> {
    return statusFrom(String(await this.call("LANKV.STATUS")));
  }

  /** How many keys wait to be saved. */
  async unsaved(): Promise<number> {
    const status: unknown = JSON.parse(String(await this.call("LANKV.STATUS")));
    return numberMember(member(status, "storage"), "unsaved");
  }

  /** The names of the peers that are up, sorted. */
  async peersUp(): Promise<string[]> {
    return upFrom(String(await this.call("LANKV.PEERS")));
  }

  /** As `peersUp`, but asked inside the container, which works without any network. */
  async peersUpInside(): Promise<string[]> {
    return upFrom(await this.cliOutput("peers", "--json"));
  }

  /** Runs `lankv ...args` in the container. */
  async cli(...args: string[]): Promise<Outcome> {
    return run("docker", ["exec", this.id, "lankv", ...args], { timeoutMs: 90_000 });
  }

  /** Runs a command that has to succeed, and returns what it printed. */
  async cliOutput(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    assert.equal(code, 0, `in ${this.name}: lankv ${args.join(" ")}: exit code ${String(code)}\n${stderr}`);
    return stdout;
  }

  /** What docker knows of it, as a template asks for. */
  async inspect(template: string): Promise<string> {
    return docker("inspect", "--format", template, this.id);
  }
}

function upFrom(json: string): string[] {
  return peersFrom(json)
    .filter(({ state }) => state === "up")
    .map(({ name }) => name)
    .sort();
}
