/** The files of a stopped node are damaged in many places; it starts on them, and the LAN makes it whole again. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Random } from "../sim/random.js";
import { agree } from "./agree.js";
import { Daemon } from "./daemon.js";
import { isolated } from "./isolated.js";
import { Burst, checkServed } from "./kill-round.js";
import { Ledger } from "./ledger.js";

const ROUNDS = 40;

/** Damages one file of records. @returns what was done, in words */
function damage(dataDir: string, random: Random): string {
  const log = path.join(dataDir, "log");
  const file = path.join(
    log,
    random.pick(
      readdirSync(log)
        .filter((name) => name.endsWith(".log"))
        .sort(),
    ) ?? "",
  );
  const bytes = readFileSync(file);
  const at = random.below(bytes.length);
  const kind = random.pick(["flip", "flips", "cut", "zeros", "noise", "repeat"] as const) ?? "flip";
  let changed = bytes;
  if (kind === "flip" || kind === "flips") {
    for (let times = kind === "flip" ? 1 : random.wholeBetween(2, 50); times > 0; times -= 1) {
      const place = random.below(bytes.length);
      bytes[place] = (bytes[place] ?? 0) ^ (1 << random.below(8));
    }
  } else if (kind === "cut") changed = bytes.subarray(0, at);
  else if (kind === "zeros") bytes.fill(0, at, at + 4_096);
  else if (kind === "noise") random.bytes(Math.min(512, bytes.length - at)).copy(bytes, at);
  else bytes.copyWithin(at, random.below(bytes.length), bytes.length);
  writeFileSync(file, changed);
  return `${kind} at ${String(at)} of ${String(bytes.length)} in ${path.basename(file)}`;
}

isolated(`${String(ROUNDS)} times damaged, and whole again`, async (directory, context) => {
  const random = new Random(61);
  const ledgers = [new Ledger(), new Ledger()] as const;
  const node = new Daemon({ directory, name: "node", flags: ["--fsync", "always"] });
  const peer = new Daemon({ directory, name: "peer", flags: ["--fsync", "always"] });
  await Promise.all([node.start(), peer.start()]);
  let noticed = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const bursts = await Promise.all([
      Burst.start(node, { ledger: ledgers[0], random }),
      Burst.start(peer, { ledger: ledgers[1], random }),
    ]);
    await Promise.all(bursts.map((burst) => burst.acknowledged(round === 1 ? 4_000 : 200)));
    for (const burst of bursts) burst.stop();
    await Promise.all(bursts.map((burst) => burst.ended()));
    await agree(node, peer);
    assert.equal(await node.end(), 0, node.log);

    const done = damage(node.dataDir, random);
    const said = node.log.length;
    await node.start();
    await agree(node, peer);
    const news = node.log.slice(said);
    for (const [at, ledger] of ledgers.entries()) {
      const reader = (round + at) % 2 === 0 ? node : peer;
      const where = `round ${String(round)}, ${done}, at ${reader.name}`;
      await checkServed(reader, { where, ledger, keys: ledger.keys, policy: "always", killedAtMs: 0 });
    }
    if (!news.includes("damaged")) continue;
    noticed += 1;
    const aside = readdirSync(path.join(node.dataDir, "log")).filter((name) => name.includes(".damaged-"));
    assert(
      aside.some((name) => news.includes(name)),
      `the log names the file that was set aside: ${news}`,
    );
  }
  for (const daemon of [node, peer]) assert.equal(await daemon.end(), 0, daemon.log);
  const said = node.log.length;
  await node.start();
  await agree(node);
  assert.equal(await node.end(), 0, node.log);
  assert.doesNotMatch(node.log.slice(said), /damaged/, "what was repaired is whole");
  assert(noticed > ROUNDS / 2, `damage was noticed in ${String(noticed)} rounds only`);
  context.diagnostic(`damage was noticed in ${String(noticed)} of ${String(ROUNDS)} rounds`);
});
