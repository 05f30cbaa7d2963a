/** What every storage does: `storageConforms` runs it all with one kind of it. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { storedToRecord, type KvRecord } from "../../src/core/record.js";
import type { Contents, Storage } from "../../src/storage/storage.js";

/** A place where records are kept, which outlives the storages that are opened on it. */
export interface Place {
  open(contents: Contents): Promise<Storage>;
  /** Another place, with what was backed up there. */
  openBackup(name: string): Promise<Storage>;
  backup(storage: Storage, name: string): Promise<void>;
}

export const WRITER = "00112233445566ff";

/** Holds the greatest record of each key that was saved: what a node's memory is to its storage. */
export class Held implements Contents {
  readonly all = new Map<string, KvRecord>();
  bytes = 0;

  get records(): number {
    return this.all.size;
  }

  isSuperseded(record: KvRecord): boolean {
    const held = this.all.get(record.key);
    return held !== undefined && held.stamp > record.stamp;
  }

  add(records: readonly KvRecord[]): readonly KvRecord[] {
    for (const record of records) {
      const held = this.all.get(record.key);
      if (held !== undefined && held.stamp >= record.stamp) continue;
      this.all.set(record.key, record);
      this.bytes += record.value.length - (held?.value.length ?? -record.key.length);
    }
    return records;
  }
}

export function record(key: string, stamp: number, fields: Partial<KvRecord> = {}): KvRecord {
  const rest = { kind: "value", value: "", expiresAtMs: undefined, replaces: [], ...fields } as const;
  return { key, stamp, writer: WRITER, ...rest };
}

/** Everything that is loaded, and that load says of its progress. */
export async function loadAll(storage: Storage): Promise<KvRecord[]> {
  const records: KvRecord[] = [];
  let done = 0;
  for await (const loaded of storage.load()) {
    assert.ok(loaded.bytesDone >= done && loaded.bytesDone <= loaded.bytesTotal, "progress goes forward");
    done = loaded.bytesDone;
    records.push(...loaded.records.map(storedToRecord));
  }
  return records;
}

/** The greatest record of each key, sorted by key. */
export function greatest(records: readonly KvRecord[]): KvRecord[] {
  const held = new Held();
  held.add(records);
  return [...held.all.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

const everyByte = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
const versions = Array.from({ length: 8 }, (_, i) => ({
  stamp: 2 ** 53 - 1 - i,
  writer: `${String(i)}`.repeat(16),
}));

/** Records of every kind and at every bound. */
export const KINDS: readonly KvRecord[] = [
  record("a", 0, { value: "plain" }),
  record(everyByte, 1, { value: everyByte }),
  record("empty", 2),
  record("deleted", 3, { kind: "tombstone" }),
  record("remains", 4, { kind: "tombstone", expiresAtMs: 1 }),
  record("expires", 5, { value: "soon", expiresAtMs: 2 ** 48 - 1 }),
  record("replaces", 6, { value: "all", replaces: versions }),
  record("one", 7, { value: "x", replaces: versions.slice(0, 1) }),
  record("own", 8, { value: "x", replaces: [{ stamp: 7, writer: WRITER }] }),
  record("late", 2 ** 53 - 1, { writer: "ffffffffffffffff" }),
  record("k".repeat(1024), 9, { value: "long key" }),
  record("largest", 10, { value: everyByte.repeat(4096) }),
  record("z".repeat(1024), 11, {
    value: everyByte.repeat(4096),
    expiresAtMs: 2 ** 48 - 1,
    replaces: versions,
  }),
];

export function storageConforms(newPlace: () => Promise<Place>): void {
  const saved = async (place: Place, records: readonly KvRecord[], sync: boolean): Promise<Storage> => {
    const held = new Held();
    const storage = await place.open(held);
    assert.deepEqual(await loadAll(storage), []);
    await storage.save(held.add(records), sync);
    return storage;
  };
  const sorted = greatest(KINDS);

  it("gives nothing when nothing was saved", async () => {
    const place = await newPlace();
    const storage = await place.open(new Held());
    assert.deepEqual(await loadAll(storage), []);
    await storage.save([], true);
    await storage.close();
    assert.deepEqual(await loadAll(await place.open(new Held())), []);
  });

  it("gives records of every kind as they were saved", async () => {
    const place = await newPlace();
    const storage = await saved(place, KINDS, true);
    assert.ok(storage.bytes > 2 * 2 ** 20);
    await storage.close();
    const again = await place.open(new Held());
    assert.deepEqual(greatest(await loadAll(again)), sorted);
    assert.deepEqual(again.damages, []);
    await again.close();
  });

  it("gives what was saved without a sync when the process has ended without closing", async () => {
    const place = await newPlace();
    await saved(place, KINDS, false);
    const again = await place.open(new Held());
    assert.deepEqual(greatest(await loadAll(again)), sorted);
    assert.deepEqual(again.damages, []);
    await again.close();
  });

  it("adds what is saved later to what was loaded, through many starts", async () => {
    const place = await newPlace();
    const held = new Held();
    for (let start = 0; start < 8; start += 1) {
      const storage = await place.open(held);
      assert.deepEqual(greatest(await loadAll(storage)), greatest([...held.all.values()]));
      const keys = ["always", `start ${String(start)}`];
      await storage.save(
        held.add(keys.map((key) => record(key, 100 + start, { value: key }))),
        start % 2 === 0,
      );
      if (start % 3 === 0) await storage.close();
    }
    assert.equal(held.records, 9);
  });

  it("saves any number of records in one call", async () => {
    const place = await newPlace();
    const many = Array.from({ length: 5_000 }, (_, i) =>
      record(`key ${String(i)}`, i, { value: "v".repeat(i) }),
    );
    const storage = await saved(place, many, true);
    await storage.close();
    assert.deepEqual(greatest(await loadAll(await place.open(new Held()))), greatest(many));
  });

  it("gives the greatest record of each key after many, in bounded room", async () => {
    const place = await newPlace();
    const held = new Held();
    const storage = await place.open(held);
    for (let round = 1; round <= 600; round += 1) {
      const records = Array.from({ length: 20 }, (_, i) => {
        // A few keys are written once and then count for ever, between others that do not.
        const key = i === 0 ? `once ${String(round % 100)}` : `key ${String(i)}`;
        return record(key, i === 0 && round > 100 ? 0 : round, { value: `${String(round)} `.repeat(400) });
      });
      await storage.save(held.add(records), round % 10 === 0);
    }
    const written = 600 * 20 * 1_600;
    assert.ok(storage.bytes < written / 3, `${String(storage.bytes)} of ${String(written)} bytes`);
    await storage.close();
    const again = await place.open(new Held());
    assert.deepEqual(greatest(await loadAll(again)), greatest([...held.all.values()]));
    assert.deepEqual(again.damages, []);
    await again.close();
  });

  it("backs up everything saved so far while records go on being saved", async () => {
    const place = await newPlace();
    const held = new Held();
    const storage = await place.open(held);
    await storage.save(held.add(KINDS), false);
    const before = greatest([...held.all.values()]);
    const backup = place.backup(storage, "copy");
    for (let i = 0; i < 50; i += 1) await storage.save(held.add([record("meanwhile", i)]), true);
    await backup;
    await storage.close();
    const copy = await place.openBackup("copy");
    const records = await loadAll(copy);
    assert.deepEqual(copy.damages, []);
    assert.deepEqual(greatest(records.filter(({ key }) => key !== "meanwhile")), before);
    await copy.close();
  });
}
