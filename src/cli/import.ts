/**
 * `lankv import`: writes what `lankv export` printed, or anything in that form.
 *
 * Each line is a new write of the node, with a version of its own, so it wins over what is there, also over a delete. With
 * --update a line is left out when the key was written or deleted here later than the line's version says. To write a record
 * under its old version would be wrong: a line may have been edited, and of one version there must be one record.
 */
import { createReadStream, fstatSync, statSync } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";
import { LankvError } from "../core/error.js";
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, Failure, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { ImportPlace } from "./import-place.js";
import { ImportRun } from "./import-run.js";
import { interruptible } from "./interrupt.js";
import { START } from "./lines.js";
import { Progress } from "./progress.js";
import { toBuffers, toObject } from "./replies.js";

export interface ImportFlags extends GlobalFlags {
  readonly update?: true;
  readonly skipBad?: true;
  readonly resume?: true;
}

/** How long the daemon may be silent when --timeout does not say it: a slow disk takes its time. */
const DISK_MS = 30_000;

/** @param file where from; `-` is standard input */
export function importKeys(file: string, flags: ImportFlags): Promise<ExitCode> {
  return interruptible((begin) =>
    withDaemon(flags, async (client) => {
      client.allow(flags.timeout ?? DISK_MS);
      const size = sizeOf(file);
      const kept = file === "-" || size === undefined ? undefined : await placeOf(file, client);
      if (kept === undefined && flags.resume === true) {
        throw new Failure(
          EXIT.usage,
          "--resume needs a file that is there; what comes from a pipe is imported from its start.",
        );
      }
      const from = flags.resume === true && kept !== undefined ? await kept.read() : START;
      if (from.line > 0) say(`going on behind line ${String(from.line)}`, flags);
      const progress = new Progress("imported", undefined, flags);
      const run = new ImportRun(client, { flags, progress, kept, size, from, nowMs: await clockOf(client) });
      const signal = begin();
      const input = file === "-" ? process.stdin : createReadStream(file, { start: from.bytes });
      try {
        await run.read(addAbortSignal(signal, input));
      } catch (error) {
        if (!signal.aborted) throw toFailure(error, input, file);
      } finally {
        input.destroy();
        progress.end();
        if (run.isWhole) await kept?.remove();
        else await leave(file, run, signal, flags);
      }
      if (!run.isWhole) return EXIT.interrupted;
      tell(run, flags);
      return run.counts.bad > 0 ? EXIT.error : EXIT.ok;
    }),
  );
}

/** Bytes of a regular file, also one that standard input is; undefined for anything else, and for a file that is missing. */
function sizeOf(file: string): number | undefined {
  const found = file === "-" ? fstatSync(0) : statSync(file, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.size : undefined;
}

async function placeOf(file: string, client: Client): Promise<ImportPlace> {
  const { nodeId } = toObject(await client.call("LANKV.STATUS"));
  return new ImportPlace(file, String(nodeId));
}

/** The clock that keys expire by, Unix milliseconds. */
async function clockOf(client: Client): Promise<() => number> {
  const [seconds, microseconds] = toBuffers(await client.call("TIME"));
  const offsetMs = Number(seconds) * 1_000 + Number(microseconds) / 1_000 - performance.now();
  return () => performance.now() + offsetMs;
}

function toFailure(cause: unknown, { errored }: Readable, file: string): unknown {
  if (cause !== errored || !(cause instanceof Error)) return cause;
  return new Failure(EXIT.error, `The file ${file} cannot be read: ${cause.message}`, { cause });
}

/** Keeps the place of an import that is not whole, and says how to go on. */
async function leave(
  file: string,
  run: ImportRun,
  { aborted }: AbortSignal,
  flags: ImportFlags,
): Promise<void> {
  try {
    await run.keep();
  } catch (error) {
    // When the daemon is gone or its disk is full, the place that was kept last is the one that is sure.
    if (!(error instanceof LankvError)) throw error;
  }
  const { place, keptPlace } = run;
  if (place.line === 0) return;
  const [line, how] =
    keptPlace.line > 0
      ? [keptPlace.line, `go on with 'lankv import ${file} --resume'`]
      : [place.line, "import again from the start, which writes them once more"];
  say(`${aborted ? "interrupted: " : ""}${String(line)} lines are done with; ${how}`, flags);
}

/** What was left out. */
function tell({ counts }: ImportRun, flags: ImportFlags): void {
  const { imported, newer, expired, bad } = counts;
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ imported, newer, expired, bad })}\n`);
  const left = [
    [newer, "are newer here"],
    [expired, "had expired"],
    [bad, "could not be imported"],
  ] as const;
  const parts = left.filter(([count]) => count > 0).map(([count, why]) => `${String(count)} ${why}`);
  if (parts.length > 0) say(`${String(imported)} keys were imported, ${parts.join(", ")}`, flags);
}

function say(text: string, { quiet }: ImportFlags): void {
  if (quiet !== true) process.stderr.write(`lankv: ${text}\n`);
}
