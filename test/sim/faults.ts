/** What goes wrong in a run. Each fault has a name; zero means that it does not happen. */
import type { Random } from "./random.js";

export interface Faults {
  /** Share of beacons that are lost, 0..1. */
  readonly udpLoss: number;
  /** Share of beacons that come twice, 0..1. */
  readonly udpDuplicates: number;
  /** Beacons take up to so long, each its own time, and so overtake each other. */
  readonly udpDelayMsMax: number;
  /** Mean time between moments in which no beacon arrives though connections work. */
  readonly udpOutageEveryMs: number;
  readonly udpOutageMsMax: number;
  /** How long the bytes of a connection are under way. */
  readonly linkDelayMsMax: number;
  readonly linkBytesPerMs: number;
  /** How many messages PUB queues for a slow subscriber before it drops more without a word. */
  readonly highWaterMarkMessages: number;
  /** Mean time between connections that break and lose what was in flight. */
  readonly resetEveryMs: number;
  readonly partitionEveryMs: number;
  readonly partitionMsMax: number;
  /** Share of the partitions that cut one direction only, 0..1. */
  readonly oneWayShare: number;
  /** Share of the connections that outlive a partition and resend, 0..1; the others break. */
  readonly stallShare: number;
  readonly crashEveryMs: number;
  readonly downMsMax: number;
  /** Share of the restarts on the same port, 0..1. */
  readonly samePortShare: number;
  /** Mean time between processes that are stopped (SIGSTOP) for a while. */
  readonly blockEveryMs: number;
  readonly blockMsMax: number;
  /** The hosts' wall clocks are wrong by up to so much from the start. */
  readonly clockSkewMsMax: number;
  /** Mean time between wall clocks that are set to another time. */
  readonly clockJumpEveryMs: number;
  readonly clockJumpMsMax: number;
  /** Mean time between data directories that are copied to another host and started there. */
  readonly copyEveryMs: number;
  /** Mean time between hosts whose network goes away, and comes back, with the host knowing it. */
  readonly offlineEveryMs: number;
  readonly offlineMsMax: number;
  readonly addressEveryMs: number;
  /** Mean time between stops that say goodbye. */
  readonly goodbyeEveryMs: number;
  /** Mean time between datagrams and frames of somebody hostile. */
  readonly hostileEveryMs: number;
  /** Share of the hosts that save, 0..1, each in its own way; the others keep nothing. */
  readonly savingShare: number;
  /** Reading a disk at the start takes up to so long. */
  readonly loadMsMax: number;
  /** And saving, with and without a sync. */
  readonly saveMsMax: number;
  readonly syncMsMax: number;
  /** Mean time between hosts that lose their power, and in part what was not synced; and between all losing it at once. */
  readonly powerCutEveryMs: number;
  readonly rackPowerCutEveryMs: number;
  /** Mean time between disks that are full for a while, and that fail to sync. */
  readonly diskFullEveryMs: number;
  readonly syncFailureEveryMs: number;
  readonly diskFailureMsMax: number;
  /** Share of the disks with so little room that cleaning does not wait for syncs, 0..1. */
  readonly tightShare: number;
  /** Share of the entries that are found damaged when a disk is read, 0..1. */
  readonly rotShare: number;
  /** Share of the restarts with an older copy of the disk, and with an empty one, 0..1. */
  readonly oldDiskShare: number;
  readonly newDiskShare: number;
}

export const NO_FAULTS: Faults = {
  udpLoss: 0,
  udpDuplicates: 0,
  udpDelayMsMax: 1,
  udpOutageEveryMs: 0,
  udpOutageMsMax: 0,
  linkDelayMsMax: 1,
  linkBytesPerMs: 100_000,
  highWaterMarkMessages: 10_000,
  resetEveryMs: 0,
  partitionEveryMs: 0,
  partitionMsMax: 0,
  oneWayShare: 0,
  stallShare: 1,
  crashEveryMs: 0,
  downMsMax: 0,
  samePortShare: 0,
  blockEveryMs: 0,
  blockMsMax: 0,
  clockSkewMsMax: 0,
  clockJumpEveryMs: 0,
  clockJumpMsMax: 0,
  copyEveryMs: 0,
  offlineEveryMs: 0,
  offlineMsMax: 0,
  addressEveryMs: 0,
  goodbyeEveryMs: 0,
  hostileEveryMs: 0,
  savingShare: 1,
  loadMsMax: 20,
  saveMsMax: 0.2,
  syncMsMax: 2,
  powerCutEveryMs: 0,
  rackPowerCutEveryMs: 0,
  diskFullEveryMs: 0,
  syncFailureEveryMs: 0,
  diskFailureMsMax: 0,
  tightShare: 0,
  rotShare: 0,
  oldDiskShare: 0,
  newDiskShare: 0,
};

