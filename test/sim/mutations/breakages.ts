/**
 * Ways to break the core on purpose, each as a replacement in its compiled text. The simulator must notice every one:
 * a checker that no breakage sets off checks nothing.
 */

/** Replaces the one place in a file of src that reads `find`. */
export interface Edit {
  /** Below src, compiled. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface Breakage {
  readonly name: string;
  /** What the broken core does. */
  readonly what: string;
  readonly edits: readonly Edit[];
}

function breakage(name: string, what: string, file: string, find: string, replace: string): Breakage {
  return { name, what, edits: [{ file, find, replace }] };
}

export const BREAKAGES: readonly Breakage[] = [
  breakage(
    "order-reversed",
    "the older record wins",
    "core/record.js",
    "return a.stamp - b.stamp;",
    "return b.stamp - a.stamp;",
  ),
  breakage(
    "no-tie-break",
    "of two writes with one stamp, whichever came first stays",
    "core/record.js",
    "return a.writer < b.writer ? -1 : 1;",
    "return -1;",
  ),
  breakage(
    "older-applied",
    "an older record replaces a newer one",
    "core/record-map.js",
    "if (order < 0) {",
    "if (order > 1e300) {",
  ),
  breakage(
    "bucket-sum-forgotten",
    "a write does not change the sum of its bucket",
    "core/record-map.js",
    "addTo(this.#bucketSums, index, high, low);",
    "",
  ),
  breakage(
    "old-version-left-in-sum",
    "an overwritten version stays in the sums",
    "core/record-map.js",
    "high = high - versionHashHigh(held)",
    "high = high",
  ),
  breakage(
    "borrow-dropped",
    "subtracting in halves forgets to borrow",
    "core/record-map.js",
    "(low < heldLow ? 1 : 0)",
    "0",
  ),
  breakage(
    "tombstones-dropped",
    "deletes of others are not applied",
    "core/replica.js",
    "if (this.#map.apply(record))",
    'if (record.kind !== "tombstone" && this.#map.apply(record))',
  ),
  {
    name: "replaces-one",
    what: "a record names only the version that its writer held",
    edits: [
      {
        file: "core/record.js",
        find: "return [{ stamp: held.stamp, writer: held.writer }, ...others].slice(0, REPLACES_MAX);",
        replace: "return [{ stamp: held.stamp, writer: held.writer }];",
      },
      {
        file: "core/record.js",
        find: "const oldest = winner.replaces[REPLACES_MAX - 1];",
        replace: "const oldest = winner.replaces[0];",
      },
    ],
  },
  breakage(
    "own-writes-replace-nothing",
    "overwriting an own record forgets what that one had overwritten",
    "core/record.js",
    "return held.replaces;",
    "return NONE;",
  ),
  breakage(
    "clock-ignores-replaced",
    "a write over a stamp far ahead does not exceed it",
    "core/clock.js",
    "stamp = Math.max(replaced, this.#farTo) + 1;",
    "stamp = this.#farTo + 1;",
  ),
  breakage(
    "far-stamps-reused",
    "a stamp far ahead is issued twice",
    "core/clock.js",
    "stamp = Math.max(replaced, this.#farTo) + 1;",
    "stamp = replaced + 1;",
  ),
  breakage(
    "gaps-ignored",
    "what is missing of a stream is never asked for",
    "core/repair.js",
    'this.ask(peer, { of: "stream", range }, nowMs);',
    "",
  ),
  breakage(
    "question-never-repeated",
    "a lost answer is waited for as long as its peer is there",
    "core/questions.js",
    "if (!isGone && nowMs < this.#deadlineMs(open))",
    "if (!isGone)",
  ),
  breakage(
    "window-unlimited",
    "any number of questions may be under way",
    "core/questions.js",
    "return all < OPEN_MAX && toPeer < OPEN_PER_PEER_MAX;",
    "return true;",
  ),
  breakage(
    "budget-ignored",
    "an answer may be of any size",
    "core/answer.js",
    "return this.#bytes > 0 && this.#bytes >= this.budgetBytes;",
    "return false;",
  ),
  breakage(
    "record-lost-between-parts",
    "the record that does not fit into a part is left out",
    "core/answer.js",
    "if (this.#part.length > 0 && this.#partBytes + bytes > BATCH_BYTES_MAX)\n            this.#close();",
    "if (this.#part.length > 0 && this.#partBytes + bytes > BATCH_BYTES_MAX) { this.#close(); return; }",
  ),
  breakage(
    "cursor-off-by-one",
    "an answer that stopped at a bucket is continued with the next",
    "core/bucket-pull.js",
    "this.#putBack(spans, next);",
    "this.#putBack(spans, next + 1);",
  ),
  breakage(
    "old-values-sent",
    "an answer brings also what the asker holds a newer version of",
    "core/held.js",
    "return heldStamp > stamp;",
    "return false;",
  ),
  breakage(
    "newer-version-hidden",
    "an answer leaves out what the asker holds any version of",
    "core/held.js",
    "return heldStamp > stamp;",
    "return true;",
  ),
  breakage(
    "answers-of-former-plan-count",
    "any answer about buckets counts for the plan at hand",
    "core/bucket-pull.js",
    "if (this.#asked.delete(spans) && next !== undefined)",
    "this.#asked.delete([...this.#asked][0]); if (next !== undefined)",
  ),
  breakage(
    "live-early",
    "a node is live as soon as it has asked",
    "core/bootstrap.js",
    "this.reconcile.rounds > this.#roundsBefore",
    "true",
  ),
  breakage(
    "timer-in-the-past",
    "a node that waits for a link wants to be woken at once, again and again",
    "core/bootstrap.js",
    "hasSought ? LINK_MS : SEEK_MS",
    "SEEK_MS",
  ),
  breakage(
    "equal-roots-unnoticed",
    "nodes with equal roots compare themselves for ever",
    "core/replica.js",
    "const isEqual = vitals.root === this.#map.root;",
    "const isEqual = false;",
  ),
  breakage(
    "gone-never",
    "a silent peer is never given up",
    "core/presence.js",
    "if (silenceMs >= GONE_AFTER_MS)",
    "if (silenceMs === Infinity)",
  ),
  breakage(
    "connection-never-mended",
    "a connection that went silent is never made afresh",
    "core/presence.js",
    "const bearMs = Math.max(RECONNECT_AFTER_MS, ",
    "const bearMs = Math.max(Infinity, ",
  ),
  breakage(
    "twin-ignored",
    "two processes keep one node id",
    "core/identity.js",
    "if (beacon.nodeId !== this.#self.nodeId || beacon.goodbye)",
    "if (beacon.nodeId.length > 0)",
  ),
  breakage(
    "identity-by-beacon",
    "a forged beacon takes a node's id from it",
    "core/replica.js",
    "const identity = isLinked ?",
    "const identity = true ?",
  ),
  breakage(
    "hellos-answered-unbounded",
    "every hello is answered by a beacon",
    "core/announcer.js",
    "this.#lastBeaconAtMs + ANSWER_AFTER_MS",
    "0",
  ),
  breakage(
    "three-of-one-id",
    "of three processes with one node id, the greater ones hide the smallest from each other",
    "core/identity.js",
    "if (this.#self.writer < beacon.writer)",
    "if (false)",
  ),
  breakage(
    "doubt-ignored",
    "a receipt counts what was only taken for arrived",
    "core/stream.js",
    "return this.#doubt === undefined ? this.#have : ",
    "return this.#have > 0 ? this.#have : ",
  ),
  breakage(
    "first-hearing-trusted",
    "what was sent before a peer was first heard counts as held",
    "core/stream.js",
    "if (have > 0)",
    "if (have < 0)",
  ),
  breakage(
    "omissions-trusted",
    "a repaired range counts as held though the answer left records out",
    "core/repair.js",
    "if (answer.omits)",
    "if (false)",
  ),
  breakage(
    "omissions-untold",
    "an answer does not say that it left records out",
    "core/answer.js",
    "return { next: undefined, omits: added.size < touched.size };",
    "return { next: undefined, omits: false };",
  ),
  breakage(
    "ring-trusted",
    "what fell off the writer's ring counts as held",
    "core/repair.js",
    "peer.stream.presume(from, peer.stream.head);",
    "peer.stream.receive(from, peer.stream.head);",
  ),
  breakage(
    "announced-is-held",
    "a record that was only announced counts as held",
    "core/repair.js",
    "stream.announce(seq);",
    "stream.receive(seq, seq);",
  ),
  breakage(
    "round-vouches-for-all",
    "a round that is done vouches for what was sent since it began",
    "core/reconcile.js",
    "stream?.verify(head);",
    "stream?.verify(stream.head);",
  ),
  breakage(
    "doubt-for-ever",
    "what was in doubt once is never confirmed",
    "core/stream.js",
    "const from = Math.max(this.#doubt.from, to + 1);",
    "const from = this.#doubt.from;",
  ),
  breakage(
    "receipt-asked-once",
    "a peer that has not confirmed enough is not asked again",
    "core/receipts.js",
    "peer.confirmAskedAtMs + CONFIRM_EVERY_MS",
    "Infinity",
  ),
  breakage(
    "receipt-asked-always",
    "a peer that has not confirmed enough is asked with every step",
    "core/receipts.js",
    "peer.confirmAskedAtMs + CONFIRM_EVERY_MS",
    "peer.confirmAskedAtMs + 1",
  ),
  breakage(
    "receipt-of-nothing",
    "a peer's receipt counts for all that was sent",
    "core/receipts.js",
    "peer.confirmed = seq;",
    "peer.confirmed = head;",
  ),
  breakage(
    "told-before-written",
    "publications leave before the writes of their turn",
    "core/outbox.js",
    "[...this.#takeRecords(from), ...this.#takePublications(from)]",
    "[...this.#takePublications(from), ...this.#takeRecords(from)]",
  ),
  breakage(
    "published-twice",
    "publications are sent again with the next turn",
    "core/outbox.js",
    "this.#publications = [];\n        this.#publicationsBytes",
    "this.#publicationsBytes",
  ),
  breakage(
    "publications-dropped",
    "publications that came are told to nobody",
    "core/replica.js",
    'this.#effects.push({ type: "published", publications: message.publications });',
    "",
  ),
];
