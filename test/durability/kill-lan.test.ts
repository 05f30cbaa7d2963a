/** Three nodes see each other; one of them is killed in the middle of writes, or all three at once. */
import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import path from "node:path";
import type { Command, RespClient } from "../lan/resp-client.js";
import { Random } from "../sim/random.js";
import { agree, sync } from "./agree.js";
import { Daemon } from "./daemon.js";
import { isolated } from "./isolated.js";
import { aLittle, Burst, check, checkServed, kill, type Policy } from "./kill-round.js";
import { Ledger } from "./ledger.js";
import { findOnDisk } from "./on-disk.js";

const ROUNDS = 50;
const ALL_KEYS_EVERY_ROUNDS = 25;
const NAMES = ["n1", "n2", "n3"] as const;
const ABSENT = { value: undefined, ttlMs: -2 };

/** Half of the rounds with each policy, on the same directories. */
function policyOf(round: number): Policy {
  return round % 2 === 0 ? "everysec" : "always";
}

interface Expected {
  readonly where: string;
  readonly ledger: Ledger;
  readonly policy: Policy;
  readonly killedAtMs: number;
}

/**
 * What a killed node has on its own disk, without the help of any other.
 * @returns how long before the kill the oldest write was acknowledged that is missing there
 */
async function checkDisk(daemon: Daemon, ...expected: readonly Expected[]): Promise<number> {
  const copy = `${daemon.dataDir}.copy`;
  // The lock is a socket, which is not copied.
  cpSync(daemon.dataDir, copy, { recursive: true, filter: (from) => path.basename(from) !== "lock" });
  const { found, damages } = await findOnDisk(copy);
  rmSync(copy, { recursive: true });
  assert.deepEqual(damages, [], `nothing is damaged on the disk of ${daemon.name}`);
  const losses = expected.map(({ where, ledger, policy, killedAtMs }) => {
    const keys = ledger.touched;
    return check({
      where: `${where}, on the disk of ${daemon.name}`,
      ledger,
      keys,
      found: keys.map((key) => found.get(key) ?? ABSENT),
      policy,
      killedAtMs,
    }).lossMs;
  });
  return Math.max(...losses);
}

/** Writes that two peers have confirmed: these are on their disks, too, when all are strict. */
class Replicated {
  readonly ledger = new Ledger();
  readonly #random: Random;
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Writes until the connection ends. */
  async run(client: RespClient): Promise<void> {
    while (!client.isClosed) {
      const writes = Array.from({ length: this.#random.wholeBetween(1, 8) }, () => {
        this.#count += 1;
        const key = `replicated:${String(this.#count % 50)}`;
        const value = `${key}=${String(this.#count)}`;
        return { key, value, write: this.ledger.write(key, value) };
      });
      const commands = [...writes.map(({ key, value }): Command => ["SET", key, value]), ["WAIT", "2", "0"]];
      try {
        const replies = await client.pipeline(commands);
        if (replies.at(-1) !== 2) continue;
        for (const [at, { write }] of writes.entries())
          if (String(replies[at]) === "OK") this.ledger.acknowledgeWrite(write);
      } catch {
        // The node was killed.
        return;
      }
    }
  }
}

isolated(`${String(ROUNDS)} kills of one node of three`, async (directory, context) => {
  const random = new Random(51);
  const ledger = new Ledger();
  const daemons = NAMES.map((name) => new Daemon({ directory, name }));
  const [writer, ...others] = daemons;
  assert(writer !== undefined);
  await Promise.all(daemons.map((daemon) => daemon.start("--fsync", "always")));
  await agree(...daemons);
  let lossMs = 0;
  let policy: Policy = "always";
  for (let round = 1; round <= ROUNDS; round += 1) {
    const where = `round ${String(round)}`;
    const burst = await Burst.start(writer, { ledger, random, pauseMsMax: 5 });
    await burst.acknowledged(random.wholeBetween(1, 3_000));
    await aLittle(random);
    const killedAtMs = await kill(writer);
    await burst.ended();
    const expected = { where, ledger, policy, killedAtMs };
    lossMs = Math.max(lossMs, await checkDisk(writer, expected));

    policy = policyOf(round);
    await writer.start("--fsync", policy);
    await agree(...daemons);
    const keys = round % ALL_KEYS_EVERY_ROUNDS === 0 ? ledger.keys : ledger.touched;
    const reader = random.pick(daemons) ?? writer;
    await checkServed(reader, { ...expected, where: `${where}, at ${reader.name}`, keys });
    // What it had lost came from the others: from here on it counts as its own.
    await sync(writer);
  }
  for (const daemon of [writer, ...others]) assert.equal(await daemon.end(), 0, daemon.log);
  context.diagnostic(
    `of what was acknowledged, the oldest one missing on disk ${lossMs.toFixed(0)} ms before its kill`,
  );
});

isolated(`${String(ROUNDS)} kills of all three nodes at once`, async (directory, context) => {
  const random = new Random(52);
  const daemons = NAMES.map((name) => new Daemon({ directory, name }));
  const ledgers = new Map(daemons.map((daemon) => [daemon, new Ledger()]));
  const replicated = new Replicated(random);
  const [first] = daemons;
  assert(first !== undefined);
  let lossMs = 0;
  let policy: Policy = "always";
  await Promise.all(daemons.map((daemon) => daemon.start("--fsync", policy)));
  await agree(...daemons);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const where = `round ${String(round)}`;
    const replication = replicated.run(await first.connect());
    const bursts = await Promise.all(
      [...ledgers].map(async ([daemon, ledger]) => Burst.start(daemon, { ledger, random, pauseMsMax: 20 })),
    );
    await random.pick(bursts)?.acknowledged(random.wholeBetween(1, 1_500));
    await aLittle(random);
    const killedAtMs = await kill(...daemons);
    await Promise.all(bursts.map((burst) => burst.ended()));
    await replication;

    const confirmed = { where: `${where}, confirmed by two`, ledger: replicated.ledger, policy, killedAtMs };
    for (const [daemon, ledger] of ledgers) {
      const own = { where, ledger, policy, killedAtMs };
      const losses = await checkDisk(daemon, own, ...(policy === "always" ? [confirmed] : []));
      lossMs = Math.max(lossMs, losses);
    }

    const nextPolicy = policyOf(round);
    await Promise.all(daemons.map((daemon) => daemon.start("--fsync", nextPolicy)));
    await agree(...daemons);
    for (const ledger of [...ledgers.values(), replicated.ledger]) {
      const reader = random.pick(daemons) ?? first;
      const keys = round % ALL_KEYS_EVERY_ROUNDS === 0 ? ledger.keys : ledger.touched;
      await checkServed(reader, { where: `${where}, at ${reader.name}`, ledger, keys, policy, killedAtMs });
    }
    await sync(...daemons);
    policy = nextPolicy;
  }
  for (const daemon of daemons) assert.equal(await daemon.end(), 0, daemon.log);
  context.diagnostic(
    `of what was acknowledged, the oldest one missing on disk ${lossMs.toFixed(0)} ms before its kill`,
  );
});
