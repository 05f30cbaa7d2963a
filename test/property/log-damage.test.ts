/** 500 cases of damage anywhere in the files of a log. A seed makes each of them again. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rename, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { KvRecord } from "../../src/core/record.js";
import { Log } from "../../src/storage/log.js";
import { greatest, KINDS, loadAll, record } from "../conformance/storage.js";
import { Random } from "../sim/random.js";

const CASES = 500;

/** Where an entry is, as the log itself was seen to write it. */
interface Place {
  readonly file: string;
  readonly from: number;
  readonly to: number;
  readonly record: KvRecord;
}

/** Bytes of a file that were touched, up to its end when it was cut there; undefined when none is in its place. */
type Touched = { readonly from: number; readonly to: number } | undefined;

const nothingCounts = { records: 1_000_000, bytes: 0, isSuperseded: () => false };

function textOf(one: KvRecord): string {
  return JSON.stringify(one, Object.keys(one).sort());
}

describe("a damaged log", () => {
  let directory = "";
  let original = "";
  const places: Place[] = [];
  const written = new Set<string>();

  /** Four segments: three closed ones and, without a close, the last. */
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "lankv-damage-"));
    original = join(directory, "original");
    const random = new Random(1);
    for (let segment = 0; segment < 4; segment += 1) {
      const log = await Log.open(original, nothingCounts);
      await loadAll(log);
      let at = await sizeOfNewest(original);
      for (let i = 0; i < 60; i += 1) {
        const value = "v".repeat(random.below(i % 20 === 0 ? 50_000 : 300));
        const kind = KINDS[random.below(KINDS.length - 2)];
        const one =
          kind === undefined || random.below(3) > 0
            ? record(`key ${String(random.below(40))}`, 1_000 + 60 * segment + i, { value })
            : { ...kind, stamp: 1_000 + 60 * segment + i };
        written.add(textOf(one));
        // A save alone, so that its entry is what the file has grown by; a mark before it counts as part of it.
        await log.save([one], i % 5 === 0);
        const file = (await readdir(original)).sort().at(-1) ?? "";
        const to = await sizeOfNewest(original);
        places.push({ file, from: i === 0 ? 24 : at, to, record: one });
        at = to;
      }
      if (segment < 3) await log.close();
    }
  });
  after(async () => rm(directory, { recursive: true }));

  it(`costs only the entries that are touched, whatever it is (${String(CASES)} cases)`, async () => {
    for (let seed = 1; seed <= CASES; seed += 1) await tryCase(seed);
  });

  async function tryCase(seed: number): Promise<void> {
    const random = new Random(seed);
    const copy = join(directory, `case-${String(seed)}`);
    await cp(original, copy, { recursive: true });
    const touched = new Map<string, Touched[]>();
    let what = "";
    if (random.below(8) === 0) what = await swapTwo(random, copy);
    else for (let i = random.below(3); i >= 0; i -= 1) what += await damage(random, copy, touched);
    const label = `seed ${String(seed)}:${what}`;

    const log = await Log.open(copy, nothingCounts);
    const loaded = await loadAll(log);
    const texts = new Set(loaded.map(textOf));
    for (const text of texts)
      assert.ok(written.has(text), `${label}: it was never written: ${text.slice(0, 200)}`);
    for (const { file, from, to, record: one } of places) {
      const isTouched = (touched.get(file) ?? []).some(
        (range) => range === undefined || (range.from < to && from < range.to),
      );
      if (!isTouched) assert.ok(texts.has(textOf(one)), `${label}: ${file} ${String(from)}: it is lost`);
    }
    await log.save([record("later", 9_999)], true);
    await log.close();

    const again = await Log.open(copy, nothingCounts);
    const reloaded = await loadAll(again);
    assert.deepEqual(again.damages, [], `${label}: it is damaged a second time`);
    const later = greatest([...loaded, record("later", 9_999)]);
    assert.deepEqual(greatest(reloaded), later, `${label}: the second start gives something else`);
    await again.close();
    await rm(copy, { recursive: true });
  }
});

async function sizeOfNewest(directory: string): Promise<number> {
  const newest = (await readdir(directory).catch(() => [])).sort().at(-1);
  return newest === undefined ? 0 : (await readFile(join(directory, newest))).length;
}

/** @returns what was done */
async function damage(random: Random, directory: string, touched: Map<string, Touched[]>): Promise<string> {
  const files = (await readdir(directory)).sort();
  const file = files[random.below(files.length)] ?? "";
  const path = join(directory, file);
  const bytes = await readFile(path);
  const note = (name: string, range: Touched) => touched.set(name, [...(touched.get(name) ?? []), range]);
  const from = random.below(3) === 0 ? random.below(Math.min(64, bytes.length)) : random.below(bytes.length);
  const length = 1 + random.below(random.below(2) === 0 ? 16 : 20_000);
  const to = Math.min(bytes.length, from + length);
  switch (random.below(7)) {
    case 0:
    case 1: {
      bytes[from] = (bytes[from] ?? 0) ^ (1 << random.below(8));
      await writeFile(path, bytes);
      note(file, { from, to: from + 1 });
      return ` ${file} bit flipped at ${String(from)};`;
    }
    case 2: {
      await truncate(path, from);
      note(file, { from, to: Infinity });
      return ` ${file} cut at ${String(from)};`;
    }
    case 3: {
      bytes.fill(0, from, to);
      await writeFile(path, bytes);
      note(file, { from, to });
      return ` ${file} zeros from ${String(from)} to ${String(to)};`;
    }
    case 4: {
      for (let at = from; at < to; at += 1) bytes[at] = random.below(256);
      await writeFile(path, bytes);
      note(file, { from, to });
      return ` ${file} garbage from ${String(from)} to ${String(to)};`;
    }
    case 5: {
      const garbage = Buffer.from(Array.from({ length }, () => random.below(256)));
      await writeFile(path, Buffer.concat([bytes, garbage]));
      return ` ${file} ${String(length)} bytes of garbage behind it;`;
    }
    default: {
      await unlink(path);
      note(file, undefined);
      return ` ${file} removed;`;
    }
  }
}

/** Each is under the other's name then. */
async function swapTwo(random: Random, directory: string): Promise<string> {
  const files = await readdir(directory);
  const [one = "", other = ""] = [random.pick(files), random.pick(files)];
  await rename(join(directory, one), join(directory, "swap"));
  if (one !== other) await rename(join(directory, other), join(directory, one));
  await rename(join(directory, "swap"), join(directory, other));
  return ` ${one} and ${other} swapped;`;
}
