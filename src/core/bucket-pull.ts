/**
 * A plan to pull some buckets from some peers: which are still to be asked for, and the questions that ask
 * for them.
 *
 * A question names a run of buckets and the hash of every version held there, so that only what is lacking
 * comes. An answer that used up its budget says where to go on; whatever came is then held, so the same bucket can simply
 * be asked again.
 */
import { versionHashHigh, versionHashLow } from "./hash.js";
import type { Span } from "./message.js";
import type { RecordMap } from "./record-map.js";

/** A run of buckets, both ends included. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/** How many hashes one question carries at the most, unless one bucket alone holds more: 32 KiB of them. */
const HELD_MAX = 4_096;
/** The most hashes of one bucket that are named; the rest is sent again in vain. */
const HELD_OF_BUCKET_MAX = 65_536;
const SPANS_MAX = 1_024;

export class BucketPull {
  #pending: BucketRange[];
  #asked = 0;

  constructor(ranges: readonly BucketRange[]) {
    this.#pending = join(ranges);
  }

  /** Whether everything was asked for and answered. */
  get isDone(): boolean {
    return this.#pending.length === 0 && this.#asked === 0;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /**
   * Takes the next run of buckets to ask for.
   * @param bucketsMax how many buckets the question may name
   */
  take(map: RecordMap, bucketsMax: number): readonly Span[] {
    const spans: Span[] = [];
    let buckets = 0;
    let held = 0;
    while (spans.length < SPANS_MAX && buckets < bucketsMax && held < HELD_MAX) {
      const range = this.#pending.shift();
      if (range === undefined) break;
      const span = spanOf(map, range, bucketsMax - buckets, HELD_MAX - held);
      spans.push(span);
      buckets += span.to - span.from + 1;
      held += span.held.length / 2;
      if (span.to < range.to) this.#pending.unshift({ from: span.to + 1, to: range.to });
    }
    this.#asked += 1;
    return spans;
  }

  /** The question was answered, up to but not including bucket `next`; undefined = to its end. */
  handleAnswered(spans: readonly Span[], next: number | undefined): void {
    this.#asked -= 1;
    if (next !== undefined) this.#putBack(spans, next);
  }

  /** The question was lost. */
  handleLost(spans: readonly Span[]): void {
    this.#asked -= 1;
    this.#putBack(spans, 0);
  }

  #putBack(spans: readonly Span[], next: number): void {
    const rest = spans
      .filter((span) => span.to >= next)
      .map(({ from, to }) => ({ from: Math.max(from, next), to }));
    this.#pending = join([...rest, ...this.#pending]);
  }
}

/** The same buckets in ascending runs that do not touch. */
function join(ranges: readonly BucketRange[]): BucketRange[] {
  const joined: BucketRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || range.from > last.to + 1) joined.push(range);
    else joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return joined;
}

function spanOf(map: RecordMap, range: BucketRange, bucketsMax: number, heldMax: number): Span {
  const hashes: number[] = [];
  let to = range.from;
  for (let bucket = range.from; bucket <= range.to && bucket < range.from + bucketsMax; bucket += 1) {
    const records = map.bucket(bucket);
    if (bucket > range.from && hashes.length / 2 + records.size > heldMax) break;
    for (const record of records.values()) {
      if (hashes.length >= 2 * HELD_OF_BUCKET_MAX) break;
      hashes.push(versionHashHigh(record), versionHashLow(record));
    }
    to = bucket;
  }
  return { from: range.from, to, held: Uint32Array.from(hashes) };
}
