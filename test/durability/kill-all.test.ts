/** Three nodes see each other, and all of them are killed at once in the middle of writes. */
import assert from "node:assert/strict";
import type { Command, RespClient } from "../lan/resp-client.js";
import { Random } from "../sim/random.js";
import { agree, sync } from "./agree.js";
import { Daemon } from "./daemon.js";
import { isolated } from "./isolated.js";
import { checkDisk, keysToRead, NAMES, policyOf, ROUNDS } from "./kill-lan.js";
import { aLittle, Burst, checkServed, kill, type Policy } from "./kill-round.js";
import { Ledger } from "./ledger.js";

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
      const keys = keysToRead(ledger, round);
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