/** A mix of faults: each is there in some runs, and then mild or harsh. */
export function drawFaults(random: Random): Faults {
  const every = (probability: number, leastMs: number, mostMs: number) =>
    random.chance(probability) ? random.between(leastMs, mostMs) : 0;
  const share = (probability: number, most: number) =>
    random.chance(probability) ? random.between(0, most) : 0;
  const longMs = () => (random.chance(0.5) ? 3_000 : 15_000);
  return {
    udpLoss: share(0.5, 0.5),
    udpDuplicates: share(0.4, 0.3),
    udpDelayMsMax: random.chance(0.3) ? random.between(10, 500) : random.between(0.2, 3),
    udpOutageEveryMs: every(0.2, 8_000, 30_000),
    udpOutageMsMax: longMs(),
    linkDelayMsMax: random.chance(0.3) ? random.between(10, 200) : random.between(0.2, 3),
    linkBytesPerMs: random.chance(0.2) ? random.between(500, 2_000) : 100_000,
    highWaterMarkMessages: random.chance(0.4) ? random.wholeBetween(2, 40) : 1_000,
    resetEveryMs: every(0.4, 500, 10_000),
    partitionEveryMs: every(0.5, 3_000, 20_000),
    partitionMsMax: longMs(),
    oneWayShare: random.chance(0.5) ? 0.5 : 0,
    stallShare: random.unit(),
    crashEveryMs: every(0.4, 4_000, 20_000),
    downMsMax: longMs(),
    samePortShare: random.pick([0, 0.5, 1]) ?? 0,
    blockEveryMs: every(0.3, 4_000, 20_000),
    blockMsMax: longMs(),
    clockSkewMsMax: random.pick([0, 0, 1_500, 50_000, 3_600_000, 40 * 365 * 86_400_000]) ?? 0,
    clockJumpEveryMs: every(0.3, 3_000, 20_000),
    clockJumpMsMax: random.pick([1_000, 30_000, 86_400_000]) ?? 0,
    copyEveryMs: every(0.2, 10_000, 40_000),
    offlineEveryMs: every(0.3, 5_000, 20_000),
    offlineMsMax: longMs(),
    addressEveryMs: every(0.25, 5_000, 20_000),
    goodbyeEveryMs: every(0.2, 6_000, 20_000),
    hostileEveryMs: every(0.3, 3, 300),
    savingShare: random.pick([0, 0.7, 1, 1]) ?? 1,
    loadMsMax: random.pick([5, 200, 6_000]) ?? 5,
    saveMsMax: random.pick([0.2, 0.2, 100]) ?? 0.2,
    syncMsMax: random.pick([0.5, 20, 2_000]) ?? 0.5,
    powerCutEveryMs: every(0.4, 4_000, 20_000),
    rackPowerCutEveryMs: every(0.2, 8_000, 30_000),
    diskFullEveryMs: every(0.2, 5_000, 20_000),
    syncFailureEveryMs: every(0.3, 3_000, 15_000),
    diskFailureMsMax: longMs(),
    tightShare: random.pick([0, 0.3]) ?? 0,
    rotShare: random.pick([0, 0, 0, 0.01, 0.3]) ?? 0,
    oldDiskShare: random.pick([0, 0.3]) ?? 0,
    newDiskShare: random.pick([0, 0.2]) ?? 0,
  };
}

/** What happens to disks, and to processes and machines in the middle of saving, much of it in every run. */
export function drawDiskFaults(random: Random): Faults {
  const every = (probability: number, leastMs: number, mostMs: number) =>
    random.chance(probability) ? random.between(leastMs, mostMs) : 0;
  return {
    ...NO_FAULTS,
    partitionEveryMs: every(0.3, 2_000, 8_000),
    partitionMsMax: 4_000,
    crashEveryMs: every(0.95, 800, 4_000),
    downMsMax: random.pick([100, 1_000]) ?? 100,
    goodbyeEveryMs: every(0.2, 3_000, 8_000),
    loadMsMax: random.pick([5, 200, 1_000]) ?? 5,
    saveMsMax: random.pick([0.2, 0.2, 30]) ?? 0.2,
    syncMsMax: random.pick([0.5, 20, 200]) ?? 0.5,
    powerCutEveryMs: every(0.9, 1_000, 5_000),
    rackPowerCutEveryMs: every(0.5, 3_000, 8_000),
    diskFullEveryMs: every(0.6, 1_500, 6_000),
    syncFailureEveryMs: every(0.85, 800, 4_000),
    diskFailureMsMax: random.pick([200, 2_000]) ?? 200,
    tightShare: random.pick([0, 0.5]) ?? 0,
    rotShare: random.pick([0, 0, 0, 0, 0.02]) ?? 0,
  };
}
