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
    "core/copy.js",
    "const before = this.map.apply(record);",
    'const before = record.kind === "tombstone" ? false : this.map.apply(record);',
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
    "expires-never",
    "values whose time has run out stay in memory",
    "core/replica.js",
    "this.#copy.expire(now);",
    "",
  ),
  breakage(
    "expires-early",
    "a value expires 50 ms before its time",
    "core/record-map.js",
    "this.#expiries.nextAtMs <= nowMs",
    "this.#expiries.nextAtMs <= nowMs + 50",
  ),
  breakage(
    "expires-by-own-clock",
    "expiry goes by the uncorrected clock",
    "core/copy.js",
    "this.map.expire(this.clock.correctedMs(wallMs)",
    "this.map.expire(wallMs",
  ),
  breakage(
    "expires-without-a-timer",
    "nobody is woken when a value's time has come",
    "core/replica.js",
    "this.#copy.wakeAtMs(this.#now)",
    "Infinity",
  ),
  breakage(
    "expiry-stays",
    "a value that was overwritten still expires",
    "core/record-map.js",
    "this.#expiries.remove(slot);",
    "",
  ),
  breakage(
    "expiry-unmoved",
    "a key that gets another time keeps the first",
    "core/expiry-queue.js",
    "this.#move(place - 1, slot, atMs);",
    ";",
  ),
  breakage(
    "expired-bytes-counted",
    "the bytes of an expired value are counted for ever",
    "core/record-map.js",
    "this.#bytes -= held.value.length;",
    "",
  ),
  breakage(
    "expired-value-kept",
    "an expired value stays in memory",
    "core/record.js",
    'kind: "tombstone", value: "", expiresAtMs',
    'kind: "tombstone", value: arguments[0].value, expiresAtMs',
  ),
  breakage(
    "expired-changes-sums",
    "an expired record leaves the root",
    "core/record-map.js",
    "const remains = remainsOf(held);",
    "const remains = remainsOf(held); addTo(this.#rootSum, 0, -versionHashHigh(held), -versionHashLow(held));",
  ),
  breakage(
    "expired-sent",
    "what has expired is published",
    "core/replica.js",
    "this.#copy.expire(now);",
    'this.#copy.expire(now); for (const { type, records } of this.#effects) if (type === "expired") for (const record of records) this.#outbox.add(record);',
  ),
  breakage(
    "expired-untold",
    "what expires is not told",
    "core/copy.js",
    'this.emit({ type: "expired", records });',
    ";",
  ),
  breakage(
    "expired-told-again",
    "overwriting what has expired tells it once more",
    "core/copy.js",
    "if (held !== undefined && runsOutBy(held, nowMs))",
    "if (held !== undefined && held.expiresAtMs <= nowMs)",
  ),
  breakage(
    "expired-comes-alive",
    "a value that comes after its time is kept",
    "core/copy.js",
    "agedAt(sent, nowMs)",
    "sent",
  ),
  breakage(
    "expired-written-alive",
    "a value that is written after its time is kept",
    "core/copy.js",
    "agedAt(written, nowMs)",
    "written",
  ),
  breakage(
    "expired-comes-back",
    "a value is taken for newer than its remains",
    "core/record.js",
    "if (isRemains(a) || isRemains(b))",
    "if (false)",
  ),
  breakage(
    "slices-unbounded",
    "all that is due expires in one step",
    "core/copy.js",
    "EXPIRED_PER_STEP);",
    "Infinity);",
  ),
  breakage(
    "slices-without-rest",
    "a step that left values to the next wants that at once",
    "core/copy.js",
    "Math.max(this.#restUntilMs, ",
    "Math.max(0, ",
  ),
  breakage(
    "replaced-forgotten",
    "what a record of others replaced is not said",
    "core/copy.js",
    "replaced.push(before);",
    "replaced.push(undefined);",
  ),
];
