/**
 * Makes directories. Node.js can make all that leads to one at once, too, but never comes to an end where a name is refused as
 * missing, as in /proc, and tells a read-only file system as a missing directory.
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a directory, for this user only, and those that lead to it; one that is there stays as it is.
 * @returns those that were made, the outermost first
 * @throws an error of the system, with its `code`: EEXIST when something else is there
 */
export async function makeDirectory(path: string): Promise<readonly string[]> {
  const made: string[] = [];
  for (const each of await missingIn(resolve(path))) {
    try {
      await mkdir(each, { mode: 0o700 });
      made.push(each);
    } catch (error) {
      // Somebody else may have made it meanwhile.
      if (!(await isDirectory(each).catch(() => false))) throw error;
    }
  }
  return made;
}

/** What is not a directory yet of a path and what leads to it, the outermost first. */
async function missingIn(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let at = path; !(await isDirectory(at)); at = dirname(at)) {
    missing.unshift(at);
    if (at === dirname(at)) break;
  }
  return missing;
}

/** @throws an error of the system, but not when nothing is there */
async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
