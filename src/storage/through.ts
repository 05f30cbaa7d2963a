/**
 * Writes that are on the disk when they end (`O_DSYNC`): one call where a write and a sync would be two, each by way of another
 * thread and a turn of the event loop.
 *
 * Such a write makes its own bytes durable, with what it takes to find them, and nothing that was written before it in another way.
 * Linux does it as fdatasync(2) does, in the same function of the file system. Not every file system heeds it, so it is used on
 * those where it was looked up in the kernel's source; elsewhere, and on other systems, the calls stay two.
 */
import { constants } from "node:fs";
import { open, statfs, type FileHandle } from "node:fs/promises";

/** ext2 to ext4, XFS, Btrfs: `f_type` of statfs(2). */
const FILE_SYSTEMS: ReadonlySet<number> = new Set([0xef53, 0x58465342, 0x9123683e]);

/** Opens a file that exists to write through to the disk. @returns undefined where that is not known to do what it should */
export async function openThrough(path: string): Promise<FileHandle | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const { type } = await statfs(path);
    if (!FILE_SYSTEMS.has(type)) return undefined;
    return await open(path, constants.O_WRONLY | constants.O_DSYNC);
  } catch {
    return undefined;
  }
}
