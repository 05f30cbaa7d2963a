import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./command.js";
import type { Host } from "./host.js";
import { listFrom, member, numberMember, textMember } from "./json.js";
import type { Program } from "./program.js";
import { type Command, type Reply, RespClient } from "./resp-client.js";
import { Hopeless, until } from "./until.js";

const lankv = fileURLToPath(new URL("../../../bin/lankv.js", import.meta.url));
/** The dynamic linker puts the machine's own library directory in the place of $LIB. */
const faketime = "/usr/$LIB/faketime/libfaketime.so.1";

export interface DaemonOptions {
  /** Default: the host's name. */
  name?: string;
  /** More flags of `lankv serve`. Default: none. */
  flags?: readonly string[];
  /** How far its wall clock is off, as faketime writes it: `+1h`. Default: not at all. */
  clock?: string;
}

interface Status {
  nodeId: string;
  name: string;
  state: string;
  keys: number;
  root: string;
  peers: number;
}

interface Peer {
  nodeId: string;
  name: string;
  address: string;
  state: string;
  keys: number;
  clockOffsetMs: number | undefined;
}

/** `lankv serve` on a host, with nothing on disk unless `--data-dir` is among its flags. */
export class Daemon {
  readonly name: string;
  readonly socket: string;
  readonly #options: DaemonOptions;
  #program: Program | undefined;
  #client: RespClient | undefined;

  constructor(
    readonly host: Host,
    options: DaemonOptions,
  ) {
    this.name = options.name ?? host.name;
    this.socket = host.path(`${this.name}.sock`);
    this.#options = options;
  }

  /** Starts it, also again after its end, and waits until it answers. */
  async start(): Promise<void> {
    const { flags = [], clock } = this.#options;
    const clockEnv = { LD_PRELOAD: faketime, FAKETIME: clock ?? "", FAKETIME_DONT_FAKE_MONOTONIC: "1" };
    const memory = flags.includes("--data-dir") ? [] : ["--memory"];
    const own = [...memory, "--name", this.name, "--socket", this.socket, "--redis-port", "0"];
    const program = this.host.start(
      this.name,
      [lankv, "serve", ...own, ...flags],
      clock === undefined ? {} : clockEnv,
    );
    this.#program = program;
    await until(`${this.name} answers`, async () => {
      if (program.ending !== undefined) throw new Hopeless(`${this.name} ${program.ending}\n${program.log}`);
      assert.equal(String(await this.call("PING")), "PONG");
    });
  }

  get pid(): number {
    return this.#running.pid;
  }

  /** Stops it as an operator does, and expects it to end well. */
  async stop(): Promise<void> {
    assert.equal(await this.#running.end("SIGTERM"), "ended with exit code 0");
  }

  /** Ends it as a power cut does. */
  async kill9(): Promise<void> {
    await this.#running.end("SIGKILL");
  }

  /** The process stands still, its connections stay open. */
  async pauseFor(ms: number): Promise<void> {
    this.#running.signal("SIGSTOP");
    await pause(ms);
    this.#running.signal("SIGCONT");
  }

  /** Runs `lankv -s SOCKET ...args` on the daemon's host. */
  async cli(...args: string[]): Promise<Outcome> {
    return this.host.run(process.execPath, lankv, "-s", this.socket, ...args);
  }

  /** Runs a command that has to succeed, and returns what it printed. */
  async cliOutput(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.cli(...args);
    assert.equal(code, 0, `on ${this.name}: lankv ${args.join(" ")}: exit code ${String(code)}\n${stderr}`);
    return stdout;
  }

  /** A connection of its own, for who wants to keep it busy. */
  async connect(): Promise<RespClient> {
    return RespClient.connect(this.socket);
  }

  async call(...command: Command): Promise<Reply> {
    if (this.#client === undefined || this.#client.isClosed) this.#client = await this.connect();
    return this.#client.call(...command);
  }

  async set(key: string, value: string | Buffer): Promise<void> {
    assert.equal(String(await this.call("SET", key, value)), "OK");
  }

  async delete(...keys: string[]): Promise<void> {
    await this.call("DEL", ...keys);
  }

  async get(key: string): Promise<string | undefined> {
    const value = await this.call("GET", key);
    return Buffer.isBuffer(value) ? value.toString() : undefined;
  }

  async keyCount(): Promise<number> {
    return Number(await this.call("DBSIZE"));
  }

  /** What `lankv status --json` shows, over a connection that is open already: it is asked for often. */
  async status(): Promise<Status> {
    return statusFrom(String(await this.call("LANKV.STATUS")));
  }

  async peers(): Promise<Peer[]> {
    return peersFrom(String(await this.call("LANKV.PEERS")));
  }

  /** The names of the peers that are up, sorted. */
  async peersUp(): Promise<string[]> {
    const peers = await this.peers();
    return peers
      .filter(({ state }) => state === "up")
      .map(({ name }) => name)
      .sort();
  }

  /** How many keys each peer that is up holds, by its own word. */
  async peerKeys(): Promise<number[]> {
    const peers = await this.peers();
    return peers.filter(({ state }) => state === "up").map(({ keys }) => keys);
  }

  /** The keys of which it lists a conflict. */
  async conflicts(): Promise<string[]> {
    return listFrom(String(await this.call("LANKV.CONFLICTS"))).map((conflict) =>
      textMember(conflict, "key"),
    );
  }

  get #running(): Program {
    assert(this.#program !== undefined, `${this.name} was started`);
    return this.#program;
  }
}

export function statusFrom(json: string): Status {
  const parsed: unknown = JSON.parse(json);
  return {
    nodeId: textMember(parsed, "nodeId"),
    name: textMember(parsed, "name"),
    state: textMember(parsed, "state"),
    keys: numberMember(parsed, "keys"),
    root: textMember(parsed, "root"),
    peers: numberMember(parsed, "peers"),
  };
}

export function peersFrom(json: string): Peer[] {
  return listFrom(json).map((peer) => {
    const clockOffsetMs = member(peer, "clockOffsetMs");
    return {
      nodeId: textMember(peer, "nodeId"),
      name: textMember(peer, "name"),
      address: textMember(peer, "address"),
      state: textMember(peer, "state"),
      keys: numberMember(peer, "keys"),
      clockOffsetMs: typeof clockOffsetMs === "number" ? clockOffsetMs : undefined,
    };
  });
}
