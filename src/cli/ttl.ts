/** `lankv ttl`, `lankv expire`. */
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { named, toBufferOrNull, toNumber, toObject } from "./replies.js";

/** What PTTL says of a key without a limit. */
const NO_LIMIT = -1;

/** @param life milliseconds that the key is given, or `none` to keep it; undefined = it is only asked for */
export function ttl(key: string, life: number | "none" | undefined, flags: GlobalFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) => {
    const isThere = life === undefined || (await changed(client, key, life));
    if (isThere && life !== undefined && flags.json !== true) return EXIT.ok;
    const [left, found] = await Promise.all([
      client.call("PTTL", key).then(toNumber),
      client.call("LANKV.META", key).then(toBufferOrNull),
    ]);
    if (!isThere || left < NO_LIMIT || found === null) {
      if (flags.quiet !== true) process.stderr.write(`lankv: there is no key ${JSON.stringify(key)}\n`);
      return EXIT.keyMissing;
    }
    const { expiresAt } = toObject(found);
    if (flags.json === true) {
      const shown = { ...named("key", Buffer.from(key)), ttlMs: left === NO_LIMIT ? null : left, expiresAt };
      process.stdout.write(`${JSON.stringify(shown)}\n`);
    } else {
      process.stdout.write(`${left === NO_LIMIT ? "none" : toDuration(left)}\n`);
    }
    return EXIT.ok;
  });
}

/** @returns whether the key is there */
async function changed(client: Client, key: string, life: number | "none"): Promise<boolean> {
  if (life !== "none") return toNumber(await client.call("PEXPIRE", key, life)) === 1;
  // Of a key without a limit PERSIST says the same as of a missing one.
  return (
    toNumber(await client.call("PERSIST", key)) === 1 || toNumber(await client.call("EXISTS", key)) === 1
  );
}

/** For people: two units at the most, and never more than is left. */
function toDuration(ms: number): string {
  if (ms < 1_000) return `${String(ms)}ms`;
  if (ms < 60_000) return `${String(Math.floor(ms / 100) / 10)}s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return `${String(Math.floor(seconds / 60))}m ${String(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${String(Math.floor(minutes / 60))}h ${String(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${String(Math.floor(hours / 24))}d ${String(hours % 24)}h`;
}
