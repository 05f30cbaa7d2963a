/** One run: nodes, troubles and users, all drawn from one seed; then the heal, and what must hold after it. */
import { mintId } from "../../src/core/identity.js";
import { Checkers, Violation, type Checker, type Scene } from "./checker.js";
import { BootstrapChecker } from "./checkers/bootstrap.js";
import { BoundsChecker } from "./checkers/bounds.js";
import { ConflictsChecker } from "./checkers/conflicts.js";
import { ConvergenceChecker } from "./checkers/convergence.js";
import { DurabilityChecker } from "./checkers/durability.js";
import { ExpiryChecker } from "./checkers/expiry.js";
import { FingerprintsChecker } from "./checkers/fingerprints.js";
import { History } from "./checkers/history.js";
import { MergeChecker } from "./checkers/merge.js";
import { PublicationsChecker } from "./checkers/publications.js";
import { ReceiptsChecker } from "./checkers/receipts.js";
import { RepairCostChecker } from "./checkers/repair-cost.js";
import { RosterChecker } from "./checkers/roster.js";
import { LOOK_BACK_MS, SETTLE_MS, SilenceChecker } from "./checkers/silence.js";
import { contentsOf } from "./contents.js";
import { SentChecker } from "./checkers/sent.js";
import { Streams } from "./checkers/streams.js";
import { Disk } from "./disk.js";
import { NO_FAULTS, drawDiskFaults, drawFaults, type Faults } from "./faults.js";
import { Host } from "./host.js";
import { Log } from "./log.js";
import { Network } from "./network.js";
import { Process } from "./process.js";
import { Random } from "./random.js";
import { Schedule } from "./schedule.js";
import { Stranger } from "./stranger.js";
import { Tallies } from "./tallies.js";
import { Troubles, type Starter } from "./troubles.js";
import { Users, drawDiskWorkload, drawWorkload, type Workload } from "./workload.js";

/** How long after the heal all must be equal and live. */
const CONVERGE_MS_MAX = 60_000;
const LOOK_EVERY_MS = 100;
/** How long silence is listened to. */
const SILENCE_MS = 8_000;
/**
 * How long after the last value's time everything may be gone: a clock that was set is in doubt for five seconds, there is a
 * step at least each second, then come slices.
 */
const AGED_MS = 8_000;

interface RunOptions {
  readonly seed: number;
  /** `disk`: small runs with the faults of disks, of which each has many; undefined = everything. */
  readonly only?: "disk" | undefined;
  /** In place of those that the seed draws. */
  readonly faults?: Partial<Faults>;
  readonly workload?: Partial<Workload>;
  readonly nodes?: number;
  /** How long troubles and writes last. */
  readonly troubledMs?: number;
  readonly print?: (line: string) => void;
  /** Whether the log is hashed; so it is by default. */
  readonly isHashed?: boolean;
}

export interface RunResult {
  readonly seed: number;
  /** What does not hold; undefined = all is well. */
  readonly failure: { readonly checker: string; readonly message: string } | undefined;
  readonly nodes: number;
  readonly simulatedMs: number;
  /** From the heal until all copies were equal. */
  readonly convergedMs: number | undefined;
  readonly tallies: Tallies;
  readonly logLines: number;
  /** SHA-256 of the log, the same for the same seed; undefined when it was not hashed. */
  readonly digest: string | undefined;
}

export function run(options: RunOptions): RunResult {
  return new Run(options).carryOut();
}

