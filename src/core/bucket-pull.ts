/**
 * A plan to pull some buckets from some peers: which are still to be asked for, and the questions that ask
 * for them.
 *
 * A question names runs of buckets and what is held there, so that only what is lacking
 * comes. An answer that used up its budget says where to go on; whatever came is then held, so the same bucket can simply
 * be asked again.
 */
import { HELD_WORDS, pushHeld } from "./held.js";
import type { Span } from "./message.js";
import type { RecordMap } from "./record-map.js";

/** A run of buckets, both ends included. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/** With so many records held, 64 KiB of words, a question is full; the bucket that fills it is named whole. */
const HELD_MAX = 4_096;
/** The most records of one bucket that are named; the rest is sent again in vain. */
const HELD_OF_BUCKET_MAX = 65_536;
const SPANS_MAX = 1_024;

export class BucketPull {
  #pending: BucketRange[];
  /** The spans of each question under way: those of an earlier plan, whose answers may still come, are not among them. */
  readonly #asked = new Set<readonly Span[]>();

  constructor(ranges: readonly BucketRange[]) {
    this.#pending = join(ranges);
  }

  /** Whether everything was asked for and answered. */
  get isDone(): boolean {
    return this.#pending.length === 0 && this.#asked.size === 0;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /**
   * Takes the next run of buckets to ask for.
   * @param bucketsMax how many buckets the question may name
   * @param id of the question
   */
  take(map: RecordMap, bucketsMax: number, id: number): readonly Span[] {
    const spans: Span[] = [];
    let buckets = 0;
    let held = 0;
    while (spans.length < SPANS_MAX && buckets < bucketsMax && held < HELD_MAX) {
      const range = this.#pending.shift();
      if (range === undefined) break;
      const span = spanOf(map, range, { bucketsMax: bucketsMax - buckets, heldMax: HELD_MAX - held, id });
      spans.push(span);
      buckets += span.to - span.from + 1;
      held += span.held.length / HELD_WORDS;
      if (span.to < range.to) this.#pending.unshift({ ...range, from: span.to + 1 });
    }
    this.#asked.add(spans);
    return spans;
  }

  /** The question was answered, up to but not including bucket `next`; undefined = to its end. */
  handleAnswered(spans: readonly Span[], next: number | undefined): void {
    if (this.#asked.delete(spans) && next !== undefined) this.#putBack(spans, next);
  }

  /** The question was lost. */
  handleLost(spans: readonly Span[]): void {
    if (this.#asked.delete(spans)) this.#putBack(spans, 0);
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
    else joined[joined.length - 1] = { ...last, to: Math.max(last.to, range.to) };
  }
  return joined;
}

function spanOf(
  map: RecordMap,
  range: BucketRange,
  { bucketsMax, heldMax, id }: { bucketsMax: number; heldMax: number; id: number },
): Span {
  const words: number[] = [];
  const end = Math.min(range.to, range.from + bucketsMax - 1);
  let to = range.from;
  for (let bucket = range.from; bucket <= end && words.length < HELD_WORDS * heldMax; bucket += 1) {
    const most = words.length + HELD_WORDS * HELD_OF_BUCKET_MAX;
    to = bucket;
    for (const number of map.numbersIn(bucket)) {
      const head = map.headAt(number);
      if (head !== undefined && words.length < most) pushHeld(words, head, id);
    }
  }
  return { from: range.from, to, held: Uint32Array.from(words) };
}
