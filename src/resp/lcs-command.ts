/** LCS: the longest subsequence that two values have in common, by the usual table of lengths. */
import type { Bytes } from "../core/bytes.js";
import { syntaxError, toInteger } from "./arguments.js";
import { CommandError, type Command, type Handler } from "./command.js";
import { MapReply, type Reply } from "./reply.js";

/** Cells of the table, 4 bytes each: a tenth of a second at most, in which nobody else is served. */
const CELLS_MAX = 4_194_304;

interface Demand {
  readonly isLength: boolean;
  readonly isIndexes: boolean;
  readonly isWithLengths: boolean;
  /** Shorter matches are left out. */
  readonly matchMin: number;
}

/** The same run of bytes in both values, by the offsets of its first and last byte. */
interface Match {
  readonly a: readonly [first: number, last: number];
  readonly b: readonly [first: number, last: number];
}

const lcs: Handler = (args, { keyspace }) => {
  const a = keyspace.value(args[0] ?? "") ?? "";
  const b = keyspace.value(args[1] ?? "") ?? "";
  const demand = readDemand(args);
  if ((a.length + 1) * (b.length + 1) > CELLS_MAX) {
    throw new CommandError(
      `ERR the table for LCS would have more than ${String(CELLS_MAX)} cells, one for each pair of bytes`,
    );
  }
  const lengths = lengthsOf(a, b);
  const length = lengths.at(-1) ?? 0;
  if (demand.isIndexes) {
    const matches = matchesOf(a, b, lengths).filter((match) => lengthOf(match) >= demand.matchMin);
    return new MapReply(["matches", matches.map((match) => toReply(match, demand)), "len", length]);
  }
  if (demand.isLength) return length;
  const runs = matchesOf(a, b, lengths).map(({ a: [first, last] }) => a.slice(first, last + 1));
  return runs.reverse().join("");
};

export const lcsCommand: Command = {
  name: "lcs",
  arity: -3,
  flags: ["readonly"],
  keys: { first: 1, last: 2, step: 1 },
  summary: "The longest common subsequence of two values",
  syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN len] [WITHMATCHLEN]",
  group: "string",
  guarantee: "reads",
  since: "7.0.0",
  complexity: "O(N*M) where N and M are the lengths of the values",
  note: `The lengths of the two values, multiplied, may be ${String(CELLS_MAX)} at most.`,
  handler: lcs,
};

function readDemand(args: readonly Bytes[]): Demand {
  const names = new Set<string>();
  let matchMin = 0;
  for (let at = 2; at < args.length; at += 1) {
    const name = (args[at] ?? "").toUpperCase();
    if (name === "MINMATCHLEN" && at + 1 < args.length) {
      at += 1;
      matchMin = toInteger(args[at]);
    } else if (["LEN", "IDX", "WITHMATCHLEN"].includes(name)) {
      names.add(name);
    } else {
      throw syntaxError();
    }
  }
  if (names.has("LEN") && names.has("IDX")) {
    throw new CommandError("ERR If you want both the length and indexes, please just use IDX.");
  }
  return {
    isLength: names.has("LEN"),
    isIndexes: names.has("IDX"),
    isWithLengths: names.has("WITHMATCHLEN"),
    matchMin,
  };
}

/** Row by row: how long the longest common subsequence of each two beginnings is. */
function lengthsOf(a: Bytes, b: Bytes): Uint32Array {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const at = i * width + j;
      lengths[at] =
        a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
          ? (lengths[at - width - 1] ?? 0) + 1
          : Math.max(lengths[at - width] ?? 0, lengths[at - 1] ?? 0);
    }
  }
  return lengths;
}

/** The runs that make up the subsequence, last one first. */
function matchesOf(a: Bytes, b: Bytes, lengths: Uint32Array): Match[] {
  const width = b.length + 1;
  const matches: Match[] = [];
  let run: Match | undefined;
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (a.charCodeAt(i - 1) === b.charCodeAt(j - 1)) {
      i -= 1;
      j -= 1;
      run = { a: [i, run?.a[1] ?? i], b: [j, run?.b[1] ?? j] };
    } else {
      if (run !== undefined) matches.push(run);
      run = undefined;
      if ((lengths[(i - 1) * width + j] ?? 0) > (lengths[i * width + j - 1] ?? 0)) i -= 1;
      else j -= 1;
    }
  }
  if (run !== undefined) matches.push(run);
  return matches;
}

function lengthOf({ a: [first, last] }: Match): number {
  return last - first + 1;
}

function toReply(match: Match, { isWithLengths }: Demand): Reply {
  return [match.a, match.b, ...(isWithLengths ? [lengthOf(match)] : [])];
}
