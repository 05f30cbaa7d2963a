/** `lankv incr`. */
import { withDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { named, toNumber } from "./replies.js";

/** @param by what is added, as text */
export function incr(key: string, by: string, flags: GlobalFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) => {
    const value = toNumber(await client.call("INCRBY", key, by));
    const shown = flags.json === true ? JSON.stringify({ ...named("key", Buffer.from(key)), value }) : value;
    process.stdout.write(`${String(shown)}\n`);
    return EXIT.ok;
  });
}
