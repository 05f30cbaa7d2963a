/** `lankv ls`. */
import { toJson } from "../resp/json.js";
import { askEach } from "./ask-each.js";
import type { Client } from "./client.js";
import { withDaemon } from "./connect.js";
import { EXIT, type ExitCode } from "./exit.js";
import type { GlobalFlags } from "./flags.js";
import { toPrintableLine } from "./printable.js";
import { named, toBuffers, toObject } from "./replies.js";
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
      process.stdout.write(`${toJson(shown)}\n`);
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
  const entries: Entry[] = [];
  for await (const replies of askEach(client, "LANKV.META", keys)) entries.push(...replies.map(toObject));
  return entries;
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
