/** `lankv incr`. */
import { withDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { named, toDigits } from "./replies.js";

/** @param by what is added, as text */
export function incr(key: string, by: string, flags: GlobalFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) => {
    const value = toDigits(await client.call("INCRBY", key, by));
    // The digits as they came: as a number, JSON.stringify would have to round a large one.
    const name = JSON.stringify(named("key", Buffer.from(key))).slice(0, -1);
    process.stdout.write(flags.json === true ? `${name},"value":${value}}\n` : `${value}\n`);
    return EXIT.ok;
  });
}
