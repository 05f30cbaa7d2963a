import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_FAULTS, type Faults } from "./faults.js";
import { run } from "./run.js";

/** Each fault by itself, harsh: what a mix hides, such as a repair that only a second fault brings about, shows here. */
const ALONE: Readonly<Record<string, Partial<Faults>>> = {
  "no fault": {},
  "loss of beacons": { udpLoss: 0.6 },
  "duplicate beacons": { udpDuplicates: 0.5 },
  "reordered beacons": { udpDelayMsMax: 900 },
  "dropped UDP only": { udpOutageEveryMs: 8_000, udpOutageMsMax: 10_000 },
  "slow connections": { linkDelayMsMax: 300, linkBytesPerMs: 500 },
  "bursts beyond the high-water mark": { highWaterMarkMessages: 3, linkDelayMsMax: 50 },
  "connections that break": { resetEveryMs: 300 },
  partitions: { partitionEveryMs: 3_000, partitionMsMax: 9_000, stallShare: 0.5 },
  "one-way partitions": { partitionEveryMs: 3_000, partitionMsMax: 9_000, oneWayShare: 1, stallShare: 0.5 },
  "crashes and older or empty copies": {
    crashEveryMs: 2_000,
    downMsMax: 4_000,
    oldDiskShare: 0.4,
    newDiskShare: 0.3,
  },
  "nothing on disk": { savingShare: 0, crashEveryMs: 2_000, downMsMax: 4_000 },
  "power cuts": { powerCutEveryMs: 2_000, downMsMax: 2_000, syncMsMax: 50 },
  "power cuts of all at once": {
    rackPowerCutEveryMs: 4_000,
    downMsMax: 1_000,
    syncMsMax: 50,
    loadMsMax: 3_000,
  },
  "slow disks": { saveMsMax: 500, syncMsMax: 3_000, powerCutEveryMs: 4_000, downMsMax: 1_000 },
  "full disks": { diskFullEveryMs: 2_000, diskFailureMsMax: 4_000, crashEveryMs: 4_000, downMsMax: 1_000 },
  "disks that cannot sync": {
    syncFailureEveryMs: 2_000,
    diskFailureMsMax: 4_000,
    powerCutEveryMs: 4_000,
    downMsMax: 1_000,
  },
  "rotten disks": { rotShare: 0.2, crashEveryMs: 2_000, downMsMax: 1_000 },
  "slow loading": { loadMsMax: 8_000, crashEveryMs: 3_000, downMsMax: 1_000 },
  "restarts on the same port": { crashEveryMs: 2_000, downMsMax: 1_000, samePortShare: 1 },
  goodbyes: { goodbyeEveryMs: 2_000, downMsMax: 1_000 },
  "blocked processes": { blockEveryMs: 3_000, blockMsMax: 12_000 },
  "wrong clocks": { clockSkewMsMax: 40 * 365 * 86_400_000 },
  "clocks that jump": { clockJumpEveryMs: 1_000, clockJumpMsMax: 86_400_000 },
  "copied data directories": { copyEveryMs: 4_000 },
  "networks that go away": { offlineEveryMs: 3_000, offlineMsMax: 9_000 },
  "address changes": { addressEveryMs: 4_000 },
  "somebody hostile": { hostileEveryMs: 5 },
};

const SEEDS_EACH = 3;

describe("the simulator, with one fault at a time", () => {
  for (const [name, faults] of Object.entries(ALONE)) {
    it(`keeps every invariant under ${name}`, () => {
      for (let seed = 1; seed <= SEEDS_EACH; seed += 1) {
        const { failure } = run({
          seed,
          faults: { ...NO_FAULTS, ...faults },
          troubledMs: 20_000,
          isHashed: false,
        });
        assert.deepEqual(failure, undefined, `seed ${String(seed)}`);
      }
    });
  }
});
