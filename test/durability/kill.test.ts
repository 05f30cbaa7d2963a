/** A node alone is killed in the middle of writes, and started again on what it has on disk. */
import assert from "node:assert/strict";
import path from "node:path";
import { Random } from "../sim/random.js";
import { BEHIND_MS } from "../../src/node/saver.js";
import { Daemon } from "./daemon.js";
import { isolated } from "./isolated.js";
import { aLittle, Burst, checkServed, kill, type Policy } from "./kill-round.js";
import { Ledger } from "./ledger.js";
import { turns } from "./turns.js";

const ROUNDS = 100;
const ALL_KEYS_EVERY_ROUNDS = 25;
/** Writes that are sent without waiting, again and again for so long. */
const PIPELINE = 10_000;
const PIPELINE_MS = 4_000;

interface RoundsOptions {
  readonly policy: Policy;
  readonly rounds: number;
  readonly seed: number;
  /** Acknowledged writes before a kill, at most. */
  readonly acknowledgedMax: number;
  readonly pauseMsMax: number;
}

/** @returns how long before a kill the oldest write was acknowledged that was lost, at worst */
async function killRounds(
  directory: string,
  { policy, rounds, seed, acknowledgedMax, pauseMsMax }: RoundsOptions,
): Promise<{ acknowledged: number; lossMs: number }> {
  const random = new Random(seed);
  const ledger = new Ledger();
  const daemon = new Daemon({ directory, flags: ["--fsync", policy, "--no-discovery"] });
  let lossMs = 0;
  await daemon.start();
  for (let round = 1; round <= rounds; round += 1) {
    const burst = await Burst.start(daemon, { ledger, random, pauseMsMax });
    await burst.acknowledged(random.wholeBetween(1, acknowledgedMax));
    await aLittle(random);
    const killedAtMs = await kill(daemon);
    await burst.ended();
    await daemon.start();
    const isFull = round % ALL_KEYS_EVERY_ROUNDS === 0 || round === rounds;
    const keys = isFull ? ledger.keys : ledger.touched;
    const where = `seed ${String(seed)}, round ${String(round)}`;
    const checked = await checkServed(daemon, { where, ledger, keys, policy, killedAtMs });
    lossMs = Math.max(lossMs, checked.lossMs);
  }
  assert.equal(await daemon.end(), 0, daemon.log);
  assert.doesNotMatch(daemon.log, /damaged/);
  return { acknowledged: ledger.acknowledged, lossMs };
}

isolated(
  `always: ${String(ROUNDS)} kills, and everything acknowledged is there`,
  async (directory, context) => {
    const { acknowledged, lossMs } = await killRounds(directory, {
      policy: "always",
      rounds: ROUNDS,
      seed: 1,
      acknowledgedMax: 4_000,
      pauseMsMax: 0,
    });
    assert.equal(lossMs, 0);
    context.diagnostic(`${String(acknowledged)} writes were acknowledged`);
  },
);

isolated(
  `everysec: ${String(ROUNDS)} kills, and what was acknowledged a second before is there`,
  async (directory, context) => {
    // Rounds last a second or two, so that there is much that has to be kept; nodes of their own pass the time together.
    const lanes = [11, 12, 13, 14];
    const outcomes = await Promise.all(
      lanes.map((seed) =>
        killRounds(path.join(directory, String(seed)), {
          policy: "everysec",
          rounds: ROUNDS / lanes.length,
          seed,
          acknowledgedMax: 6_000,
          pauseMsMax: 40,
        }),
      ),
    );
    const acknowledged = outcomes.reduce((sum, outcome) => sum + outcome.acknowledged, 0);
    const lossMs = Math.max(...outcomes.map((outcome) => outcome.lossMs));
    context.diagnostic(
      `${String(acknowledged)} writes were acknowledged; the oldest one lost ${lossMs.toFixed(0)} ms before its kill`,
    );
  },
);

isolated("everysec: a pipeline without end loses no more than what is young", async (directory, context) => {
  const daemon = new Daemon({ directory, flags: ["--no-discovery", "--fsync", "everysec"] });
  await daemon.start();
  turns.watch();
  const client = await daemon.connect();
  const acknowledgedAtMs: number[] = [];
  const endsAtMs = performance.now() + PIPELINE_MS;
  while (performance.now() < endsAtMs) {
    const first = acknowledgedAtMs.length;
    const commands = Array.from({ length: PIPELINE }, (_, at) => ["SET", `k${String(first + at)}`, "v"]);
    await client.stream(commands, () => acknowledgedAtMs.push(performance.now()));
  }
  const killedAtMs = await kill(daemon);
  await daemon.start();
  const again = await daemon.connect();
  const kept = Number(await again.call("DBSIZE"));
  const lossMs = killedAtMs - (acknowledgedAtMs[kept] ?? killedAtMs);
  const told = `${String(kept)} of ${String(acknowledgedAtMs.length)} kept; the oldest one lost ${lossMs.toFixed(0)} ms before the kill`;
  assert.ok(lossMs <= 2 * BEHIND_MS + 5 * turns.longestMs, told);
  context.diagnostic(told);
  await daemon.end();
});

isolated("the check finds what is lost: a node that keeps nothing", async (directory) => {
  const random = new Random(3);
  const ledger = new Ledger();
  const daemon = new Daemon({ directory, flags: ["--no-discovery"] });
  await daemon.start("--memory");
  const burst = await Burst.start(daemon, { ledger, random });
  await burst.acknowledged(1_000);
  const killedAtMs = await kill(daemon);
  await burst.ended();
  await daemon.start("--memory");
  await assert.rejects(
    checkServed(daemon, { where: "in memory", ledger, keys: ledger.touched, policy: "always", killedAtMs }),
    /are not what was acknowledged/,
  );
  await daemon.end();
});
