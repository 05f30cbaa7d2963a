/** Whatever a node may say, the other understands as it was meant. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { BEACON_BYTES_MAX, decodeBeacon, encodeBeacon } from "../../src/wire/beacon.js";
import { encodeMessage, MESSAGE_BYTES_MAX } from "../../src/wire/message.js";
import { readFrame } from "../received.js";
import { beacon, sent, sentList, type Sent } from "./wire-arbitraries.js";

const SEED = 20_250_701;

function arrivesAsMeant({ message, to }: Sent): void {
  const frame = encodeMessage(message, to);
  assert.ok(frame.length <= MESSAGE_BYTES_MAX);
  assert.deepEqual(readFrame(frame), message);
}

describe("decode(encode(x)) is x", () => {
  it("for every beacon", () => {
    fc.assert(
      fc.property(beacon, (original) => {
        const datagram = encodeBeacon(original);
        assert.ok(datagram.length <= BEACON_BYTES_MAX);
        assert.deepEqual(decodeBeacon(datagram, original.cluster), original);
      }),
      { seed: SEED, numRuns: 5_000 },
    );
  });

  it("for every message but lists", () => {
    fc.assert(fc.property(sent, arrivesAsMeant), { seed: SEED, numRuns: 5_000 });
  });

  it("for every list and its answer", () => {
    fc.assert(fc.property(sentList, arrivesAsMeant), { seed: SEED, numRuns: 200 });
  });
});
