/**
 * Answers: what a peer asked for, from what is held now.
 *
 * Answering keeps no state. Each answer is bounded by the asker's budget and by {@link ANSWER_BYTES_MAX}, and
 * says where it stopped, so that a question costs this node a bounded amount of work whatever it asks.
 */
import type { Bytes } from "./bytes.js";
import { Batches, recordBytes } from "./batch.js";
import { BUCKETS_PER_GROUP, GROUPS } from "./hash.js";
import { Held } from "./held.js";
import type {
  AnswerMessage,
  ListAnswerMessage,
  ListedGroup,
  ListMessage,
  QuestionMessage,
  Span,
} from "./message.js";
import type { KvRecord } from "./record.js";
import type { RecordMap } from "./record-map.js";
import type { OutStream, Sent, SeqRange } from "./stream.js";
import type { Writer } from "./version.js";

/** Greatest answer, in bytes of records; the record that exceeds it is still sent. */
export const ANSWER_BYTES_MAX = 1024 * 1024;

/** How many groups of sums fit into one part: 2 KiB each. */
const GROUPS_PER_PART = 30;

/** The parts of the answer to what was asked. */
export function answersTo(
  asked: QuestionMessage | ListMessage,
  self: Writer,
  map: RecordMap,
  stream: OutStream,
): readonly (AnswerMessage | ListAnswerMessage)[] {
  return asked.type === "list" ? answerList(asked, self, map) : answer(asked, self, map, stream);
}

function answer(question: QuestionMessage, self: Writer, map: RecordMap, stream: OutStream): AnswerMessage[] {
  const parts = new Parts(Math.min(question.budgetBytes, ANSWER_BYTES_MAX));
  const { next, omits } = collect(question, self, parts, map, stream);
  const batches = parts.finish();
  return batches.map((records, part) => {
    const last = part === batches.length - 1;
    return {
      type: "answer",
      from: self,
      id: question.id,
      part,
      last,
      next: last ? next : undefined,
      tail: stream.tail,
      omits,
      records,
    };
  });
}

/** Where the budget ended, and whether records were left out before that. */
interface Collected {
  readonly next: number | undefined;
  readonly omits: boolean;
}

function collect(
  { id, ask }: QuestionMessage,
  self: Writer,
  parts: Parts,
  map: RecordMap,
  stream: OutStream,
): Collected {
  switch (ask.of) {
    case "stream":
      return collectStream(ask.range, self, parts, { map, stream });
    case "buckets":
      return { next: collectBuckets(ask.spans, id, parts, map), omits: false };
    case "keys":
      return { next: collectKeys(ask.keys, parts, map), omits: false };
  }
}

/** @returns the index of the first key that the budget left out */
function collectKeys(keys: readonly Bytes[], parts: Parts, map: RecordMap): number | undefined {
  for (const [index, key] of keys.entries()) {
    if (parts.isFull) return index;
    const record = map.get(key);
    if (record !== undefined) parts.add(record);
  }
  return undefined;
}

function collectStream(
  range: SeqRange,
  self: Writer,
  parts: Parts,
  { map, stream }: { map: RecordMap; stream: OutStream },
): Collected {
  const added = new Set<number>();
  const touched = new Set<number>();
  const to = Math.min(range.to, stream.head);
  for (let seq = Math.max(range.from, stream.tail); seq <= to; seq += 1) {
    const sent = stream.sent(seq);
    const slots = stillCurrent(sent, self, map).filter((slot) => !added.has(slot));
    if (slots.length > 0 && parts.isFull) return { next: seq, omits: added.size < touched.size };
    for (const slot of sent.slots) touched.add(slot);
    for (const slot of slots) {
      const record = added.has(slot) ? undefined : map.at(slot);
      if (record === undefined) continue;
      added.add(slot);
      parts.add(record);
    }
  }
  return { next: undefined, omits: added.size < touched.size };
}

/**
 * The slots of a message whose records are still current. What a later message of this process overwrote comes with that one,
 * and what another process overwrote with its stream, or by fingerprints; so each record is sent once, by its writer.
 */
function stillCurrent({ slots, stampMax }: Sent, self: Writer, map: RecordMap): readonly number[] {
  return slots.filter((slot) => {
    const head = map.headAt(slot);
    return head?.writer === self && head.stamp <= stampMax;
  });
}

function collectBuckets(
  spans: readonly Span[],
  id: number,
  parts: Parts,
  map: RecordMap,
): number | undefined {
  for (const { from, to, held } of spans) {
    const known = new Held(held, id);
    for (let bucket = from; bucket <= to; bucket += 1) {
      for (const number of map.numbersIn(bucket)) {
        const head = map.headAt(number);
        if (head === undefined || known.covers(head)) continue;
        if (parts.isFull) return bucket;
        const record = map.at(number);
        if (record !== undefined) parts.add(record);
      }
    }
  }
  return undefined;
}

/** Records on their way into messages, until a budget is used up. */
class Parts {
  readonly #batches = new Batches<KvRecord>(recordBytes);

  constructor(private readonly budgetBytes: number) {}

  get isFull(): boolean {
    const { bytes } = this.#batches;
    return bytes > 0 && bytes >= this.budgetBytes;
  }

  add(record: KvRecord): void {
    this.#batches.add(record);
  }

  /** At least one part, be it empty: no answer means a lost one. */
  finish(): readonly (readonly KvRecord[])[] {
    const batches = this.#batches.take();
    return batches.length === 0 ? [[]] : batches;
  }
}

/** The groups whose sums differ from the asker's, one level down. */
function answerList(list: ListMessage, self: Writer, map: RecordMap): ListAnswerMessage[] {
  const own = map.groupSums();
  const differing: ListedGroup[] = [];
  for (let group = 0; group < GROUPS; group += 1) {
    if (!differs(own, list.sums, group)) continue;
    differing.push({ group, ...map.groupSize(group), sums: map.bucketSums(group) });
  }
  const parts = Math.max(1, Math.ceil(differing.length / GROUPS_PER_PART));
  return Array.from({ length: parts }, (_, part) => ({
    type: "list_answer",
    from: self,
    id: list.id,
    part,
    last: part === parts - 1,
    groups: differing.slice(part * GROUPS_PER_PART, (part + 1) * GROUPS_PER_PART),
  }));
}

/** The buckets of a listed group whose sums differ from the own. */
export function differingBuckets(listed: ListedGroup, map: RecordMap): readonly number[] {
  const own = map.bucketSums(listed.group);
  const buckets: number[] = [];
  for (let i = 0; i < BUCKETS_PER_GROUP; i += 1) {
    if (differs(own, listed.sums, i)) buckets.push(listed.group * BUCKETS_PER_GROUP + i);
  }
  return buckets;
}

function differs(a: Uint32Array, b: Uint32Array, index: number): boolean {
  return a[2 * index] !== b[2 * index] || a[2 * index + 1] !== b[2 * index + 1];
}
