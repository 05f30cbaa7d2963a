/** `lankv backup`: a consistent copy of what a running node has on disk, which `lankv serve --data-dir` can start from. */
import { isAbsolute, resolve } from "node:path";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { isObject, toObject } from "./replies.js";

/** How long the copying may take when --timeout does not say it. */
const COPY_MS = 3_600_000;

/** @param directory missing or empty; on the daemon's machine */
export function backup(directory: string, flags: GlobalFlags): Promise<ExitCode> {
  if (flags.url !== undefined && !isAbsolute(directory)) {
    throw new Failure(
      EXIT.usage,
      "With --url the directory is on the daemon's machine: name it by its absolute path.",
    );
  }
  const target = resolve(directory);
  return withDaemon(flags, async (client) => {
    const { keys, storage } = toObject(await client.call("LANKV.STATUS"));
    const bytes = isObject(storage) ? Number(storage["bytes"]) : 0;
    const size = toSize(bytes);
    const isShown = flags.quiet !== true && flags.json !== true;
    if (isShown && process.stderr.isTTY) process.stderr.write(`copying ${size} to ${target}\n`);
    client.allow(flags.timeout ?? COPY_MS);
    const from = performance.now();
    await client.call("LANKV.BACKUP", target);
    const ms = Math.round(performance.now() - from);
    if (flags.json === true) {
      process.stdout.write(`${JSON.stringify({ directory: target, keys, bytes, ms })}\n`);
    } else if (isShown) {
      const seconds = (ms / 1_000).toFixed(1);
      process.stderr.write(
        `lankv: backed up ${Number(keys).toLocaleString("en")} keys, ${size}, to ${target} in ${seconds} s\n`,
      );
    }
    return EXIT.ok;
  });
}

/** Of little the bytes, for they would be no megabytes. */
function toSize(bytes: number): string {
  if (bytes < 100_000) return `${bytes.toLocaleString("en")} bytes`;
  return `${(bytes / 1e6).toLocaleString("en", { maximumFractionDigits: 1 })} MB`;
}
