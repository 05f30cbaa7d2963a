/**
 * What bench:storage does in processes of its own: `write STORE DIRECTORY GROUP SETS` and `read STORE DIRECTORY`, with STORE
 * one of log, lmdb (by key) and lmdb-sequence (LMDB used as a log: keys count up). Says what it found as a line of JSON.
 */
import { readFile } from "node:fs/promises";
import { open, type RootDatabase } from "lmdb";
import { storedToRecord, type KvRecord } from "../../src/core/record.js";
import { Log } from "../../src/storage/log.js";
import { Random } from "../../test/sim/random.js";

const KEYS = 100_000;
const VALUE_BYTES = 100;
const WRITER = "00112233445566ff";

/** Tells what the value of a key has to be, so that a wrong one is known. */
function valueOf(key: string): string {
  return key.repeat(Math.ceil(VALUE_BYTES / key.length)).slice(0, VALUE_BYTES);
}

const map = new Map<string, number>();
const contents = {
  get records() {
    return map.size;
  },
  get bytes() {
    return map.size * (VALUE_BYTES + 11);
  },
  isSuperseded: ({ key, stamp }: KvRecord) => (map.get(key) ?? 0) > stamp,
};

type Save = (keys: readonly string[], stamp: number) => Promise<void>;

async function opened(store: string, directory: string): Promise<Save> {
  if (store === "log") {
    const log = await Log.open(directory, contents);
    return async (keys, stamp) => {
      for (const key of keys) map.set(key, stamp);
      await log.save(
        keys.map((key) => {
          const value = valueOf(key);
          return { key, stamp, writer: WRITER, kind: "value", value, expiresAtMs: undefined, replaces: [] };
        }),
        true,
      );
    };
  }
  const database = lmdb(directory);
  return async (keys, stamp) => {
    await database.transaction(() => {
      for (const [i, key] of keys.entries()) {
        const at = store === "lmdb" ? key : String(stamp + i).padStart(16, "0");
        void database.put(at, Buffer.from(`${key}:${valueOf(key)}`, "latin1"));
      }
    });
  };
}

function lmdb(path: string): RootDatabase<Buffer, string> {
  return open<Buffer, string>({ path, encoding: "binary", compression: false, overlappingSync: false });
}

async function write(store: string, directory: string, group: number, sets: number): Promise<object> {
  const random = new Random(1);
  const save = await opened(store, directory);
  const next = () => `key:${String(random.below(KEYS)).padStart(7, "0")}`;
  const before = await bytesWritten();
  const began = performance.now();
  const cpu = process.cpuUsage();
  for (let done = 0; done < sets; done += group) await save(Array.from({ length: group }, next), done + 1);
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    setsPerSecond: sets / seconds,
    commitMs: (1_000 * seconds * group) / sets,
    bytesPerSet: ((await bytesWritten()) - before) / sets,
    cpuUsPerSet: (user + system) / sets,
  };
}

/** Bytes that this process has handed to the system to write. */
async function bytesWritten(): Promise<number> {
  return Number(/^wchar: (\d+)$/m.exec(await readFile("/proc/self/io", "utf8"))?.[1]);
}

async function read(store: string, directory: string): Promise<object> {
  let right = 0;
  let wrong = 0;
  const look = (key: string, value: string) => {
    if (value === valueOf(key)) right += 1;
    else wrong += 1;
  };
  if (store === "log") {
    const log = await Log.open(directory, contents);
    for await (const { records } of log.load()) {
      for (const { key, value } of records.map(storedToRecord)) look(key, value);
    }
    return { right, wrong, told: log.damages.length };
  }
  for (const { value } of lmdb(directory).getRange({})) {
    const text = value.toString("latin1");
    look(text.slice(0, 11), text.slice(12));
  }
  return { right, wrong, told: 0 };
}

const [mode = "", store = "", directory = "", group = "1", sets = "1"] = process.argv.slice(2);
const result =
  mode === "write"
    ? await write(store, directory, Number(group), Number(sets))
    : await read(store, directory);
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
