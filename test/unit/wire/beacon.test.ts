import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Beacon } from "../../../src/core/message.js";
import {
  ADVERTISE_BYTES_MAX,
  BEACON_BYTES_MAX,
  decodeBeacon,
  encodeBeacon,
  NAME_BYTES_MAX,
  SOFTWARE_BYTES_MAX,
} from "../../../src/wire/beacon.js";
import { beacon, CLUSTER } from "./samples.js";

/** Where fields lie in the datagram of the sample, whose head (300) takes two bytes. */
const AT = { state: 41, flags: 42, port: 43, name: 45 } as const;

function decode(change: Partial<Beacon>): unknown {
  return decodeBeacon(encodeBeacon({ ...beacon, ...change }), CLUSTER);
}

/** The sample's datagram with some bytes replaced. */
function withBytes(at: number, ...bytes: number[]): Buffer {
  const datagram = Buffer.from(encodeBeacon(beacon));
  datagram.set(bytes, at);
  return datagram;
}

describe("a beacon", () => {
  it("decodes to what was encoded", () => {
    for (const change of [
      {},
      { hello: false, goodbye: true },
      { advertise: "" },
      { name: "" },
      { software: "" },
      { wallMs: 0, head: 0, keys: 0 },
      { wallMs: 2 ** 48 - 1, head: Number.MAX_SAFE_INTEGER, keys: Number.MAX_SAFE_INTEGER },
      { port: 1, cluster: 0 },
      { port: 65_535 },
      { state: "seeking" },
      { state: "pulling" },
      { state: "offline" },
    ] satisfies Partial<Beacon>[]) {
      const expected = { ...beacon, ...change };
      assert.deepEqual(decodeBeacon(encodeBeacon(expected), expected.cluster), expected);
    }
  });

  it("fits into its bound with every field at its longest", () => {
    const longest = {
      ...beacon,
      head: Number.MAX_SAFE_INTEGER,
      keys: Number.MAX_SAFE_INTEGER,
      name: "n".repeat(NAME_BYTES_MAX),
      advertise: "a".repeat(ADVERTISE_BYTES_MAX),
      software: "s".repeat(SOFTWARE_BYTES_MAX),
    };
    const datagram = encodeBeacon(longest);
    assert.ok(datagram.length <= BEACON_BYTES_MAX, `${datagram.length} bytes`);
    assert.deepEqual(decodeBeacon(datagram, CLUSTER), longest);
  });

  it("clamps a wall clock that six bytes cannot hold", () => {
    const wallMsOf = (wallMs: number) => {
      const decoded = decode({ wallMs });
      return typeof decoded === "object" && decoded !== null && "wallMs" in decoded
        ? decoded.wallMs
        : decoded;
    };
    assert.equal(wallMsOf(-1), 0);
    assert.equal(wallMsOf(1.5), 1);
    assert.equal(wallMsOf(2 ** 50), 2 ** 48 - 1);
  });

  it("ignores what a later version may put behind the last field", () => {
    const longer = Buffer.concat([encodeBeacon(beacon), Buffer.from([1, 2, 3])]);
    assert.deepEqual(decodeBeacon(longer, CLUSTER), beacon);
  });

  it("ignores flags that it does not know", () => {
    assert.deepEqual(decodeBeacon(withBytes(AT.flags, 0b1111_1101), CLUSTER), beacon);
  });
});

describe("a datagram that is not for this node", () => {
  it("is not lankv", () => {
    for (const text of ["", "L", "LK", "lkv1", "\u0000".repeat(100), "M-SEARCH * HTTP/1.1"]) {
      assert.equal(decodeBeacon(Buffer.from(text, "latin1"), CLUSTER), "not lankv");
    }
  });

  it("is of another protocol version", () => {
    assert.equal(decodeBeacon(Buffer.from("LKV"), CLUSTER), "other protocol version");
    assert.equal(decodeBeacon(withBytes(3, 0x32), CLUSTER), "other protocol version");
  });

  it("is of another cluster", () => {
    assert.equal(decodeBeacon(encodeBeacon(beacon), CLUSTER + 1), "other cluster");
  });
});

describe("a malformed beacon", () => {
  const isMalformed = (datagram: Buffer) => {
    assert.equal(decodeBeacon(datagram, CLUSTER), "malformed");
  };

  it("is one cut short at any byte", () => {
    const datagram = encodeBeacon(beacon);
    for (let length = 4; length < datagram.length; length += 1) isMalformed(datagram.subarray(0, length));
  });

  it("is one over 512 bytes", () => {
    const padded = Buffer.alloc(BEACON_BYTES_MAX + 1);
    encodeBeacon(beacon).copy(padded);
    isMalformed(padded);
    assert.deepEqual(decodeBeacon(padded.subarray(0, BEACON_BYTES_MAX), CLUSTER), beacon);
  });

  it("has a state that does not exist", () => {
    assert.deepEqual(decodeBeacon(withBytes(AT.state, 2), CLUSTER), beacon);
    isMalformed(withBytes(AT.state, 4));
    isMalformed(withBytes(AT.state, 255));
  });

  it("has port 0", () => {
    isMalformed(withBytes(AT.port, 0, 0));
  });

  it("has a field that is too long", () => {
    assert.equal(decode({ name: "n".repeat(NAME_BYTES_MAX + 1) }), "malformed");
    assert.equal(decode({ advertise: "a".repeat(ADVERTISE_BYTES_MAX + 1) }), "malformed");
    assert.equal(decode({ software: "s".repeat(SOFTWARE_BYTES_MAX + 1) }), "malformed");
  });

  it("has a name that is not UTF-8, which would grow when it is decoded", () => {
    isMalformed(withBytes(AT.name + 1, 0xff));
  });

  it("advertises what would change the meaning of an endpoint", () => {
    for (const advertise of ["10.1.2.3/x", "a b", "tcp://h", "h;1", "[::1]", "h\u0000", "h\u00e9"]) {
      assert.equal(decode({ advertise }), "malformed", advertise);
    }
    for (const advertise of ["10.1.2.3", "fe80::1%eth0", "kitchen-2.local", "::1"]) {
      assert.deepEqual(decode({ advertise }), { ...beacon, advertise });
    }
  });

  it("has a head or a number of keys above 2^53 - 1", () => {
    const datagram = encodeBeacon({ ...beacon, head: Number.MAX_SAFE_INTEGER });
    const headAt = 4 + 4 + 8 + 8 + 6;
    assert.equal(datagram[headAt + 7], 0x0f);
    datagram[headAt + 7] = 0x10;
    isMalformed(datagram);
  });
});
