/** Three nodes see each other, and one of them is killed in the middle of writes. */
import assert from "node:assert/strict";
import { Random } from "../sim/random.js";
import { agree, sync } from "./agree.js";
import { Daemon } from "./daemon.js";
import { isolated } from "./isolated.js";
import { checkDisk, keysToRead, NAMES, policyOf, ROUNDS } from "./kill-lan.js";
import { aLittle, Burst, checkServed, kill, type Policy } from "./kill-round.js";
import { Ledger } from "./ledger.js";

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
    const keys = keysToRead(ledger, round);
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
