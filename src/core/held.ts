/**
 * What a question for buckets says of each record that the asker holds there, so that only what it lacks comes: four
 * 32-bit words.
 *
 *     key       MurmurHash3 of the key, seeded with the question's id, and with that id and another seed combined
 *     version   53 bits of the stamp, then the low 11 bits of MurmurHash3 of the writer, seeded with the id
 *
 * Hashes of versions would be shorter, but say only that a version is held, not that a newer one is: whoever is
 * ahead would be sent all that it has overwritten, and a thousand deletes would cost a thousand old values.
 * A collision hides a record from the asker. One hash of a key would make that happen in a large heal, and what
 * a round has found is vouched for in receipts; with the id for a seed it hides it for one question only.
 */
import type { Bytes } from "./bytes.js";
import { murmur3 } from "./hash.js";
import type { RecordHead } from "./record.js";

/** Words for each record. */
export const HELD_WORDS = 4;

const SECOND_SEED = 0x76303031;
const TAG_BITS = 11;
const STAMP_LOW = 2 ** (32 - TAG_BITS);

/** Appends what is said of one record in the question `id`. */
export function pushHeld(words: number[], { key, stamp, writer }: RecordHead, id: number): void {
  const low = ((stamp % STAMP_LOW) << TAG_BITS) | tagOf(writer, id);
  words.push(murmur3(key, id), secondHash(key, id), Math.floor(stamp / STAMP_LOW), low >>> 0);
}

/** What the asker of the question `id` holds in one run of buckets. */
export class Held {
  /** By hash of the key, where its words begin. */
  readonly #at = new Map<number, number>();

  constructor(
    private readonly words: Uint32Array,
    private readonly id: number,
  ) {
    for (let at = 0; at < words.length; at += HELD_WORDS) this.#at.set(words[at] ?? 0, at);
  }

  /** Whether the asker holds this version of the key, or a newer one. */
  covers({ key, stamp, writer }: RecordHead): boolean {
    const at = this.#at.size === 0 ? undefined : this.#at.get(murmur3(key, this.id));
    if (at === undefined || this.words[at + 1] !== secondHash(key, this.id)) return false;
    const low = this.words[at + 3] ?? 0;
    const heldStamp = (this.words[at + 2] ?? 0) * STAMP_LOW + (low >>> TAG_BITS);
    if (heldStamp !== stamp) return heldStamp > stamp;
    return (low & (2 ** TAG_BITS - 1)) === tagOf(writer, this.id);
  }
}

function secondHash(key: Bytes, id: number): number {
  return murmur3(key, (id ^ SECOND_SEED) >>> 0);
}

function tagOf(writer: Bytes, id: number): number {
  return murmur3(writer, id) & (2 ** TAG_BITS - 1);
}
