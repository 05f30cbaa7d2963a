import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe } from "node:test";
import { Log } from "../../src/storage/log.js";
import { Disk, MemoryStorage } from "./memory-storage.js";
import { Held, storageConforms, type Place } from "./storage.js";

describe("a log", () => {
  const places: string[] = [];
  after(async () => {
    await Promise.all(places.map(async (place) => rm(place, { recursive: true })));
  });

  storageConforms(async (): Promise<Place> => {
    const place = await mkdtemp(join(tmpdir(), "lankv-log-"));
    places.push(place);
    return {
      open: async (contents) => Log.open(join(place, "log"), contents),
      backup: async (storage, name) => storage.backup(join(place, name)),
      openBackup: async (name) => Log.open(join(place, name), new Held()),
    };
  });
});

describe("a storage in memory", () => {
  storageConforms(async (): Promise<Place> => {
    const disk = new Disk();
    return {
      open: async () => new MemoryStorage(disk),
      backup: async (storage, name) => storage.backup(name),
      openBackup: async (name) => {
        const copy = new Disk();
        copy.durable = [...(disk.backups.get(name) ?? [])];
        return new MemoryStorage(copy);
      },
    };
  });
});
