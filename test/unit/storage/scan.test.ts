/** A scan finds every whole entry, wherever the parts of the file that are read at once begin and end. */
import assert from "node:assert/strict";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { storedToRecord, type KvRecord } from "../../../src/core/record.js";
import { ENTRY_BYTES_MAX, EntryWriter } from "../../../src/storage/entry.js";
import { Scan } from "../../../src/storage/scan.js";
import { Random } from "../../sim/random.js";

const SALT = 0x5a17c0de;
const VALUE_BYTES_MAX = 1_048_576;

function recordOf(number: number, valueBytes: number): KvRecord {
  const key = `key:${String(number)}`;
  const value = String.fromCharCode(number & 0xff).repeat(valueBytes);
  return {
    stamp: number,
    writer: "00112233445566ff",
    key,
    kind: "value",
    value,
    expiresAtMs: undefined,
    replaces: [],
  };
}

/** The entries of records, one behind the other. */
function entriesOf(records: readonly KvRecord[]): Buffer {
  const writer = new EntryWriter(ENTRY_BYTES_MAX);
  return Buffer.concat(
    records.map((record) => {
      writer.clear();
      writer.addRecord(SALT, record);
      return Buffer.from(writer.written);
    }),
  );
}

describe("a scan", () => {
  let directory = "";
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "lankv-scan-"));
  });
  after(async () => rm(directory, { recursive: true }));

  async function scanned(bytes: Buffer, from = 0): Promise<{ scan: Scan; found: KvRecord[] }> {
    const path = join(directory, "segment");
    await writeFile(path, bytes);
    const handle = await open(path, "r");
    try {
      const scan = new Scan(handle, SALT, from, bytes.length);
      const found: KvRecord[] = [];
      for (let records = await scan.next(); records !== undefined; records = await scan.next())
        found.push(...records.map(storedToRecord));
      return { scan, found };
    } finally {
      await handle.close();
    }
  }

  it("finds entries of all lengths across the parts that are read at once", async () => {
    const random = new Random(7);
    const lengths = [0, VALUE_BYTES_MAX, VALUE_BYTES_MAX, 1, VALUE_BYTES_MAX];
    for (let i = 0; i < 200; i += 1) lengths.push(random.below(2 ** (4 + random.below(15))));
    lengths.push(VALUE_BYTES_MAX, 0);
    const records = lengths.map((length, number) => recordOf(number, length));
    const { scan, found } = await scanned(entriesOf(records));
    assert.deepEqual(found, records);
    assert.deepEqual(scan.gaps, []);
    assert.equal(scan.records, records.length);
  });

  it("tells gaps where they are, also across those parts", async () => {
    const long = entriesOf([recordOf(1, VALUE_BYTES_MAX)]);
    const damaged = Buffer.from(long);
    damaged.writeUInt8((damaged[long.length - 1] ?? 0) ^ 1, long.length - 1);
    const { scan, found } = await scanned(Buffer.concat([long, damaged, long]));
    assert.deepEqual(found, [recordOf(1, VALUE_BYTES_MAX), recordOf(1, VALUE_BYTES_MAX)]);
    assert.deepEqual(scan.gaps, [{ from: long.length, to: 2 * long.length }]);
    assert.equal(scan.firstRecordAt, 0);
    assert.equal(scan.lastRecordAt, 2 * long.length);
  });

  it("begins where it is told to, and gives nothing of a file without entries", async () => {
    const entry = entriesOf([recordOf(1, 100)]);
    assert.deepEqual((await scanned(Buffer.concat([entry, entry]), entry.length)).found, [recordOf(1, 100)]);
    assert.deepEqual((await scanned(Buffer.alloc(0))).found, []);
    const { scan, found } = await scanned(Buffer.alloc(3_000_000));
    assert.deepEqual(found, []);
    assert.deepEqual(scan.gaps, [{ from: 0, to: 3_000_000 }]);
    assert.equal(scan.isZero, true);
  });
});
