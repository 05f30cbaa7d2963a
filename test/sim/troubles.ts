/** Makes the faults happen, each at its own random times, until `heal`. */
import { Disk } from "./disk.js";
import type { Host } from "./host.js";
import type { Network } from "./network.js";
import type { Process } from "./process.js";
import type { Users } from "./workload.js";

/** Copies of each process's disk that a restart may find. */
const SNAPSHOTS_MAX = 4;
const SNAPSHOT_EVERY_MS = 2_500;
const PROCESSES_MAX = 24;

/** What starts and names processes. */
export interface Starter {
  start(host: Host, nodeId: string, disk: Disk, port: number | undefined): Process;
  addHost(): Host;
  newAddress(): string;
}

/** A process that is down and waits to be started again. */
interface Down {
  readonly restart: () => void;
  readonly cancel: () => void;
}

export class Troubles {
  #isOver = false;
  readonly #snapshots = new Map<Process, Disk[]>();
  readonly #down = new Set<Down>();
  /** What ends each trouble that is going on. */
  readonly #endings = new Set<() => void>();

  constructor(
    private readonly network: Network,
    private readonly starter: Starter,
    private readonly users: Users,
  ) {
    const { faults } = network;
    this.#every(faults.udpOutageEveryMs, "udp outage", () => {
      this.#loseDatagrams();
    });
    this.#every(faults.resetEveryMs, "reset", () => {
      this.#breakLink();
    });
    this.#every(faults.partitionEveryMs, "partition", () => {
      this.#partition();
    });
    this.#everyProcess(faults.crashEveryMs, "crash", (process) => {
      this.users.writeAndCrash(process);
      this.#restartLater(process);
    });
    this.#everyProcess(faults.powerCutEveryMs, "power cut", ({ host }) => {
      for (const process of network.alive) if (process.host === host) this.#cutPower(process);
    });
    this.#every(faults.rackPowerCutEveryMs, "power cut of all", () => {
      for (const process of network.alive) this.#cutPower(process);
    });
    this.#everyDisk(faults.diskFullEveryMs, "disk full", (disk, isGoingOn) => {
      disk.isFull = isGoingOn;
    });
    this.#everyDisk(faults.syncFailureEveryMs, "disk that cannot sync", (disk, isGoingOn) => {
      disk.isFailing = isGoingOn;
    });
    this.#everyProcess(faults.goodbyeEveryMs, "goodbye", (process) => {
      if (process.isBlocked) return;
      process.stop();
      this.#restartLater(process);
    });
    this.#everyProcess(faults.blockEveryMs, "blocked", (process) => {
      process.block();
      this.#endLater(faults.blockMsMax, () => {
        process.unblock();
      });
    });
    this.#everyProcess(faults.clockJumpEveryMs, "clock jump", ({ host }) => {
      host.skewMs = Math.round(host.skewMs + network.random.between(-1, 1) * faults.clockJumpMsMax);
    });
    this.#everyProcess(faults.copyEveryMs, "copied directory", (process) => {
      this.#copy(process);
    });
    this.#everyProcess(faults.offlineEveryMs, "offline", ({ host }) => {
      this.#setOnline(host, false);
      this.#endLater(faults.offlineMsMax, () => {
        this.#setOnline(host, true);
      });
    });
    this.#everyProcess(faults.addressEveryMs, "address change", ({ host }) => {
      host.address = this.starter.newAddress();
      this.#tellNetworkChanged(host);
    });
    this.#every(SNAPSHOT_EVERY_MS, "snapshot", () => {
      this.#takeSnapshot();
    });
  }

  /** Ends every trouble, and starts whoever is down. */
  heal(): void {
    this.#isOver = true;
    for (const ending of [...this.#endings]) ending();
    for (const down of [...this.#down]) {
      down.cancel();
      down.restart();
    }
    this.network.heal();
  }

  #every(meanMs: number, name: string, action: () => void): void {
    if (meanMs === 0) return;
    const { random, schedule, tallies } = this.network;
    schedule.after(random.waitMs(meanMs), () => {
      if (this.#isOver) return;
      if (name !== "snapshot") tallies.add(name);
      action();
      this.#every(meanMs, name, action);
    });
  }

  #everyProcess(meanMs: number, name: string, action: (process: Process) => void): void {
    this.#every(meanMs, name, () => {
      const process = this.network.random.pick(this.network.alive);
      if (process === undefined) return;
      this.network.log.add(this.network.schedule.nowMs, process.name, `trouble: ${name}`);
      action(process);
    });
  }

  #everyDisk(meanMs: number, name: string, set: (disk: Disk, isGoingOn: boolean) => void): void {
    this.#everyProcess(meanMs, name, ({ disk }) => {
      if (disk === undefined) return;
      set(disk, true);
      this.#endLater(this.network.faults.diskFailureMsMax, () => {
        set(disk, false);
      });
    });
  }

  #cutPower(process: Process): void {
    process.losePower();
    this.#restartLater(process);
  }

  /** Ends a trouble after a while, or at the heal. */
  #endLater(msMax: number, ending: () => void): void {
    const end = () => {
      if (!this.#endings.delete(end)) return;
      ending();
    };
    this.#endings.add(end);
    this.network.schedule.after(this.network.random.between(50, msMax), end);
  }

  #loseDatagrams(): void {
    this.network.setUdpOut(true);
    this.#endLater(this.network.faults.udpOutageMsMax, () => {
      this.network.setUdpOut(false);
    });
  }

  #breakLink(): void {
    const { random, alive } = this.network;
    const link = random.pick(random.pick(alive)?.links ?? []);
    link?.break();
  }

  #partition(): void {
    const { network } = this;
    const { random, hosts, faults } = network;
    const isOneWay = random.chance(faults.oneWayShare);
    const oneSide = hosts.filter(() => random.chance(0.5));
    const otherSide = hosts.filter((host) => !oneSide.includes(host));
    const pairs = oneSide.flatMap((from) => otherSide.map((to) => ({ from, to })));
    for (const { from, to } of pairs) {
      network.cut(from, to);
      if (!isOneWay) network.cut(to, from);
    }
    network.log.add(network.schedule.nowMs, "network", `cut ${oneSide.map(({ name }) => name).join()}`);
    this.#endLater(faults.partitionMsMax, () => {
      for (const { from, to } of pairs) {
        network.uncut(from, to);
        if (!isOneWay) network.uncut(to, from);
      }
      network.log.add(network.schedule.nowMs, "network", `mended ${oneSide.map(({ name }) => name).join()}`);
      for (const process of network.alive) {
        for (const link of process.links) if (!random.chance(faults.stallShare)) link.break();
      }
    });
  }

  #restartLater(process: Process): void {
    const { random, schedule, faults } = this.network;
    const { host, port, replica } = process;
    const disk = this.#diskAfter(process);
    const itsPort = random.chance(faults.samePortShare) ? port : undefined;
    this.#snapshots.delete(process);
    const restart = () => {
      if (!this.#down.delete(down)) return;
      this.starter.start(host, replica.self.nodeId, disk, itsPort);
    };
    const cancel = schedule.after(random.between(10, faults.downMsMax), restart);
    const down = { restart, cancel };
    this.#down.add(down);
  }

  /** What the next process on this host finds: mostly what this one left. */
  #diskAfter(process: Process): Disk {
    const { random, faults } = this.network;
    const older = random.pick(this.#snapshots.get(process) ?? []);
    if (random.chance(faults.newDiskShare) || process.disk === undefined) return new Disk(random);
    return older !== undefined && random.chance(faults.oldDiskShare) ? older : process.disk;
  }

  #copy(process: Process): void {
    if (this.network.processes.length >= PROCESSES_MAX) return;
    const { random } = this.network;
    const { nodeId } = process.replica.self;
    const { disk } = process;
    if (disk === undefined) return;
    const source = random.pick([disk, ...(this.#snapshots.get(process) ?? [])]) ?? disk;
    for (let copies = random.wholeBetween(1, 3); copies > 0; copies -= 1) {
      const host = random.chance(0.5) ? process.host : this.starter.addHost();
      this.starter.start(host, nodeId, source.copy(), undefined);
    }
  }

  #takeSnapshot(): void {
    const process = this.network.random.pick(this.network.alive);
    if (process === undefined) return;
    const snapshots = this.#snapshots.get(process) ?? [];
    if (process.disk === undefined) return;
    snapshots.push(process.disk.copy());
    if (snapshots.length > SNAPSHOTS_MAX) snapshots.shift();
    this.#snapshots.set(process, snapshots);
  }

  #setOnline(host: Host, isOnline: boolean): void {
    if (host.isOnline === isOnline) return;
    host.isOnline = isOnline;
    this.#tellNetworkChanged(host);
  }

  #tellNetworkChanged(host: Host): void {
    const { random, schedule, alive } = this.network;
    for (const process of alive) {
      if (process.host === host)
        schedule.after(random.between(0, 1_000), () => {
          process.networkChanged();
        });
    }
  }
}
