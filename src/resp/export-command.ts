/**
 * The walk of `lankv export`: all entries, page by page, in an order that every node has and that needs no list of all keys.
 *
 * That is the order of the buckets, and within a bucket that of the keys' bytes. A page begins behind a key, which need not be
 * there any more, so a walk can go on after any pause, on a daemon that was started anew or on another node.
 */
import { setImmediate } from "node:timers/promises";
import type { Bytes } from "../core/bytes.js";
import { bucketOf, BUCKETS } from "../core/hash.js";
import type { Command } from "./command.js";
import { recordToEntry } from "./entry.js";
import { toJson } from "./json.js";
import type { Keyspace } from "./keyspace.js";
import { textToBytes } from "./reply.js";
import { Turn } from "./turn.js";

/** A page has no more entries: a few milliseconds of work. */
const PAGE_ENTRIES_MAX = 1_024;
/** Nor any more after the entry whose key and value make it so long. */
const PAGE_BYTES_MAX = 262_144;

export const exportCommand: Command = {
  name: "lankv.export",
  arity: -1,
  flags: ["readonly"],
  summary:
    "Some entries as LANKV.ENTRY gives them, those behind a key in the order of hashes; none = that was all",
  syntax: "[after]",
  group: "lankv",
  guarantee: "reads",
  complexity: "O(1) for every call, O(N) for a whole walk over N keys",
  note: "In the order of the keys' buckets and, within a bucket, of their bytes. The next call names the last key; it may be gone by then. Other clients are served in between, except inside a transaction.",
  handler: (args, { keyspace, isInTransaction }) => {
    const walk = pageAfter(args[0] ?? "", keyspace);
    return isInTransaction ? atOnce(walk) : inTurns(walk);
  },
};

/** Stops after each bucket: where much is deleted or has expired, a page may take a walk over all of them. */
function* pageAfter(after: Bytes, keyspace: Keyspace): Generator<undefined, Bytes[]> {
  const page: Bytes[] = [];
  let bytes = 0;
  const first = after === "" ? 0 : bucketOf(after);
  for (let bucket = first; bucket < BUCKETS; bucket += 1) {
    const records = [...keyspace.bucket(bucket)]
      .filter(({ key }) => bucket > first || key > after)
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const record of records) {
      if (page.length === PAGE_ENTRIES_MAX || bytes >= PAGE_BYTES_MAX) return page;
      page.push(textToBytes(toJson(recordToEntry(record))));
      bytes += record.key.length + record.value.length;
    }
    yield undefined;
  }
  return page;
}

function atOnce(walk: Generator<undefined, Bytes[]>): Bytes[] {
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
  }
}

async function inTurns(walk: Generator<undefined, Bytes[]>): Promise<Bytes[]> {
  const turn = new Turn();
  turn.begin();
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
    if (!turn.count()) continue;
    await setImmediate();
    turn.begin();
  }
}
