/**
 * A backup of a node's disk: a directory that `serve` can start from.
 *
 * The log is copied under another name and gets its own at the very end, when all of it is durable. A directory that holds
 * an unfinished copy is refused by whoever starts from it, and may be used for the next try.
 */
import { readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectory } from "../storage/directory.js";
import { syncDirectory } from "../storage/segment.js";
import type { Storage } from "../storage/storage.js";
import { ABOUT_NAME, writeAbout } from "./about.js";
import { LOG_NAME, UNFINISHED_NAME } from "./data-dir.js";

/**
 * @param directory missing, empty, or with an unfinished backup in it
 * @throws {RangeError} it is none of these
 * @throws an error of the system; what was copied is removed again
 */
export async function backUp(storage: Storage, cluster: string, directory: string): Promise<void> {
  const made = await makeDirectory(directory);
  const there = await readdir(directory);
  const isOurs = there.includes(UNFINISHED_NAME);
  if (there.some((name) => !isOurs || (name !== UNFINISHED_NAME && !name.startsWith(ABOUT_NAME)))) {
    throw new RangeError(`the directory of a backup must be missing or empty, which ${directory} is not`);
  }
  const unfinished = join(directory, UNFINISHED_NAME);
  await rm(unfinished, { recursive: true, force: true });
  try {
    await storage.backup(unfinished);
    await writeAbout(directory, ABOUT_NAME, cluster);
    await syncDirectory(directory);
    await rename(unfinished, join(directory, LOG_NAME));
    await syncDirectory(directory);
    for (const each of made) await syncDirectory(dirname(each));
  } catch (error) {
    for (const name of [UNFINISHED_NAME, LOG_NAME, ABOUT_NAME])
      await rm(join(directory, name), { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}