class Run implements Starter {
  readonly #options: RunOptions;
  readonly #random: Random;
  readonly #schedule = new Schedule();
  readonly #log: Log;
  readonly #tallies = new Tallies();
  readonly #network: Network;
  readonly #workload: Workload;
  readonly #checkers: Checkers;
  readonly #ringKeysMax: number;
  readonly #nodes: number;
  readonly #troubledMs: number;
  #addresses = 0;
  #convergedMs: number | undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#log = new Log(options.isHashed ?? true, options.print);
    const isSmall = options.only === "disk";
    const drawnFaults = isSmall ? drawDiskFaults(this.#random) : drawFaults(this.#random);
    const faults = { ...drawnFaults, ...options.faults };
    this.#network = new Network(this.#schedule, this.#random, this.#log, this.#tallies, faults);
    const drawnWorkload = isSmall ? drawDiskWorkload(this.#random) : drawWorkload(this.#random);
    this.#workload = { ...drawnWorkload, ...options.workload };
    this.#nodes = options.nodes ?? this.#random.wholeBetween(2, isSmall ? 4 : 7);
    this.#troubledMs =
      (options.troubledMs ?? isSmall)
        ? this.#random.between(8_000, 15_000)
        : this.#random.between(5_000, 40_000);
    this.#ringKeysMax = this.#random.pick([20, 500, 100_000]) ?? 500;
    const history = new History();
    const streams = new Streams();
    const durability = new DurabilityChecker();
    const all: readonly Checker[] = [
      history,
      streams,
      new MergeChecker(),
      new ConflictsChecker(history),
      new ConvergenceChecker(history),
      new FingerprintsChecker(),
      new BootstrapChecker(),
      new BoundsChecker(),
      new RepairCostChecker(history),
      new SilenceChecker(),
      new ExpiryChecker(faults.clockSkewMsMax === 0 && faults.clockJumpEveryMs === 0),
      new SentChecker(history),
      new RosterChecker(),
      new PublicationsChecker(streams),
      durability,
      new ReceiptsChecker(streams, durability),
    ];
    this.#checkers = new Checkers(all);
  }

  carryOut(): RunResult {
    let failure: RunResult["failure"];
    try {
      this.#live();
    } catch (error) {
      failure =
        error instanceof Violation
          ? { checker: error.checker, message: error.message }
          : {
              checker: "no exception",
              message: error instanceof Error ? (error.stack ?? error.message) : String(error),
            };
      this.#log.add(this.#schedule.nowMs, "run", `FAILED ${failure.checker}: ${failure.message}`);
    }
    return {
      seed: this.#options.seed,
      failure,
      nodes: this.#nodes,
      simulatedMs: this.#schedule.nowMs,
      convergedMs: this.#convergedMs,
      tallies: this.#tallies,
      logLines: this.#log.lines,
      digest: this.#log.digest(),
    };
  }

  start(host: Host, nodeId: string, disk: Disk, port: number | undefined): Process {
    const { processes } = this.#network;
    const name = `${host.name}.${String(processes.length)}`;
    const isTaken = (p: number) =>
      processes.some((other) => other.isAlive && other.host === host && other.port === p);
    let itsPort = port ?? 20_000 + processes.length;
    while (isTaken(itsPort)) itsPort += 1;
    const options = {
      name,
      nodeId,
      writer: mintId(this.#random.unit),
      port: itsPort,
      ringKeysMax: this.#ringKeysMax,
      disk: host.fsync === undefined ? undefined : disk,
    };
    const process = new Process(options, host, this.#network, this.#checkers);
    processes.push(process);
    process.start();
    return process;
  }

  addHost(): Host {
    const { hosts, faults } = this.#network;
    const host = new Host(`h${String(hosts.length)}`, this.newAddress(), this.#schedule);
    const wrong = this.#random.chance(0.4) ? this.#random.between(-1, 1) * faults.clockSkewMsMax : 0;
    host.skewMs = Math.round(wrong);
    if (this.#random.chance(faults.savingShare))
      host.fsync = this.#random.pick(["always", "always", "everysec", "everysec", "never"]);
    hosts.push(host);
    return host;
  }

  /** An address that no host had before. */
  newAddress(): string {
    this.#addresses += 1;
    return `10.0.${String(this.#addresses >> 8)}.${String(this.#addresses & 255)}`;
  }

  get #scene(): Scene {
    return { alive: this.#network.alive, atMs: this.#schedule.nowMs, tallies: this.#tallies };
  }

  #live(): void {
    for (let node = 0; node < this.#nodes; node += 1) {
      const host = this.addHost();
      this.#schedule.after(this.#random.chance(0.5) ? 0 : this.#random.between(0, 4_000), () => {
        this.start(host, mintId(this.#random.unit), new Disk(this.#random), undefined);
      });
    }
    this.#tallies.add("nodes", this.#nodes);
    const users = new Users(this.#network, this.#workload);
    const troubles = new Troubles(this.#network, this, users);
    const stranger = new Stranger(this.#network);
    this.#runFor(this.#troubledMs);
    users.end();
    stranger.end();
    this.#checkers.healing(this.#scene);
    troubles.heal();
    this.#network.faults = healed(this.#network.faults);
    this.#log.add(this.#schedule.nowMs, "run", "healed");
    this.#runFor(LOOK_EVERY_MS);
    this.#checkers.healed(this.#scene);
    this.#awaitConvergence();
    this.#checkers.converged(this.#scene);
    this.#runFor(SETTLE_MS);
    users.lookBack(LOOK_BACK_MS / 2);
    this.#runFor(LOOK_BACK_MS + SILENCE_MS);
    this.#checkers.finished(this.#scene);
    this.#age();
    this.#runFor(AGED_MS);
    this.#checkers.aged(this.#scene);
  }

  /** Sets all clocks on alike, so that each is past the last value's time. */
  #age(): void {
    const { alive, hosts } = this.#network;
    let lastMs = 0;
    for (const { replica } of alive)
      for (const { expiresAtMs } of contentsOf(replica)) lastMs = Math.max(lastMs, expiresAtMs ?? 0);
    const clocks = alive.map(({ replica, now }) => replica.correctedMs(now.wallMs));
    const byMs = Math.max(0, Math.ceil(lastMs - Math.min(...clocks)));
    for (const host of hosts) host.skewMs += byMs;
    this.#log.add(this.#schedule.nowMs, "run", `clocks set on by ${String(byMs)} ms`);
  }

  #awaitConvergence(): void {
    const healedAtMs = this.#schedule.nowMs;
    while (!this.#isConverged()) {
      if (this.#schedule.nowMs - healedAtMs > CONVERGE_MS_MAX)
        throw new Violation("convergence", this.#difference());
      this.#runFor(LOOK_EVERY_MS);
    }
    this.#convergedMs = this.#schedule.nowMs - healedAtMs;
    this.#log.add(this.#schedule.nowMs, "run", "converged");
  }

  #isConverged(): boolean {
    const { alive } = this.#network;
    const root = alive[0]?.replica.map.root;
    return alive.every(
      ({ replica }) =>
        replica.state === "live" &&
        replica.map.root === root &&
        replica.presence.linked.length === alive.length - 1,
    );
  }

  #difference(): string {
    return this.#network.alive
      .map(({ name, replica }) => {
        const { peers, linked } = replica.presence;
        return `${name} ${replica.state} ${replica.map.root} ${String(peers.size)} peers, ${String(linked.length)} linked`;
      })
      .join("; ");
  }

  #runFor(ms: number): void {
    const untilMs = this.#schedule.nowMs + ms;
    while (this.#schedule.nowMs < untilMs) {
      this.#schedule.runUntil(Math.min(untilMs, Math.floor(this.#schedule.nowMs / 1_000 + 1) * 1_000));
      if (this.#schedule.nowMs % 1_000 === 0) this.#checkers.second(this.#scene);
    }
  }
}

/** What remains when the faults are over: the delays of an ordinary LAN, and clocks that are off. */
function healed(faults: Faults): Faults {
  return { ...NO_FAULTS, linkBytesPerMs: faults.linkBytesPerMs };
}
