/** `lankv ls`. */
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toPrintableLine } from "./printable.js";
import { isObject, named, toBufferOrNull, toBuffers } from "./replies.js";
import { toTable } from "./terminal.js";

export interface LsFlags extends GlobalFlags {
  readonly long?: true;
  /** Commander's name for -0. */
  readonly null?: true;
  readonly limit?: number;
}

type Entry = Readonly<Record<string, unknown>>;

export function ls(prefix: string, flags: LsFlags): Promise<ExitCode> {
  return withDaemon(flags, async (client) => {
    const limit = flags.limit === undefined ? [] : [flags.limit];
    const keys = toBuffers(await client.call("LANKV.LS", prefix, ...limit));
    if (flags.json === true) {
      const shown =
        flags.long === true ? await entriesOf(client, keys) : keys.map((key) => named("key", key));
      process.stdout.write(`${JSON.stringify(shown)}\n`);
    } else if (flags.long === true) {
      process.stdout.write(await toLongList(await entriesOf(client, keys)));
    } else {
      const end = flags.null === true ? "\0" : "\n";
      const isShown = process.stdout.isTTY && flags.null !== true;
      const toLine = (key: Buffer): Buffer => (isShown ? Buffer.from(toPrintableLine(key)) : key);
      process.stdout.write(Buffer.concat(keys.flatMap((key) => [toLine(key), Buffer.from(end)])));
    }
    return EXIT.ok;
  });
}

/** What is known of the keys besides their values. */
async function entriesOf(client: Client, keys: readonly Buffer[]): Promise<Entry[]> {
  const replies = await Promise.all(keys.map((key) => client.call("LANKV.ENTRY", key)));
  return replies.flatMap((reply) => {
    const parsed: unknown = JSON.parse(toBufferOrNull(reply)?.toString() ?? "null");
    if (!isObject(parsed)) return [];
    const { value, valueBase64, ...entry } = parsed;
    const bytes =
      typeof value === "string"
        ? Buffer.byteLength(value)
        : Buffer.from(String(valueBase64), "base64").length;
    return [{ ...entry, bytes }];
  });
}

function toLongList(entries: readonly Entry[]): Promise<string> {
  const time = (ms: unknown): string => (typeof ms === "number" ? new Date(ms).toISOString() : "never");
  const rows = entries.map((entry) => [
    String(entry["bytes"]),
    time(entry["updatedAt"]),
    time(entry["expiresAt"]),
    String(entry["origin"]),
    typeof entry["key"] === "string"
      ? toPrintableLine(Buffer.from(entry["key"]))
      : toPrintableLine(Buffer.from(String(entry["keyBase64"]), "base64")),
  ]);
  return toTable(["BYTES", "UPDATED", "EXPIRES", "ORIGIN", "KEY"], rows).then((table) => `${table}\n`);
}
